"""bom: what a bill of materials has to state, as a whole and for each model and dataset."""

from __future__ import annotations

import pytest

from aibom.domain.component import ComponentKind
from aibom.domain.facts import Attribute
from aibom.domain.target import Tool
from tests.builders import report
from tests.policy.rules.demands import (
    DATASET,
    MET,
    PATH,
    PURL,
    claim,
    estate,
    findings,
    gap,
    model,
    refused,
    replace,
    unmet,
)

WORDS = ["timestamp", "tool", "purl", "version", "digests", "licences"]
ALL = f"bom: {{require: [{', '.join(WORDS)}]}}"
LICENSED = (claim(Attribute.LICENCE, "mit"),)
WHOLE = model(claims=LICENSED)
FULL = estate(WHOLE, timestamp="2026-01-01T00:00:00Z")


def test_a_full_inventory_passes() -> None:
    assert unmet(ALL, FULL) == MET
    assert unmet(ALL, replace(FULL, components=(replace(WHOLE, kind=DATASET),))) == MET


@pytest.mark.parametrize("timestamp", [None, ""])
def test_without_a_day_it_does_not(timestamp: str | None) -> None:
    (found,) = findings(ALL, replace(FULL, timestamp=timestamp))
    assert (found.found, found.expected, found.decided) == ("absent", "timestamp", True)
    assert found.message == "the inventory has no timestamp"


def test_without_a_tool_it_does_not() -> None:
    (found,) = findings(ALL, replace(FULL, tool=Tool(name="", version="")))
    assert (found.found, found.expected, found.decided) == ("absent", "tool", True)


@pytest.mark.parametrize(
    ("parts", "missing"),
    [
        ({"stated_purl": None, "version": "1"}, ["purl"]),
        ({"stated_purl": "pkg:huggingface/acme/m"}, ["version"]),
        ({"stated_purl": None}, ["purl", "version"]),
        ({"files": ()}, ["digests"]),
        ({"claims": ()}, ["licences"]),
        ({"claims": (claim(Attribute.LICENCE, "other"),)}, ["licences"]),
    ],
)
def test_without_a_part_of_one_component_it_does_not(parts: dict[str, object], missing: list[str]) -> None:
    one = model(**({"claims": LICENSED} | parts))
    found = findings(ALL, estate(WHOLE, replace(one, id="model-2"), timestamp="2026-01-01"))
    assert sorted(each.expected for each in found) == missing
    assert {(each.decided, each.found) for each in found} == {(True, f"absent: {one.purl or one.name}")}


def test_a_finding_says_which_component_it_is_about() -> None:
    (found,) = findings(ALL, replace(FULL, components=(replace(WHOLE, claims=()),)))
    assert found.message == f"no licences of {PURL} is told"
    assert found.location.path == PATH


@pytest.mark.parametrize("word", WORDS)
def test_only_what_is_demanded_is_asked_for(word: str) -> None:
    bare = estate(model(stated_purl=None, files=()))
    (found,) = findings(f"bom: {{require: [{word}]}}", replace(bare, tool=Tool(name="", version="")))
    assert found.expected == word


def test_what_was_not_read_may_be_there() -> None:
    bare = replace(WHOLE, claims=(), complete=False)
    (found,) = findings(ALL, replace(FULL, components=(bare,)))
    assert (found.decided, found.message) == (
        False,
        f"no licences of {PURL} is told, and a part of it was not read",
    )
    assert (
        unmet(ALL, replace(FULL, gaps=(gap(PATH),), components=(replace(WHOLE, claims=()),)))[0][1] is False
    )
    (found,) = findings(ALL, replace(FULL, files=()))
    assert (found.expected, found.decided) == ("digests", False)


def test_an_inventory_without_models_and_datasets_is_not_decided() -> None:
    code = replace(WHOLE, kind=ComponentKind.CODE, claims=())
    assert unmet("bom: {require: [purl]}", estate(code)) == [("empty", False)]
    assert unmet("bom: {require: [tool]}", report()) == MET


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "needs require"),
        ("require: []", "empty list"),
        ("require: [serial-number]", "'serial-number' is none of timestamp, tool"),
        ("require: [license]", "did you mean 'licences'"),
        ("require: tool", "is a list"),
        ("needs: [tool]", "unknown key 'needs'"),
    ],
)
def test_bad_settings_are_refused(settings: str, words: str) -> None:
    refused(f"bom: {{{settings}}}", words)
