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

_OPERAND, _OPERATOR, _EXCEPTION = range(3)


@cache
def _identifiers() -> dict[str, str]:
    """Every SPDX identifier (licences and exceptions) by its lower-cased spelling."""
    listed: list[str] = orjson.loads(schema.resource("spdx.SNAPSHOT.schema.json"))["enum"]
    return {identifier.lower(): identifier for identifier in listed}


def spdx_id(text: str) -> str | None:
    """The identifier, in SPDX's spelling, that a licence text or alias stands for; None when none."""
    meant = licences.spdx_of(text) or text
    return _identifiers().get(meant.strip().lower())


def unknown(identifier: str) -> bool:
    """True for an identifier that SPDX does not list and that is no `LicenseRef`."""
    return not _OWN.match(identifier) and identifier.removesuffix("+").lower() not in _identifiers()


def expression_problem(text: str) -> str | None:
    """What is wrong with an SPDX licence expression (SPDX 2.3, annex D), None when nothing.

    Precedence does not matter for validity, so a count of open parentheses is all the state.
    """
    expected, depth = _OPERAND, 0
    for word in _WORD.findall(text):
        if word == "(" and expected == _OPERAND:
            depth += 1
        elif word == ")" and expected == _OPERATOR and depth:
            depth -= 1
        elif word.upper() in _OPERATORS and expected == _OPERATOR:
            expected = _OPERAND
        elif word.upper() == "WITH" and expected == _OPERATOR:
            expected = _EXCEPTION
        elif word in ("(", ")") or word.upper() in (*_OPERATORS, "WITH") or expected == _OPERATOR:
            return f"unexpected {word!r}"
        elif unknown(word):
            return f"unknown licence {word!r}"
        else:
            expected = _OPERATOR
    if expected != _OPERATOR or depth:
        return "ends too early"
    return None
