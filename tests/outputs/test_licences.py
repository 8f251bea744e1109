"""SPDX identifiers and expressions, with the license-expression library as the independent voice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from license_expression import get_spdx_licensing

from aibom.domain import licences as known
from aibom.outputs.licences import expression_problem, spdx_id, unknown

LIBRARY = get_spdx_licensing()
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
def test_nothing_else_is_accepted_than_what_the_library_accepts(text: str) -> None:
    if expression_problem(text) is None:
        assert LIBRARY.parse(text, validate=True, strict=True) is not None


EXPRESSIONS = st.recursive(
    st.sampled_from(["MIT", "ISC", "GPL-2.0-only WITH Classpath-exception-2.0"]),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR"]), inner),
    max_leaves=6,
)


@settings(deadline=None)
@given(EXPRESSIONS, st.sampled_from(["AND", "OR"]), EXPRESSIONS)
def test_every_well_formed_expression_is_accepted(left: str, operator: str, right: str) -> None:
    assert expression_problem(f"{left} {operator} {right}") is None
