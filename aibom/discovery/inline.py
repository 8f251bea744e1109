"""Python programs inside of other files: `python -c`, here-documents, steps of pipelines."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from aibom.discovery import python
from aibom.discovery.command import UNPINNED
from aibom.discovery.found import Found, Text
from aibom.discovery.naming import certain
from aibom.discovery.targets import Target
from aibom.domain.errors import UnreadableError
from aibom.domain.reference import Reference
from aibom.readers.marks import UNKNOWN

_LEADING = re.compile(r"(?:[ \t]*\\?\r?\n)*([ \t]*)")
_LETTER: Final = "\u03bb"  # for what is not known: part of a name in Python, of no repository


def python_in(code: str, line: int, found: Found, source: Sequence[str] = ()) -> None:
    """References of a program that begins in a line of the file.

    `source` are the lines of the file; with them columns are told, for lines that stand in it as they are.
    """
    blank = _LEADING.match(code)
    if blank is not None:
        line += blank[0].count("\n")
        code = textwrap.dedent(blank[1] + code[blank.end() :])
    data = code.replace(UNKNOWN, _LETTER).encode("utf-8", "replace")
    if not python.hint(data):
        return
    inner = Found(path=found.path)
    try:
        python.references_in(python.parse(data), Text(path=inner.path, data=data), inner)
    except UnreadableError as error:
        found.defect(error.reason, f"Python in line {line}: {error.message}")
    for defect in inner.defects:
        found.defect(defect.reason, f"Python in line {line}: {defect.message}")
    lines = code.split("\n")
    for one in inner.references:
        number = one.location.line or 1
        at = line + number - 1
        offset = _offset(source, at, lines[number - 1])
        column = None if offset is None else offset + (one.location.column or 1)
        target = _known(one) if UNKNOWN in code else Target(ref=one.target, flags=one.flags)
        found.add(one.kind, target.ref, one.loader, at, column, flags=target.flags, confidence=one.confidence)


def _known(one: Reference) -> Target:
    """What is certain of a target that can have the letter in it."""
    ref = one.target
    if ref is None:
        return Target(ref=None, flags=one.flags)
    parts = {"location": ref.location, "revision": ref.revision, "subpath": ref.subpath}
    filled = {name: part.replace(_LETTER, UNKNOWN) for name, part in parts.items() if part is not None}
    found = certain(Target(ref=replace(ref, **filled), flags=one.flags))
    return found if found.ref is not None else Target(ref=None, flags=one.flags - UNPINNED)


def _offset(source: Sequence[str], line: int, text: str) -> int | None:
    """How far a line of the program is indented in the file."""
    at = source[line - 1].find(text) if text and line <= len(source) else -1
    return at if at >= 0 else None
