"""SPDX identifiers and expressions, with the license-expression library as the independent voice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from license_expression import ExpressionError, get_spdx_licensing

from aibom.domain import licences as known
from aibom.outputs.licences import expression_problem, spdx_id, unknown

WORDS = ["MIT", "Apache-2.0", "GPL-2.0-or-later", "AND", "OR", "(", ")"]


def test_every_identifier_that_we_give_is_on_the_list_of_the_schema() -> None:
    aliases = [*known._SPDX, *known._ALIASES]
    assert all(spdx_id(alias) == known.spdx_of(alias) for alias in aliases)


@pytest.mark.parametrize(
    ("text", "identifier"),
    [("mit", "MIT"), (" 0bsd ", "0BSD"), ("odc-by", "ODC-By-1.0"), ("llama3", None), ("", None)],
)
def test_an_identifier_is_given_in_the_spelling_of_spdx(text: str, identifier: str | None) -> None:
    assert spdx_id(text) == identifier


@pytest.mark.parametrize(
    ("identifier", "is_unknown"),
    [("MIT", False), ("mit", False), ("GPL-2.0+", False), ("LicenseRef-x", False), ("LicenseRef-", True),
     ("DocumentRef-a:LicenseRef-b", False), ("Nope", True)],
)  # fmt: skip
def test_unknown_identifiers(identifier: str, is_unknown: bool) -> None:
    assert unknown(identifier) is is_unknown


@pytest.mark.parametrize(
    "text",
    [
        "MIT",
        "MIT OR Apache-2.0",
        "(MIT AND (ISC))",
        "mit or isc",
        "GPL-2.0-only WITH Classpath-exception-2.0",
    ],
)
def test_expressions(text: str) -> None:
    assert expression_problem(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "too early"),
        ("MIT OR", "too early"),
        ("(MIT", "too early"),
        ("MIT WITH", "too early"),
        ("MIT)", "unexpected ')'"),
        ("MIT ISC", "unexpected 'ISC'"),
        ("OR MIT", "unexpected 'OR'"),
        ("()", "unexpected ')'"),
        ("MIT WITH (ISC)", "unexpected '('"),
        ("MIT OR Nope", "unknown licence 'Nope'"),
        ("(" * 100_000, "too early"),
    ],
)
def test_what_is_wrong_with_an_expression(text: str, words: str) -> None:
    assert words in (expression_problem(text) or "")


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join))
def test_the_same_expressions_are_accepted_as_by_the_library(text: str) -> None:
    try:
        get_spdx_licensing().parse(text, validate=True, strict=True)
        accepted = True
    except ExpressionError:
        accepted = False
    assert (expression_problem(text) is None) == accepted
