"""SPDX licence identifiers and expressions, against the list that the CycloneDX schema holds."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import orjson

from aibom.domain import licences
from aibom.outputs import schema

_WORD = re.compile(r"\s*([()]|[^\s()]+)")
_OWN = re.compile(r"(?:DocumentRef-[A-Za-z0-9.-]+:)?(?:LicenseRef|AdditionRef)-[A-Za-z0-9.-]+\Z")
_OPERATORS: Final = frozenset({"AND", "OR"})

_OPERAND, _OPERATOR, _EXCEPTION = "operand", "operator", "exception"


@cache
def _identifiers() -> dict[str, str]:
    """Every SPDX identifier (licences and exceptions) by its lower-cased spelling."""
    listed: list[str] = orjson.loads(schema.resource("spdx.SNAPSHOT.schema.json"))["enum"]
    return {identifier.lower(): identifier for identifier in listed}


def spdx_id(text: str) -> str | None:
    """The identifier, in SPDX's spelling, that a licence text or alias stands for; None when none."""
    meant = licences.spdx_of(text) or text
    return _identifiers().get(meant.strip().lower())


_NAME: Final = "name"
# What may follow: (word, what was expected) to (what is expected next, change of depth).
_STEPS: Final = {
    ("(", _OPERAND): (_OPERAND, 1),
    (")", _OPERATOR): (_OPERATOR, -1),
    (_OPERATOR, _OPERATOR): (_OPERAND, 0),
    ("WITH", _OPERATOR): (_EXCEPTION, 0),
    (_NAME, _OPERAND): (_OPERATOR, 0),
    (_NAME, _EXCEPTION): (_OPERATOR, 0),
}


def unknown(identifier: str) -> bool:
    """True for an identifier that SPDX does not list and that is no `LicenseRef`."""
    return not _OWN.match(identifier) and identifier.removesuffix("+").lower() not in _identifiers()


def expression_problem(text: str) -> str | None:
    """What is wrong with an SPDX licence expression (SPDX 2.3, annex D), None when nothing.

    Precedence does not matter for validity, so a count of open parentheses is all the state.
    """
    expected, depth = _OPERAND, 0
    for word in _WORD.findall(text):
        kind = _kind(word)
        step = _STEPS.get((kind, expected))
        if step is None or depth + step[1] < 0:
            return f"unexpected {word!r}"
        if kind == _NAME and unknown(word):
            return f"unknown licence {word!r}"
        expected, depth = step[0], depth + step[1]
    return "ends too early" if expected != _OPERATOR or depth else None


def _kind(word: str) -> str:
    upper = word.upper()
    if upper in _OPERATORS:
        return _OPERATOR
    return upper if upper in ("(", ")", "WITH") else _NAME
