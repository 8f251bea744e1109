"""Which rows changed: between folders, between bills of materials, and between one of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aibom.cli.packs import allowlist, policy
from aibom.domain.check import Outcome
from aibom.domain.difference import Difference
from aibom.fingerprint.dataset import Wanted
from aibom.outputs import cyclonedx
from aibom.workflows.diff import DiffRequest, diff
from aibom.workflows.digesting import Kept
from aibom.workflows.rows import RowsRequest
from aibom.workflows.scan import ScanRequest, scan
from aibom.workflows.verify import VerifyRequest, verify
from tests.workflows.test_rows import LABEL, ROWS, jsonl, parquet

SALT = bytes(range(16))


def dataset(place: Path, rows: list[dict[str, Any]]) -> Path:
    place.mkdir(parents=True)
    jsonl(place / "a.jsonl", rows)
    parquet(place / "b.parquet", rows)
    return place


def edited() -> list[dict[str, Any]]:
    """Two labels flipped, a text changed, a row added, a row removed."""
    rows = [dict(row) for row in ROWS]
    rows[10]["label"] += 1
    rows[20]["label"] += 1
    rows[30]["text"] = "poison"
    del rows[100]
    rows.insert(50, {"id": 1_000, "text": "new", "label": 0, "score": 0.5})
    return rows


TOLD = "2 labels flipped: rows 11, 21; 1 row changed: row 31; 1 row added: row 51; 1 row removed: row 101"


def bom(place: Path, evidence: Path | None, wanted: Wanted = LABEL) -> Path:
    request = ScanRequest(
        targets=(str(place),), policy=policy(None), rows=RowsRequest(wanted=wanted), evidence=evidence
    )
    out = place.with_name(f"{place.name}.cdx.json")
    out.write_bytes(cyclonedx.render(scan(request), spec_version="1.7"))
    return out


def difference(old: Path, new: Path, **more: Any) -> Difference:
    scanning = ScanRequest(targets=(), policy=policy(None), allowlist=allowlist(()))
    return diff(DiffRequest(old=str(old), new=str(new), scanning=scanning, **more))


def details(found: Difference) -> dict[str, str]:
    return {change.subject: change.detail for change in found.changes if not change.old}


@pytest.fixture
def versions(tmp_path: Path) -> tuple[Path, Path]:
    return dataset(tmp_path / "old/data", ROWS), dataset(tmp_path / "new/data", edited())


def test_two_folders_are_compared_row_by_row(versions: tuple[Path, Path]) -> None:
    found = difference(*versions, wanted=LABEL)
    assert details(found) == {"a.jsonl": TOLD, "b.parquet": TOLD}
    assert found.missed == ()


def test_a_bill_of_materials_with_its_sidecars_stands_for_the_old_rows(
    versions: tuple[Path, Path], tmp_path: Path
) -> None:
    document = bom(versions[0], tmp_path / "kept")
    found = difference(document, versions[1], old_evidence=tmp_path / "kept")
    assert details(found) == {"a.jsonl": TOLD, "b.parquet": TOLD}


def test_two_bills_of_materials_are_compared_without_any_row(
    versions: tuple[Path, Path], tmp_path: Path
) -> None:
    documents = bom(versions[0], tmp_path / "kept"), bom(versions[1], tmp_path / "now")
    for place in versions:
        for path in place.iterdir():
            path.unlink()
    found = difference(*documents, old_evidence=tmp_path / "kept", new_evidence=tmp_path / "now")
    assert details(found) == {"a.jsonl": TOLD, "b.parquet": TOLD}


def test_labels_that_are_distributed_differently_are_told(tmp_path: Path) -> None:
    old = dataset(tmp_path / "old/data", ROWS)
    moved = [dict(row, label=0) if row["id"] % 3 == 1 and row["id"] < 150 else row for row in ROWS]
    found = details(difference(old, dataset(tmp_path / "new/data", moved), wanted=LABEL))
    assert found["b.parquet"].endswith("; 17% of label moved: 0 100 to 150, 1 100 to 50")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows[::-1], "the same 300 rows stand in another order"),
        (lambda rows: [dict(row, label=0) for row in rows], "only labels differ"),
        (lambda rows: rows[:-1], "other rows, 300 to 299"),
    ],
    ids=["shuffled", "labels", "shorter"],
)
def test_roots_alone_tell_what_kind_of_change_it_is(tmp_path: Path, change: Any, words: str) -> None:
    old, new = dataset(tmp_path / "old/data", ROWS), dataset(tmp_path / "new/data", change(ROWS))
    assert details(difference(bom(old, None), new)) == {"a.jsonl": words, "b.parquet": words}


def test_keyed_rows_need_the_salt(versions: tuple[Path, Path], tmp_path: Path) -> None:
    keyed = Wanted(labels=LABEL.labels, identity=LABEL.identity, salt=SALT, columns=False)
    document = bom(versions[0], tmp_path / "kept", keyed)
    without = difference(document, versions[1], old_evidence=tmp_path / "kept")
    assert {gap.gap.detail for gap in without.missed} == {
        "the digests of its rows are keyed: name the salt (--salt-file)"
    }
    found = difference(
        document, versions[1], old_evidence=tmp_path / "kept", wanted=Wanted(salt=SALT, columns=False)
    )
    assert details(found) == {"a.jsonl": TOLD, "b.parquet": TOLD}


def test_the_wrong_salt_makes_every_row_another_one(versions: tuple[Path, Path], tmp_path: Path) -> None:
    keyed = Wanted(salt=SALT, columns=False)
    document = bom(versions[0], tmp_path / "kept", keyed)
    wrong = Wanted(salt=bytes(16), columns=False)
    found = details(difference(document, versions[0], old_evidence=tmp_path / "kept", wanted=wrong))
    assert found == {}  # the bytes are the same, and rows are compared for other bytes only
    found = details(difference(document, versions[1], old_evidence=tmp_path / "kept", wanted=wrong))
    assert "300 rows added" in found["a.jsonl"]


def test_verification_says_which_rows_are_not_those(versions: tuple[Path, Path], tmp_path: Path) -> None:
    document = bom(versions[0], tmp_path / "kept")
    request = VerifyRequest(target=str(versions[1]), bom=document, kept=Kept(evidence=tmp_path / "kept"))
    found = verify(request)
    assert found.outcome is Outcome.CONTENT_MISMATCH
    told = {verdict.path: verdict.detail for verdict in found.statements[0].files}
    start = "the bytes are not those that the bill of materials lists; "
    assert told == {"a.jsonl": start + TOLD, "b.parquet": start + TOLD}


def test_other_bytes_of_the_same_rows_stay_a_mismatch(tmp_path: Path) -> None:
    old, new = dataset(tmp_path / "old/data", ROWS), dataset(tmp_path / "new/data", ROWS)
    (new / "a.jsonl").write_text("".join(f"{json.dumps(row)} \n" for row in ROWS))
    found = verify(VerifyRequest(target=str(new), bom=bom(old, None)))
    assert found.outcome is Outcome.CONTENT_MISMATCH
    (changed,) = [verdict for verdict in found.statements[0].files if verdict.state == "changed"]
    assert changed.detail.endswith("; other bytes, the same rows")


def test_a_forged_sidecar_is_told_and_explains_nothing(versions: tuple[Path, Path], tmp_path: Path) -> None:
    document = bom(versions[0], tmp_path / "kept")
    bom(versions[1], tmp_path / "forged")
    request = VerifyRequest(target=str(versions[1]), bom=document, kept=Kept(evidence=tmp_path / "forged"))
    details = {verdict.detail for verdict in verify(request).statements[0].files}
    assert all("does not have the digest of the sidecar" in detail for detail in details)


def test_rows_that_cannot_be_read_any_more_are_told(versions: tuple[Path, Path], tmp_path: Path) -> None:
    document = bom(versions[0], tmp_path / "kept")
    (versions[1] / "a.jsonl").write_text(json.dumps(ROWS[0]) + '\n{"id": 1, "id": 2}\n')
    (versions[1] / "b.parquet").write_bytes(b"PAR1 and no more")
    request = VerifyRequest(target=str(versions[1]), bom=document, kept=Kept(evidence=tmp_path / "kept"))
    told = {verdict.path: verdict.detail for verdict in verify(request).statements[0].files}
    assert "its rows were not compared: row 2: the key 'id' occurs twice" in told["a.jsonl"]
    assert told["b.parquet"].endswith("; it holds no rows that are read")
