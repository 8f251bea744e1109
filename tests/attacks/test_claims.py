"""Headers that claim what cannot be: no memory follows a claim, and no time."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from aibom.domain.errors import Reason
from aibom.domain.limits import MIB
from aibom.policy import parse_policy
from aibom.workflows.scan import ScanRequest, scan

POLICY = parse_policy(b"version: 1\nname: n\nrules: {unindexed-bytes: medium}\n")
HUGE = 2**63 - 1


def zipped(name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def npy(shape: tuple[int, ...]) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


CLAIMS = {
    "length.safetensors": struct.pack("<Q", HUGE) + b"{}",
    "entries.safetensors": struct.pack("<Q", 30_000_002) + b'{"' + b'a":0,"' * 5_000_000,
    "deep.safetensors": struct.pack("<Q", 2_000_000) + b'{"a":' + b"[" * 2_000_000,
    "tensor.safetensors": struct.pack("<Q", 70)
    + json.dumps({"a": {"dtype": "F32", "shape": [2**61], "data_offsets": [0, HUGE]}}).encode().ljust(70),
    "tensors.gguf": b"GGUF" + struct.pack("<IQQ", 3, HUGE, 0),
    "pairs.gguf": b"GGUF" + struct.pack("<IQQ", 3, 0, HUGE),
    "string.gguf": b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, HUGE),
    "shape.npy": npy((2**31, 2**31)),
    "bomb.npz": zipped("a.npy", npy((25_000_000,)) + bytes(100_000_000)),
    "memo.pkl": b"\x80\x04j" + struct.pack("<I", 2**32 - 1) + b"r" + struct.pack("<I", 2**32 - 1) + b".",
    "long.pkl": b"\x80\x04\x8e" + struct.pack("<Q", HUGE) + b"x",
    "long4.pkl": b"\x80\x04\x8b" + struct.pack("<i", 2**31 - 1) + b"x",
    "data.parquet": b"PAR1" + b"\x15\x02" * 50 + struct.pack("<I", 2**31) + b"PAR1",
    "data.arrow": b"ARROW1\0\0" + struct.pack("<I", 2**31 - 1) + b"ARROW1",
    "model.h5": b"\x89HDF\r\n\x1a\n" + b"\xff" * 200,
    "model.onnx": b"\x08\x07" + b"\x3a" + b"\xff" * 9 + b"\x01",
    "config.json": b"[" * 3_000_000,
    "README.md": b"---\n" + b"a: [" * 200_000 + b"\n---\n",
    "tokenizer.json": b'{"model": {"vocab": {' + b'"a":1,' * 100_000 + b'"b":1}}}',
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_costs_little_memory_and_ends_as_a_gap(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(CLAIMS[name])
    tracemalloc.start()
    try:
        report = scan(ScanRequest(targets=(str(tmp_path),), policy=POLICY))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * MIB
    assert [file.path for file in report.files] == [name]
    assert report.files[0].sha256 is not None
    assert Reason.INTERNAL not in {gap.reason for gap in report.gaps}
    # Two of them are only large, and are read within their bounds.
    assert report.gaps or name in ("bomb.npz", "tokenizer.json")
    for gap in report.gaps:
        assert len(gap.detail) < 500


def test_many_claims_in_one_folder_are_each_told(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.gguf").write_bytes(CLAIMS["tensors.gguf"])
    report = scan(ScanRequest(targets=(str(tmp_path),), policy=POLICY))
    assert (report.coverage.listed, report.coverage.partial, len(report.gaps)) == (300, 300, 300)
