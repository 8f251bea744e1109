"""`aibom.sign`: a private key in, a signature beside the model out."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from aibom.api.expectation import Document, document, jobs_or_all, texts
from aibom.domain.publication import MODEL_SIGNATURE
from aibom.trust.signers import BundleSigner, certificate_signer, key_signer
from aibom.workflows.sign import HeldKey, ModelRequest, Signed, sign_any_file, sign_bom, sign_model

Kind = Literal["model", "bom", "file"]


def sign(  # noqa: PLR0913 - all but the first are keywords
    target: str | os.PathLike[str],
    *,
    key: Document,
    password: str | bytes | None = None,
    certificate: Document | None = None,
    certificate_chain: Document | None = None,
    kind: Kind = "model",
    ignore: Iterable[str] = (),
    shard_size: int | None = None,
    signature: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
) -> Signed:
    """Signs a model, and writes the bundle where `verify` finds it, or to `signature`.

    `ignore` and `shard_size` (bytes) are for models. Raises `UnreadableError` when the key cannot be
    used or anything of the target cannot be read, OSError when the bundle cannot be written, ValueError
    for keywords that do not fit.
    """
    if kind not in ("model", "bom", "file") or (kind != "model" and (ignore or shard_size is not None)):
        raise ValueError("kind= is model, bom or file; ignore= and shard_size= are for models")
    if shard_size is not None and shard_size < 1:
        raise ValueError("shard_size= is a positive number of bytes")
    hand = HeldKey(signer=_signer(key, password, certificate, certificate_chain))
    path = os.fspath(target)
    if kind == "model":
        request = ModelRequest(
            target=path,
            ignored=tuple(each.rstrip("/") for each in texts(ignore)),
            shard_size=shard_size,
            jobs=jobs_or_all(jobs),
        )
        signed = sign_model(request, hand)
    else:
        signed = sign_bom(path, hand) if kind == "bom" else sign_any_file(path, hand)
    _write(_beside(Path(target), kind) if signature is None else Path(signature), signed.bundle)
    return signed


def _signer(
    key: Document, password: str | bytes | None, certificate: Document | None, chain: Document | None
) -> BundleSigner:
    secret = password.encode() if isinstance(password, str) else password
    if certificate is None:
        if chain is not None:
            raise ValueError("certificate_chain= needs certificate=")
        return key_signer(document(key), secret)
    others = document(chain) if chain is not None else b""
    return certificate_signer(document(key), secret, document(certificate), others)


def _beside(target: Path, kind: Kind) -> Path:
    if kind == "model" and target.is_dir():
        return target / MODEL_SIGNATURE
    return target.with_name(f"{target.name}.sig" if kind == "model" else f"{target.name}.sigstore.json")


def _write(path: Path, data: bytes) -> None:
    """Replaces the file in one step: after any failure the old content is still whole."""
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.new")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
