"""content: only allowed verdicts pass; dangerous never does, and without a verdict nobody can tell."""

from __future__ import annotations

import pytest

from aibom.domain.content import Content, ContentVerdict
from aibom.domain.facts import FileKind
from aibom.domain.file import File
from tests.builders import file, weights
from tests.policy.rules.demands import MET, PATH, Unmet, estate, findings, model, refused, unmet

STRICT = "content: {allow: [safe]}"
LOOSE = "content: {allow: [safe, unknown]}"
CARD = "m/README.md"
OTHER = "m/other.bin"


def judged(verdict: ContentVerdict, path: str = PATH) -> Content:
    return Content(path=path, verdict=verdict)


SAFE = judged(ContentVerdict.SAFE)


@pytest.mark.parametrize(
    ("section", "verdict", "met"),
    [
        (STRICT, ContentVerdict.SAFE, MET),
        (STRICT, ContentVerdict.UNKNOWN, [("unknown", True)]),
        (STRICT, ContentVerdict.INCOMPLETE, [("incomplete", False)]),
        (STRICT, ContentVerdict.DANGEROUS, [("dangerous", True)]),
        (LOOSE, ContentVerdict.SAFE, MET),
        (LOOSE, ContentVerdict.UNKNOWN, MET),
        (LOOSE, ContentVerdict.INCOMPLETE, [("incomplete", False)]),
        (LOOSE, ContentVerdict.DANGEROUS, [("dangerous", True)]),
        ("content: {allow: [unknown]}", ContentVerdict.SAFE, [("safe", True)]),
    ],
)
def test_a_verdict_passes_where_it_is_allowed(section: str, verdict: ContentVerdict, met: Unmet) -> None:
    assert unmet(section, estate(model(), contents=(judged(verdict),))) == met


def test_every_file_counts() -> None:
    bad = judged(ContentVerdict.DANGEROUS, OTHER)
    (found,) = findings(LOOSE, estate(model(files=(PATH, OTHER)), contents=(SAFE, bad)))
    assert (found.location.path, found.expected) == (OTHER, "safe, unknown")
    assert found.message == "loading the file runs something dangerous"


def test_a_file_of_another_component_does_not() -> None:
    bad = judged(ContentVerdict.DANGEROUS, "elsewhere.bin")
    assert unmet(STRICT, estate(model(), contents=(SAFE, bad))) == MET


def test_what_loads_nothing_needs_no_verdict() -> None:
    card = file(CARD, "card", FileKind.CARD)
    licence = file("m/LICENSE")
    both = model(files=(PATH, CARD, "m/LICENSE"))
    assert unmet(STRICT, estate(both, files=(weights(PATH), card, licence), contents=(SAFE,))) == MET


@pytest.mark.parametrize(
    "other", [weights(OTHER), file(OTHER, "csv", FileKind.DATA), file(OTHER, "lfs", FileKind.POINTER), None]
)
def test_what_is_loaded_and_has_no_verdict_is_not_decided(other: File | None) -> None:
    files = (weights(PATH), *((other,) if other else ()))
    (found,) = findings(STRICT, estate(model(files=(PATH, OTHER)), files=files, contents=(SAFE,)))
    assert (found.decided, found.location.path) == (False, OTHER)


def test_without_any_verdict_or_file_nobody_can_tell() -> None:
    assert unmet(STRICT, estate(model())) == [("", False)]
    assert unmet(STRICT, estate(model(files=()))) == [("", False)]
    nameless = file(PATH), file(OTHER)
    assert unmet(STRICT, estate(model(files=(PATH, OTHER)), files=nameless)) == [("", False)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "needs allow"),
        ("allow: []", "empty list"),
        ("allow: [dangerous]", "'dangerous' is none of safe, unknown"),
        ("allow: [incomplete]", "'incomplete' is none of"),
        ("allow: safe", "is a list"),
        ("forbid: [unknown]", "unknown key 'forbid'"),
    ],
)
def test_bad_settings_are_refused(settings: str, words: str) -> None:
    refused(f"content: {{{settings}}}", words)
