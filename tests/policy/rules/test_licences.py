"""licences: every declared licence is allowed, and without one nobody can tell."""

from __future__ import annotations

import pytest

from aibom.domain.facts import Attribute
from tests.policy.rules.demands import DATASET, MET, Unmet, claim, estate, findings, model, refused, unmet

SECTION = "licences: {allow: [MIT, Apache-2.0, Our Licence]}"
LICENCE, NAME = Attribute.LICENCE, Attribute.LICENCE_NAME


@pytest.mark.parametrize(
    ("claims", "met"),
    [
        (((LICENCE, "mit"),), MET),
        (((LICENCE, "apache-2.0"), (NAME, "Our Licence")), MET),
        (((LICENCE, "gpl-3.0"),), [("GPL-3.0", True)]),
        (((LICENCE, "mit"), (LICENCE, "llama3.1")), [("llama3.1", True)]),
        (((LICENCE, "mit"), (NAME, "Their Licence")), [("Their Licence", True)]),
        ((), [("", False)]),
    ],
)
@pytest.mark.parametrize("kind", [None, DATASET])
def test_all_declared_licences_have_to_be_allowed(
    claims: tuple[tuple[Attribute, str], ...], met: Unmet, kind: object
) -> None:
    one = model(claims=tuple(claim(*each) for each in claims), **({"kind": kind} if kind else {}))
    assert unmet(SECTION, estate(one)) == met


def test_a_finding_says_what_is_expected() -> None:
    (found,) = findings(SECTION, estate(model(claims=(claim(LICENCE, "gpl-3.0"),))))
    assert (found.message, found.expected) == (
        "the licence GPL-3.0 is not allowed",
        "Apache-2.0, MIT, Our Licence",
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "needs allow"),
        ("allow: []", "empty list"),
        ("allow: [7]", "is a text"),
        ("allow: MIT", "is a list"),
    ],
)
def test_bad_settings_are_refused(settings: str, words: str) -> None:
    refused(f"licences: {{{settings}}}", words)
