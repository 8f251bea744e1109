"""formats: every file that holds or steers weights and data is of an allowed format."""

from __future__ import annotations

import pytest

from aibom.domain.facts import FileKind
from aibom.domain.file import File
from tests.builders import file, weights
from tests.policy.rules.demands import DATASET, MET, PATH, Unmet, estate, findings, model, refused, unmet

SECTION = "formats: {allow: [safetensors, gguf]}"


def test_allowed_formats_pass() -> None:
    assert unmet(SECTION, estate(model())) == MET
    assert unmet(SECTION, estate(model(), files=(weights(PATH, "gguf"),))) == MET


@pytest.mark.parametrize(
    ("one", "met"),
    [
        (weights(PATH, "pickle"), [("pickle", True)]),
        (file(PATH, "csv", FileKind.DATA), [("csv", True)]),
        (file(PATH, "lfs-pointer", FileKind.POINTER), [("lfs-pointer", True)]),
        (file(PATH, "zip", FileKind.ARCHIVE), [("zip", True)]),
        (file(PATH), [("", False)]),
        (file(PATH, "card", FileKind.CARD), MET),
        (file(PATH, "transformers-config", FileKind.CONFIG), MET),
    ],
)
def test_another_format_does_not(one: File, met: Unmet) -> None:
    assert unmet(SECTION, estate(model(), files=(one,))) == met
    assert unmet(SECTION, estate(model(kind=DATASET), files=(one,))) == met


def test_what_was_not_looked_at_is_not_decided() -> None:
    assert unmet(SECTION, estate(model(files=()))) == [("", False)]
    assert unmet(SECTION, estate(model(files=(PATH, "b")), files=(weights(PATH),))) == [("", False)]


def test_a_finding_says_which_file_and_what_is_expected() -> None:
    (found,) = findings(SECTION, estate(model(), files=(weights(PATH, "pickle"),)))
    assert (found.location.path, found.expected) == (PATH, "gguf, safetensors")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "needs allow"),
        ("allow: []", "empty list"),
        ("allow: [7]", "is a text"),
        ("allow: x", "is a list"),
    ],
)
def test_bad_settings_are_refused(settings: str, words: str) -> None:
    refused(f"formats: {{{settings}}}", words)
