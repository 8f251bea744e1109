"""Ways to hide a payload in a container: for each one the payload, or a reason not to trust the file."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from safetensors.numpy import save

from aibom.domain.hazard import HazardKind
from tests.formats.inside.build import (
    CENTRAL,
    ELF,
    EVIL,
    EVIL_0,
    PLAIN,
    claiming,
    deflated,
    facts_of,
    hazards,
    look,
    replaced,
    tarred,
    without_last_member,
    zipped,
)

TORCH = zipped({"a/data.pkl": EVIL, "a/data/0": bytes(16), "a/version": b"3\n"})
WEIGHTS = save({"w": np.zeros(3, np.float32)})


def objects() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([None], object))
    data = file.getvalue()
    return data[: data.index(b"\x80")] + EVIL


def encrypted_flag(data: bytes) -> bytes:
    changed = bytearray(data)
    changed[data.index(CENTRAL) + 8] |= 1
    return bytes(changed)


def doubled(first: bytes, second: bytes) -> bytes:
    return zipped([("data.pkl", first), ("data.pkx", second)]).replace(b"data.pkx", b"data.pkl")


def commented(data: bytes, comment: bytes) -> bytes:
    return data[:-2] + struct.pack("<H", len(comment)) + comment


def literal(data: bytes) -> bytes:
    return b"\x80\x03B" + struct.pack("<I", len(data)) + data + b"."


# Each of them runs `posix.system` when it is loaded or unpacked by the tool that it is made for.
PAYLOADS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "under a foreign name": ("notes.md", lambda: EVIL),
    "without a protocol": ("weights.json", lambda: EVIL_0),
    "zip under a foreign name": ("config.json", lambda: TORCH),
    "in a storage": ("m.pt", lambda: zipped({"a/data.pkl": PLAIN, "a/data/0": EVIL})),
    "under an odd member name": ("m.pt", lambda: zipped({"a/data.pkl": PLAIN, "a/LICENSE.txt": EVIL})),
    "in a folder entry": ("m.pt", lambda: zipped({"a/data.pkl/": EVIL})),
    "deflated": ("m.pt", lambda: zipped({"a/data.pkl": EVIL}, zipfile.ZIP_DEFLATED)),
    "bzip2 member": ("m.zip", lambda: zipped({"data.pkl": EVIL}, zipfile.ZIP_BZIP2)),
    "lzma member": ("m.zip", lambda: zipped({"data.pkl": EVIL}, zipfile.ZIP_LZMA)),
    "wrong checksum": ("m.pt", lambda: TORCH.replace(struct.pack("<I", zlib.crc32(EVIL)), b"\1\1\1\1")),
    "flag of encryption": ("m.pt", lambda: encrypted_flag(TORCH)),
    "other local name": ("m.pt", lambda: replaced(TORCH, b"a/data.pkl", b"a/data.txt")),
    "other method": ("m.pt", lambda: replaced(TORCH, b"\x14\0\0\0\0\0", b"\x14\0\0\0\x08\0")),
    "first of two": ("m.pt", lambda: doubled(EVIL, PLAIN)),
    "second of two": ("m.pt", lambda: doubled(PLAIN, EVIL)),
    "not listed": ("m.zip", lambda: without_last_member(zipped({"a": b"x", "b": EVIL}))),
    "no directory": ("m.zip", lambda: TORCH[: TORCH.index(CENTRAL)]),
    "prefix": ("m.pt", lambda: b"\0" * 7 + TORCH),
    "pickle in front": ("m.zip", lambda: EVIL + zipped({"a": b"x"})),
    "in the comment": ("m.pt", lambda: commented(zipped({"a/data.pkl": PLAIN}), EVIL)),
    "in a tensor": (
        "m.safetensors",
        lambda: save({"w": np.frombuffer(EVIL, np.uint8)}),
    ),
    "behind the end": ("m.zip", lambda: zipped({"a": b"x"}) + EVIL),
    "zip in zip": ("m.zip", lambda: zipped({"a.dat": zipped({"b.dat": EVIL}, 8)}, 8)),
    "tar": ("m.nemo", lambda: tarred({"weights.ckpt": EVIL})),
    "tar, old": ("m.tar", lambda: tarred({"weights": EVIL}, tarfile.USTAR_FORMAT)),
    "tar behind tar": ("m.tar", lambda: tarred({"a": b"x"}) + tarred({"b": EVIL})),
    "tar.gz": ("m.nemo", lambda: gzip.compress(tarred({"weights.ckpt": EVIL}))),
    "zip in tar": ("m.mar", lambda: tarred({"m.pt": TORCH})),
    "gzip": ("m.joblib", lambda: gzip.compress(EVIL, mtime=0)),
    "gzip, empty stream first": (
        "m.joblib",
        lambda: gzip.compress(b"", mtime=0) + gzip.compress(EVIL, mtime=0),
    ),
    "gzip in gzip": ("m.joblib", lambda: gzip.compress(gzip.compress(EVIL, mtime=0))),
    "zlib": ("m.joblib", lambda: zlib.compress(EVIL)),
    "bzip2": ("m.joblib", lambda: bz2.compress(EVIL)),
    "xz": ("m.joblib", lambda: lzma.compress(EVIL)),
    "lzma": ("m.joblib", lambda: lzma.compress(EVIL, format=lzma.FORMAT_ALONE)),
    "zfile": ("m.joblib", lambda: b"ZF" + b"0x29".ljust(19) + zlib.compress(EVIL)),
    "compressed, cut": ("m.joblib", lambda: gzip.compress(EVIL, mtime=0)[:-4]),
    "behind a compressed file": ("m.gz", lambda: gzip.compress(PLAIN, mtime=0) + EVIL),
    "array of objects": ("m.npy", objects),
    "array of objects in npz": ("m.npz", lambda: zipped({"a.npy": objects()}, 8)),
    "in a literal": ("m.pkl", lambda: literal(EVIL)),
    "in a literal of a literal": ("m.pkl", lambda: literal(literal(EVIL))),
    "zip in a literal": ("m.pkl", lambda: literal(TORCH)),
    "base64 in a literal": ("m.pkl", lambda: literal(base64.b64encode(EVIL))),
    "zlib in base64 in a literal": ("m.pkl", lambda: literal(base64.b64encode(zlib.compress(EVIL)))),
    "behind safetensors": ("m.safetensors", lambda: WEIGHTS + EVIL),
    "zip behind safetensors": ("m.safetensors", lambda: WEIGHTS + TORCH),
    "zip in a tensor": ("m.safetensors", lambda: save({"w": np.frombuffer(TORCH, np.uint8)})),
}


@pytest.mark.parametrize("way", PAYLOADS)
def test_the_payload_is_found(way: str) -> None:
    name, make = PAYLOADS[way]
    data = make()
    inside, facts = look(data, name), facts_of(data, name)
    found = [*(inside.imports if inside else ()), *(facts.imports if facts and not facts.unread else ())]
    assert "posix.system" in {item.name for item in found}
    assert inside is None or inside.may_run or not inside.imports


STRUCTURE, ESCAPE, BOMB, NATIVE, HIDDEN = (
    HazardKind.ARCHIVE_STRUCTURE, HazardKind.ARCHIVE_ESCAPE, HazardKind.DECOMPRESSION_BOMB,
    HazardKind.NATIVE_CODE, HazardKind.HIDDEN_PAYLOAD,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("m.pt", replaced(TORCH, b"a/data.pkl", b"a/data.txt"), STRUCTURE),
        ("m.pt", doubled(PLAIN, PLAIN + b"x"), STRUCTURE),
        ("m.pt", TORCH + b"x", STRUCTURE),
        ("m.pt", b"\0" + TORCH, STRUCTURE),
        ("m.zip", zipped({"../../.bashrc": b"x"}), ESCAPE),
        ("m.tar", tarred({"/root/.bashrc": b"x"}), ESCAPE),
        ("m.zip", claiming(2**31, deflated(b"", 8 << 20)), BOMB),
        ("m.gz", b"\x1f\x8b\x08" + bytes(7) + deflated(b"", 288 << 20), BOMB),
        ("m.bin", ELF, NATIVE),
        ("m.pt", zipped({"a/data.pkl": PLAIN, "a/lib": ELF}), NATIVE),
        ("m.safetensors", WEIGHTS + TORCH, HIDDEN),
        ("m.safetensors", WEIGHTS + ELF, HIDDEN),
    ],
)  # fmt: skip
def test_a_container_built_to_deceive_is_a_hazard(name: str, data: bytes, kind: HazardKind) -> None:
    assert kind in {each for each, _ in hazards(look(data, name))}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("m.zst", b"\x28\xb5\x2f\xfd" + bytes(20)),
        ("m.joblib.lz4", b"\x04\x22\x4d\x18" + bytes(20)),
        ("m.7z", b"7z\xbc\xaf\x27\x1c" + bytes(20)),
        ("m.rar", b"Rar!\x1a\x07\x01\0" + bytes(20)),
        ("m.pt", zipped({"a/data.pkl": b"7z\xbc\xaf\x27\x1c" + bytes(20)})),
        ("m.pt", TORCH[:100]),
        ("m.tar", tarred({"a": EVIL})[:560]),
        ("m.gz", gzip.compress(EVIL, mtime=0)[:14]),
    ],
)
def test_what_cannot_be_looked_at_is_never_quiet(name: str, data: bytes) -> None:
    inside = look(data, name)
    assert inside is not None
    assert inside.defects
    assert inside.may_run
