"""Sidecars of weights: a scan writes them, and later they say which tensor changed, without the old bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from aibom.cli.packs import allowlist, policy
from aibom.domain.check import Outcome
from aibom.domain.difference import Difference
from aibom.outputs import cyclonedx
from aibom.workflows.diff import DiffRequest, diff
from aibom.workflows.digesting import Kept
from aibom.workflows.scan import ScanRequest, scan
from aibom.workflows.verify import VerifyRequest, verify
from tests.workflows.test_scan import POLICY

TENSORS = {
    "embed.weight": np.arange(600_000, dtype=np.float32).reshape(600, 1_000),
    "norm.weight": np.ones(64, np.float32),
}


def model(place: Path, tensors: dict[str, Any] | None = None, metadata: dict[str, str] | None = None) -> Path:
    place.mkdir(parents=True)
    save_file(TENSORS if tensors is None else tensors, place / "model.safetensors", metadata)
    (place / "config.json").write_text('{"model_type": "bert"}')
    return place


def bom(place: Path, evidence: Path | None) -> Path:
    out = place.with_name(f"{place.name}.cdx.json")
    report = scan(ScanRequest(targets=(str(place),), policy=POLICY, evidence=evidence))
    assert report.gaps == ()
    out.write_bytes(cyclonedx.render(report, spec_version="1.7"))
    return out


def edited(name: str, at: int) -> dict[str, Any]:
    changed = {key: value.copy() for key, value in TENSORS.items()}
    changed[name].reshape(-1)[at] += 1
    return changed


def mismatch(target: Path, document: Path, folder: Path | None) -> str:
    found = verify(VerifyRequest(target=str(target), bom=document, kept=Kept(evidence=folder)))
    assert found.outcome is Outcome.CONTENT_MISMATCH
    (changed,) = [verdict for verdict in found.statements[0].files if verdict.state == "changed"]
    return changed.detail


def difference(old: Path, new: Path, **more: Any) -> Difference:
    scanning = ScanRequest(targets=(), policy=policy(None), allowlist=allowlist(()))
    return diff(DiffRequest(old=str(old), new=str(new), scanning=scanning, **more))


def test_the_bill_of_materials_names_the_sidecar_with_its_digest(tmp_path: Path) -> None:
    document = json.loads(bom(model(tmp_path / "old"), tmp_path / "kept").read_text())
    files = [file for component in document["components"] for file in component.get("components", [])]
    (reference,) = next(f["externalReferences"] for f in files if f["name"] == "model.safetensors")
    assert (reference["type"], reference["url"]) == ("evidence", "model.safetensors.fingerprint.json")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["model.safetensors.fingerprint.json"]


def test_a_scan_with_evidence_finds_the_same_digests_and_asks_no_cache(tmp_path: Path) -> None:
    place = model(tmp_path / "old")
    cache = tmp_path / "cache.sqlite"
    plain = scan(ScanRequest(targets=(str(place),), policy=POLICY, cache=cache))
    again = scan(ScanRequest(targets=(str(place),), policy=POLICY, cache=cache, evidence=tmp_path / "kept"))
    assert [file.tensor_digests for file in again.files] == [file.tensor_digests for file in plain.files]
    assert len(again.evidence) == 1


@pytest.mark.parametrize(
    ("tensor", "at", "words"),
    [
        ("embed.weight", 300_000, "embed.weight: bytes 1,048,576 to 2,097,151 of 2,400,000"),
        ("norm.weight", 3, "norm.weight: bytes 0 to 255 of 256"),
    ],
)
def test_verification_says_which_mebibyte_of_which_tensor_changed(
    tmp_path: Path, tensor: str, at: int, words: str
) -> None:
    document = bom(model(tmp_path / "old"), tmp_path / "kept")
    told = mismatch(model(tmp_path / "new", edited(tensor, at)), document, tmp_path / "kept")
    assert told == f"the bytes are not those that the bill of materials lists; {words}"


def test_other_metadata_alone_is_told_as_that(tmp_path: Path) -> None:
    document = bom(model(tmp_path / "old"), tmp_path / "kept")
    told = mismatch(model(tmp_path / "new", metadata={"note": "again"}), document, tmp_path / "kept")
    assert "metadata only" in told


def test_without_the_folder_nothing_more_is_told(tmp_path: Path) -> None:
    document = bom(model(tmp_path / "old"), tmp_path / "kept")
    new = model(tmp_path / "new", edited("norm.weight", 3))
    for folder in (None, tmp_path / "elsewhere"):
        assert mismatch(new, document, folder) == "the bytes are not those that the bill of materials lists"


def test_a_sidecar_that_is_not_the_one_explains_nothing(tmp_path: Path) -> None:
    document = bom(model(tmp_path / "old"), tmp_path / "kept")
    new = model(tmp_path / "new", edited("norm.weight", 3))
    bom(new, tmp_path / "kept")
    assert "were not compared: the sidecar does not have the expected SHA-256" in mismatch(
        new, document, tmp_path / "kept"
    )


def test_a_file_that_holds_no_tensors_any_more_is_told(tmp_path: Path) -> None:
    document = bom(model(tmp_path / "old"), tmp_path / "kept")
    new = model(tmp_path / "new")
    (new / "model.safetensors").write_bytes(b"nothing")
    assert "its tensors were not compared: 8 bytes expected, 7 left" in mismatch(
        new, document, tmp_path / "kept"
    )


def test_a_comparison_with_a_bill_of_materials_names_the_tensor(tmp_path: Path) -> None:
    document = bom(model(tmp_path / "old"), tmp_path / "kept")
    new = model(tmp_path / "new", edited("norm.weight", 3))
    found = difference(document, new, old_evidence=tmp_path / "kept")
    (change,) = [change for change in found.changes if change.kind == "weights"]
    assert change.subject == "model.safetensors: norm.weight"
    assert found.missed == ()


def test_two_bills_of_materials_are_compared_tensor_by_tensor(tmp_path: Path) -> None:
    documents = (
        bom(model(tmp_path / "old"), tmp_path / "kept"),
        bom(model(tmp_path / "new", edited("embed.weight", 0)), tmp_path / "now"),
    )
    found = difference(*documents, old_evidence=tmp_path / "kept", new_evidence=tmp_path / "now")
    (change,) = [change for change in found.changes if change.kind == "weights"]
    assert (change.subject, change.detail) == ("model.safetensors: embed.weight", "other values")


def test_a_sidecar_that_is_not_the_one_is_missed_in_a_comparison(tmp_path: Path) -> None:
    document = bom(model(tmp_path / "old"), tmp_path / "kept")
    new = model(tmp_path / "new", edited("norm.weight", 3))
    bom(new, tmp_path / "kept")
    found = difference(document, new, old_evidence=tmp_path / "kept")
    assert [(missed.side, missed.gap.path) for missed in found.missed] == [("old", "model.safetensors")]
