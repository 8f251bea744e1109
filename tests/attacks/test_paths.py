"""Names and links that lead elsewhere: nothing outside is opened, and each attempt is told."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from safetensors.numpy import save_file

from aibom.domain.errors import Reason
from aibom.domain.report import Report
from aibom.policy import parse_policy
from aibom.workflows.scan import ScanRequest, scan

POLICY = parse_policy(b"version: 1\nname: n\nrules: {outside-reference: high}\n")


def run(place: Path) -> Report:
    return scan(ScanRequest(targets=(str(place),), policy=POLICY))


def rules(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_bytes(b"the key" * 100)
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("target", ["../secret", "sub/../../secret"])
def test_a_link_out_of_the_target_is_a_gap_and_is_not_read(target: str, place: Path) -> None:
    (place / "sub").mkdir()
    (place / "model.safetensors").symlink_to(target)
    report = run(place)
    assert report.files == ()
    assert [gap.reason for gap in report.gaps] == [Reason.OUTSIDE_TARGET]


def test_an_absolute_link_out_of_the_target_is_a_gap(place: Path) -> None:
    (place / "model.bin").symlink_to("/etc/passwd")
    assert [gap.reason for gap in run(place).gaps] == [Reason.OUTSIDE_TARGET]


def test_links_in_circles_end(place: Path) -> None:
    (place / "a").mkdir()
    (place / "a" / "up").symlink_to("..")
    (place / "self").symlink_to("self")
    report = run(place)
    assert report.coverage.unread == len(report.gaps) >= 2
    assert {gap.reason for gap in report.gaps} == {Reason.LINK_LOOP}


def test_a_pipe_does_not_block_the_scan(place: Path) -> None:
    os.mkfifo(place / "model.safetensors")
    assert [gap.reason for gap in run(place).gaps] == [Reason.SPECIAL_FILE]


def external(location: str) -> bytes:
    """An ONNX model whose one tensor lies at `location`."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", "0"), ("length", "8")):
        tensor.external_data.add(key=key, value=value)
    graph = helper.make_graph([], "g", [], [], [tensor])
    return bytes(
        helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)]).SerializeToString()
    )


@pytest.mark.parametrize(
    "location", ["../secret", "/etc/passwd", "a/../../secret", "C:\\secret", "file:///etc/passwd"]
)
def test_external_data_out_of_the_folder_is_a_finding_and_is_not_read(location: str, place: Path) -> None:
    (place / "model.onnx").write_bytes(external(location))
    report = run(place)
    assert "outside-reference" in rules(report)
    assert [file.path for file in report.files] == ["model.onnx"]


def test_an_index_that_names_shards_elsewhere_is_a_finding(place: Path) -> None:
    (place / "model.safetensors.index.json").write_text(
        '{"weight_map": {"w": "../secret", "v": "/etc/passwd"}}'
    )
    report = run(place)
    assert "outside-reference" in rules(report)
    assert {file.path for file in report.files} == {"model.safetensors.index.json"}


def test_members_that_would_leave_an_archive_are_told(place: Path) -> None:
    with zipfile.ZipFile(place / "weights.npz", "w") as archive:
        archive.writestr("../../evil.npy", b"\x93NUMPY")
        archive.writestr("ok.npy", b"\x93NUMPY")
    assert any("leaves the archive" in gap.detail for gap in run(place).gaps)
    assert sorted(p.name for p in place.parent.rglob("*.npy")) == []


def cache(place: Path, blob_name: str, content: bytes, file: str) -> Path:
    """A repository in the layout of the Hugging Face cache with one file."""
    repository = place / "models--org--name"
    snapshot = repository / "snapshots" / ("c" * 40)
    (repository / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    (repository / "blobs" / blob_name).write_bytes(content)
    (snapshot / file).symlink_to(f"../../blobs/{blob_name}")
    return snapshot


def test_a_swapped_blob_of_the_cache_is_found(place: Path) -> None:
    save_file({"w": np.zeros(4, np.float32)}, place.parent / "evil")
    snapshot = cache(place, "a" * 64, (place.parent / "evil").read_bytes(), "model.safetensors")
    report = run(snapshot)
    (finding,) = [f for f in report.findings if f.rule == "digest-mismatch"]
    assert (finding.expected, finding.severity.label) == ("a" * 64, "critical")


def test_a_true_blob_of_the_cache_is_verified_by_git_as_well(place: Path) -> None:
    # `printf 'hello\n' | git hash-object --stdin`
    report = run(cache(place, "ce013625030ba8dba906f756967f9e9ca394464a", b"hello\n", "notes.txt"))
    assert [(c.outcome, c.identity) for c in report.checks] == [("verified", "claimed git-sha1")]
    assert report.findings == ()


def test_a_snapshot_that_links_out_of_its_repository_is_a_gap(place: Path) -> None:
    snapshot = cache(place, "a" * 64, b"x", "a.txt")
    (snapshot / "model.safetensors").symlink_to(place.parent / "secret")
    (snapshot / "config.json").symlink_to("../../../../secret")
    reasons = [gap.reason for gap in run(snapshot).gaps]
    assert reasons.count(Reason.OUTSIDE_TARGET) == 2
