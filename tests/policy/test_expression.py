"""An expression is true, false, or nobody can tell; whatever goes wrong, it never lets something pass."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.policy import expression
from aibom.policy.expression import EXPRESSION_CHARS, Expression, ExpressionError

NAMES = ("component.name", "component.parameters", "component.formats", "component.signed")
KNOWN: dict[str, object] = {
    "name": "acme/m", "parameters": 80_000_000_000, "formats": ["gguf"] * 300, "signed": True,
}  # fmt: skip


def value(text: str, **known: Any) -> bool | None:
    return Expression.compile(text, NAMES).evaluate({"component": known or KNOWN})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("component.parameters > 70e9", True),
        ("component.parameters > 80000000000", False),
        ("component.signed", True),
        ("!component.signed", False),
        ("component.formats.all(f, f == 'gguf') && component.name.startsWith('acme/')", True),
        ("component.formats.exists(f, f in ['pickle', 'pytorch'])", False),
        ("has(component.parameters)", True),
        ("component.name.matches('(a+)+$')", False),
    ],
)
def test_a_truth_is_told(text: str, expected: bool) -> None:
    assert value(text) is expected


def test_what_is_not_there_can_be_asked_for() -> None:
    assert value("has(component.parameters)", name="m") is False
    assert value("!has(component.parameters) || component.parameters > 3", name="m") is True


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("component.parameters > 3", {"name": "m"}),
        ("component.parameters > 3", {"parameters": "many"}),
        ("component.parameters > 3", {"parameters": None}),
        ("component.parameters > 3", {"parameters": 2**64}),
        ("component.parameters > 3", {"parameters": object()}),
        ("component.parameters / 0 > 3", {"parameters": 7}),
        ("component.parameters + 9223372036854775807 > 0", {"parameters": 7}),
        ("component.name", {"name": "NOT_FOUND: yes"}),
        ("component.name", {"name": ""}),
        ("component.formats", {"formats": ["gguf"]}),
        ("component.formats[1] == 'gguf'", {"formats": ["gguf"]}),
        ("int(component.name) > 3", {"name": "seven"}),
        ("component.name == 'm'", {"name": "\ud800"}),
        ("component.name.matches('(a{1,1000}){1,1000}')", {"name": "a"}),
        ("component.formats.all(a, component.formats.all(b, a == b))", KNOWN),
    ],
    ids=[
        "missing-field", "text-for-number", "null", "too-large", "no-such-value", "division-by-zero",
        "overflow", "text-like-an-error", "empty-text", "list", "index", "conversion", "surrogate", "pattern",
        "endless-comprehension",
    ],
)  # fmt: skip
def test_everything_else_is_unknown(text: str, known: dict[str, object]) -> None:
    assert value(text, **known) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("component.parameters >", r"Syntax error: .* at 1:23 of the expression"),
        ("component.signed &&\n  (true", r"Syntax error: .* at 2:8 of the expression"),
        ("compnent.name == 'a'", r"'compnent\.name' at 1:9 .*, did you mean 'component\.name'\?"),
        ("component.parametres > 3", r"did you mean 'component\.parameters'\?"),
        ("component.formats.exists(f, component.nam == f)", r"did you mean 'component\.name'\?"),
        ("component == 3", r"undeclared reference to 'component' at 1:1"),
        ("component.name.frob()", "undeclared reference to 'frob'"),
        ("environment.home == ''", "undeclared reference to 'environment.home'"),
        ("__import__('os')", "undeclared reference to '__import__'"),
        ("'NOT_FOUND'", "is a STRING, and has to be true or false"),
        ("[true]", "is a LIST.*, and has to be true or false"),
        ("1 + 1", "is a INT, and has to be true or false"),
        ("1 > 'a'", "no matching overload"),
        ("", "Syntax error"),
        ("true" + " || true" * 200, "longer than 1,024 characters"),
        ("(" * 500 + "true" + ")" * 500, "recursion"),
        ("component.name" + "[0]" * 300, "recursion"),
        ("\ud800", "not an expression"),
        ("[1].map(a, [a, a]).map(a, [a, a]) == []", "uses map more than once"),
    ],
    ids=[
        "unfinished", "second-line", "variable", "field", "field-in-a-macro", "all-fields", "function",
        "other", "python", "text", "list", "number", "overload", "empty", "huge", "parentheses", "indexes",
        "surrogate", "doubling",
    ],
)  # fmt: skip
def test_what_can_never_be_a_truth_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ExpressionError, match=words):
        Expression.compile(text, NAMES)


def test_the_longest_expression_is_compiled() -> None:
    text = "component.signed".ljust(EXPRESSION_CHARS)
    assert value(text) is True


def test_an_expression_that_makes_as_much_as_it_can_is_bounded() -> None:
    much = " + ".join(["component.name"] * 25)
    text = f"component.formats.map(f, {much}).all(a, a != '' && component.formats.all(b, a != b))"
    started = time.process_time()
    assert value(text, name="x" * 64, formats=["gguf"] * 500) is None
    assert time.process_time() - started < 5


def test_without_the_library_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    expression._environments.cache_clear()
    with pytest.raises(ExpressionError, match=r"pip install 'aibom\[cel\]'"):
        Expression.compile("true", NAMES)


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=6)


@given(_VALUES)
def test_only_booleans_are_truths(known: object) -> None:
    expected = known if isinstance(known, bool) else None
    assert value("component.signed", signed=known) is expected


@given(st.text(max_size=40))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    try:
        found = value(text)
    except ExpressionError:
        return
    assert found in (True, False, None)
