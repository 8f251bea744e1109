"""Fingerprints and sidecars in a bill of materials: what we write is read again, all else says nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.dataset import RowForm
from aibom.domain.evidence import EvidenceKind
from aibom.inventory.bom import read_bom

DIGEST = "ab" * 32
ROWS = {
    "name": "a.csv", "form": "typed", "keyed": False, "rows": 5, "bytes": 50, "blocks": 1, "root": DIGEST,
    "multiset": DIGEST, "schema": None, "key": None, "labels": ["label"], "rowIds": ["id"],
    "sidecar": {"name": "a.csv.rows", "sha256": DIGEST, "proof": DIGEST},
}  # fmt: skip


def bom(told: str, references: list[object] | None = None, count: str = "5") -> bytes:
    file = {
        "type": "data",
        "bom-ref": "file:a.csv",
        "name": "a.csv",
        "hashes": [{"alg": "SHA-256", "content": DIGEST}],
        "externalReferences": references or [],
        "properties": [
            {"name": "aibom:file:size", "value": "9"},
            {"name": "aibom:file:rows", "value": count},
        ],
    }
    dataset = {
        "type": "data",
        "bom-ref": "component:1",
        "name": "data",
        "components": [file],
        "properties": [{"name": "aibom:dataset:rows", "value": told}],
    }
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.7", "components": [dataset]}).encode()


def test_what_we_write_is_read_again() -> None:
    listed = read_bom(bom(json.dumps(ROWS)))
    (rows,), (evidence,) = listed.rows, listed.evidence
    assert (rows.name, rows.files, rows.labels, rows.identity) == (
        "a.csv", (("a.csv", 5),), ("label",), ("id",),
    )  # fmt: skip
    assert (rows.fingerprint.form, rows.fingerprint.root, rows.fingerprint.key) == (
        RowForm.TYPED, DIGEST, None,
    )  # fmt: skip
    assert (evidence.kind, evidence.subject, evidence.name, evidence.proof) == (
        EvidenceKind.ROWS, "a.csv", "a.csv.rows", DIGEST,
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"root": "short"}, {"root": None}, {"form": "other"}, {"rows": -1}, {"blocks": 9},
        {"sidecar": {"name": "../a"}}, {"sidecar": {"name": "/etc/a"}}, {"multiset": "x" * 64},
    ],
    ids=["short", "none", "form", "negative", "blocks", "climbs", "absolute", "no-hex"],
)  # fmt: skip
def test_what_is_no_fingerprint_says_nothing(change: dict[str, object]) -> None:
    listed = read_bom(bom(json.dumps(ROWS | change)))
    assert (listed.rows, listed.evidence) == ((), [])


@pytest.mark.parametrize("count", ["", "-5", "five", "9" * 40, "٣"])
def test_a_count_that_is_none_leaves_the_file_without_rows(count: str) -> None:
    (rows,) = read_bom(bom(json.dumps(ROWS), count=count)).rows
    assert rows.files == ()


def test_the_sidecar_of_a_weight_file_is_found_by_its_reference() -> None:
    reference = {
        "type": "evidence",
        "url": "sub%20folder/a.csv.fingerprint.json",
        "hashes": [{"alg": "SHA-256", "content": DIGEST.upper()}],
    }
    listed = read_bom(bom("", [reference]))
    (evidence,) = listed.evidence
    assert (evidence.kind, evidence.subject, evidence.name, evidence.sha256) == (
        EvidenceKind.TENSORS, "a.csv", "sub folder/a.csv.fingerprint.json", DIGEST,
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"url": "../../x.fingerprint.json"},
        {"url": "%2Fx.fingerprint.json"},
        {"type": "other"},
        {"hashes": []},
    ],
    ids=["climbs", "absolute", "other-type", "no-digest"],
)
def test_a_reference_that_is_no_sidecar_is_left_out(change: dict[str, object]) -> None:
    reference = {
        "type": "evidence",
        "url": "a.fingerprint.json",
        "hashes": [{"alg": "SHA-256", "content": DIGEST}],
    }
    assert read_bom(bom("", [reference | change])).evidence == []


@given(
    st.text(max_size=200)
    | st.builds(
        json.dumps,
        st.dictionaries(
            st.sampled_from(list(ROWS)), st.integers() | st.text() | st.none() | st.lists(st.integers())
        ),
    )
)
def test_no_property_breaks_the_reading(told: str) -> None:
    read_bom(bom(told))
