"""Keys, and models that are signed with them."""

from __future__ import annotations

from pathlib import Path

import aibom
from tests.trust.certificates import ec_key, private_pem, public_pem

KEY = ec_key()
OTHER = ec_key()
PRIVATE, PUBLIC = private_pem(KEY), public_pem(KEY)
STRANGER = public_pem(OTHER)

FILES = {
    "config.json": b"{}",
    "model-00001-of-00002.safetensors": b"first",
    "model-00002-of-00002.safetensors": b"second",
    "tokenizer/vocab.txt": b"a\nb\n",
    "empty": b"",
}


def model(folder: Path, files: dict[str, bytes] | None = None, *, shard_size: int | None = None) -> Path:
    """A folder with these files, signed."""
    for name, data in (FILES if files is None else files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    aibom.sign(folder, key=PRIVATE, shard_size=shard_size)
    return folder
