"""Differences as values."""

from __future__ import annotations

from aibom.domain.difference import CLASSES, Change, ChangeClass, Difference
from aibom.domain.target import Tool


def test_changes_are_in_the_order_of_the_classes_then_of_the_subjects() -> None:
    changes = [Change(kind=kind, subject=subject) for kind in reversed(CLASSES) for subject in ("b", "a")]
    ordered = sorted(changes, key=lambda change: change.order)
    assert [change.kind for change in ordered[::2]] == list(CLASSES)
    assert [change.subject for change in ordered[:4]] == ["a", "b", "a", "b"]


def test_only_classes_with_changes_are_counted() -> None:
    changes = tuple(Change(kind=ChangeClass.WEIGHTS, subject=name) for name in "ab")
    found = Difference(old="", new="", tool=Tool(name="aibom", version="1"), changes=changes)
    assert found.counts() == ((ChangeClass.WEIGHTS, 2),)
