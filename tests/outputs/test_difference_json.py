"""A difference as JSON."""

from __future__ import annotations

import json

from aibom.outputs.difference_json import SCHEMA, render
from tests.outputs.difference_samples import ATTACK, EQUAL, LONG, ORDINARY


def test_every_change_and_everything_missed_is_there() -> None:
    document = json.loads(render(ORDINARY))
    assert document["schema"] == SCHEMA
    assert (document["old"], document["new"]) == ("v1", "v2")
    assert document["tool"] == {"name": "aibom", "version": "1.2.3"}
    assert document["counts"] == {"component-added": 1, "weights": 2, "licence": 1}
    assert document["changes"][1] == {
        "class": "weights", "subject": "m.gguf: a", "old": "aa", "new": "bb", "detail": "one bit flipped",
    }  # fmt: skip
    assert document["missed"] == [
        {
            "side": "new", "path": "data/rows.csv", "reason": "permission-denied",
            "detail": "cannot be opened", "offset": 7,
        }
    ]  # fmt: skip
    assert document["notes"] == ["findings: a reason"]


def test_nothing_is_left_out_of_a_long_difference() -> None:
    document = json.loads(render(LONG))
    assert (len(document["changes"]), len(document["missed"])) == (600, 600)


def test_an_empty_difference_has_every_member() -> None:
    assert json.loads(render(EQUAL)) == {
        "schema": SCHEMA, "tool": {"name": "aibom", "version": "1.2.3"}, "old": "v1", "new": "v2",
        "counts": {}, "changes": [], "missed": [], "notes": [],
    }  # fmt: skip


def test_hostile_names_are_escaped() -> None:
    text = render(ATTACK)
    assert text.isascii()
    assert b"##" not in text
    assert json.loads(text)["changes"][0]["subject"].startswith("\\x1b[2J\\u202e|<img>")
