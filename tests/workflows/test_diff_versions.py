"""Pairs of versions with known edits: `aibom diff` finds each of them, and nothing else."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from aibom.cli.packs import allowlist, policy
from aibom.domain.difference import CLASSES, Difference
from aibom.workflows.diff import DiffRequest, diff
from aibom.workflows.scan import ScanRequest
from tests.hostile import FIXTURES

SCRIPT: dict[str, Any] = runpy.run_path(str(FIXTURES / "scripts/make_versions.py"))
EDITS, EXPECTED = SCRIPT["EDITS"], SCRIPT["EXPECTED"]
# Edits of the classes that need a history of their own, or a signature: see test_diff.py.
ELSEWHERE = {"revision", "signer", "component-removed"}


def difference(old: Path, new: Path) -> Difference:
    scanning = ScanRequest(targets=(), policy=policy(None), allowlist=allowlist(()))
    return diff(DiffRequest(old=str(old), new=str(new), scanning=scanning))


def test_every_edit_has_an_expectation_and_every_class_an_edit() -> None:
    assert EDITS.keys() == EXPECTED.keys()
    expected = {kind for rows in EXPECTED.values() for kind, _, _ in rows}
    assert expected == set(map(str, CLASSES)) - ELSEWHERE


@pytest.mark.parametrize("edit", EDITS)
def test_exactly_the_edit_is_found(edit: str, tmp_path: Path) -> None:
    found = difference(*SCRIPT["make"](tmp_path, edit))
    told = [(str(change.kind), change.subject) for change in found.changes]
    assert told == [(kind, subject) for kind, subject, _ in EXPECTED[edit]]
    for change, (_, _, words) in zip(found.changes, EXPECTED[edit], strict=True):
        assert words in change.detail
    assert (found.missed, found.notes) == ((), ())


@pytest.mark.parametrize("edit", EDITS)
def test_the_way_back_is_found_as_well(edit: str, tmp_path: Path) -> None:
    old, new = SCRIPT["make"](tmp_path, edit)
    there, back = difference(old, new), difference(new, old)
    assert len(there.changes) == len(back.changes)
    values = {(change.old, change.new) for change in there.changes if change.kind != "file"}
    assert values == {(change.new, change.old) for change in back.changes if change.kind != "file"}


def test_all_edits_at_once_on_different_files_are_all_found(tmp_path: Path) -> None:
    together = (
        "label-file",
        "labels-flipped",
        "low-rank",
        "chat-template",
        "configuration",
        "licence",
        "pickle",
    )
    old, new = SCRIPT["make"](tmp_path, "nothing")
    for edit in together:
        EDITS[edit](new)
    found = [(str(change.kind), change.subject) for change in difference(old, new).changes]
    expected = [(kind, subject) for edit in together for kind, subject, _ in EXPECTED[edit]]
    assert sorted(found) == sorted(expected)
