"""Content under a foreign name: the content decides, and the name is held against it."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from aibom.policy import parse_policy
from aibom.workflows.scan import ScanRequest, scan
from tests.hostile import FIXTURES

POLICY = parse_policy(b"version: 1\nname: n\nrules: {format-mismatch: high}\n")


def rules(place: Path) -> dict[str, set[str]]:
    report = scan(ScanRequest(targets=(str(place),), policy=POLICY))
    found: dict[str, set[str]] = {file.path: set() for file in report.files}
    for finding in report.findings:
        found.setdefault(finding.location.path, set()).add(finding.rule)
    return found


class Inert:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("never",)


@pytest.mark.parametrize(
    "name", ["model.safetensors", "model.gguf", "model.onnx", "train.parquet", "weights.npz"]
)
@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_pickle_under_another_formats_name_is_found(name: str, protocol: int, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(Inert(), protocol=protocol))
    report = scan(ScanRequest(targets=(str(tmp_path),), policy=POLICY))
    assert report.files[0].format == "pickle", report.gaps
    assert [i.qualname for i in report.files[0].facts.imports] == ["print"]  # type: ignore[union-attr]
    assert {f.rule for f in report.findings} == {"format-mismatch", "unlisted-import"}


def test_safetensors_under_a_pickles_name_is_read_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(save({"w": np.zeros(3, np.float32)}))
    report = scan(ScanRequest(targets=(str(tmp_path),), policy=POLICY))
    assert report.files[0].format == "safetensors"
    assert report.components[0].tensor_count == 1


def test_ordinary_names_raise_no_alarm() -> None:
    """Every fixture has the name its own library would give it."""
    assert {p: r for p, r in rules(FIXTURES).items() if "format-mismatch" in r} == {}


def test_a_zip_behind_safetensors_is_told(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("payload.py", "print(1)")
    (tmp_path / "m.safetensors").write_bytes(save({"w": np.zeros(3, np.float32)}) + inner.getvalue())
    assert "unindexed-bytes" in rules(tmp_path)["m.safetensors"]


def test_a_name_like_weights_with_unknown_content_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"neither this nor that " * 50)
    (tmp_path / "weights.pt").write_bytes(b"neither this nor that " * 50)
    report = scan(ScanRequest(targets=(str(tmp_path),), policy=POLICY))
    assert {gap.path for gap in report.gaps} == {"model.gguf", "weights.pt"}
