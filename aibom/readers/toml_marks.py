"""TOML with the position of every value: `tomllib` parses, a walk over the tokens finds the places.

TOML 1.0. The walk trusts its tokens, because it runs only on what `tomllib` has accepted.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Final, TypeAlias

from aibom.domain.errors import malformed, over_limit
from aibom.domain.limits import DOCUMENT_DEPTH, MIB
from aibom.readers.marks import Count, Cursor, Node, Path

MARKED_TOML_BYTES: Final = 4 * MIB
MARKED_TOML_NODE_COUNT: Final = 100_000
_TOKEN_COUNT: Final = 4 * MARKED_TOML_NODE_COUNT
_BARE_CHARS: Final = 1_000  # a key, number or date; `tomllib` takes 140 bytes for each digit of a number

# Possessive: a hostile document makes a match fail once, never retry.
_TOKEN = re.compile(
    r"[ \t\r]++|#[^\n]*+"
    r'|(("""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}|\'\'\'(?:[^\']++|\'(?!\'\'))*+\'{3,5}'
    r'|"(?:[^"\\\n]++|\\.)*+"|\'[^\'\n]*+\')|[\[\]{},=\n.]|[^\s#"\'\[\]{},=.]++)',
    re.DOTALL,
)

Place: TypeAlias = "tuple[int, int]"  # line and column, from 1


class _Tokens:
    """The tokens of a text without blanks and comments, with line and column of each."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        self._places: list[Place] = []
        self._at = 0
        cursor = Cursor(text)
        for match in _TOKEN.finditer(text):
            if match[1] is None:
                continue
            self._tokens.append(match[1])
            self._places.append(cursor.at(match.start()))
            if len(self._tokens) > _TOKEN_COUNT:
                raise over_limit(f"TOML holds more than {_TOKEN_COUNT} tokens", match.start())
            if match[2] is None and len(match[1]) > _BARE_CHARS:
                raise over_limit(f"TOML holds a word of {len(match[1])} characters", match.start())
        self._check_depth()

    def _check_depth(self) -> None:
        """`tomllib` recurses into brackets, and takes a time that grows with the square of `a.b.c`."""
        brackets = dots = 0
        for mark, (line, _) in zip(self._tokens, self._places, strict=True):
            if mark in "[{":
                brackets += 1
            elif mark in "]}":
                brackets = max(0, brackets - 1)
            dots = dots + 1 if mark == "." else 0 if mark in "=,\n" else dots
            if max(brackets, dots) > DOCUMENT_DEPTH:
                raise over_limit(f"TOML is nested deeper than {DOCUMENT_DEPTH} levels in line {line}")

    @property
    def peek(self) -> str:
        """The next token; empty at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    @property
    def place(self) -> Place:
        return self._places[min(self._at, len(self._places) - 1)]

    def next(self) -> str:
        mark = self.peek
        self._at += 1
        return mark

    def skip(self, *marks: str) -> None:
        while self.peek in marks:
            self._at += 1

    def until(self, *marks: str) -> list[str]:
        """Everything in front of the next of the marks, or of the end."""
        passed: list[str] = []
        while self.peek not in ("", *marks):
            passed.append(self.next())
        return passed


class _Places:
    """Where the value of each path begins; a table begins at its header."""

    def __init__(self, tokens: _Tokens) -> None:
        self._tokens = tokens
        self._arrays: dict[Path, int] = {}  # arrays of tables, how many tables each has so far
        self.found: dict[Path, Place] = {(): (1, 1)}

    def walk(self) -> dict[Path, Place]:
        tokens = self._tokens
        table: Path = ()
        tokens.skip("\n")
        while tokens.peek:
            if tokens.peek == "[":
                table = self._header()
            else:
                self._pair(table)
            tokens.until("\n")
            tokens.skip("\n")
        return self.found

    def _header(self) -> Path:
        """`[a.b]` or `[[a.b]]`, with the numbers of the arrays of tables on the way."""
        tokens = self._tokens
        place = tokens.place
        tokens.next()
        array = tokens.peek == "["
        tokens.skip("[")
        path: Path = ()
        keys = self._keys("]")
        for number, key in enumerate(keys, 1):
            path = (*path, key)
            if array and number == len(keys):
                self.found.setdefault(path, place)
                self._arrays[path] = self._arrays.get(path, 0) + 1
            if path in self._arrays:
                path = (*path, self._arrays[path] - 1)
        self.found[path] = place
        return path

    def _keys(self, end: str) -> list[str]:
        return [_key(mark) for mark in self._tokens.until(end) if mark != "."]

    def _pair(self, table: Path) -> None:
        keys = self._keys("=")
        self._tokens.next()
        self._value((*table, *keys))

    def _value(self, path: Path) -> None:
        tokens = self._tokens
        self.found[path] = tokens.place
        opened = tokens.next()
        if opened == "[":
            number = 0
            tokens.skip("\n", ",")
            while tokens.peek not in ("]", ""):
                self._value((*path, number))
                number += 1
                tokens.skip("\n", ",")
            tokens.next()
        elif opened == "{":
            tokens.skip("\n", ",")
            while tokens.peek not in ("}", ""):
                self._pair(path)
                tokens.skip("\n", ",")
            tokens.next()
        else:
            tokens.until("\n", ",", "]", "}")  # the rest of a float or a date


def _key(mark: str) -> str:
    if mark.startswith('"') and "\\" in mark:
        return str(tomllib.loads(f"key = {mark}")["key"])
    return mark[1:-1] if mark[:1] in "\"'" else mark


class _Builder:
    def __init__(self, places: Mapping[Path, Place]) -> None:
        self._places = places
        self._count = Count(MARKED_TOML_NODE_COUNT, "TOML")

    def node(self, value: object, path: Path, parent: Place) -> Node:
        """What has no place of its own (the `a` of `a.b = 1`) stands where its parent does."""
        self._count.add()
        place = self._places.get(path, parent)
        if isinstance(value, dict):
            return Node({key: self.node(one, (*path, key), place) for key, one in value.items()}, *place)
        if isinstance(value, list):
            return Node([self.node(one, (*path, at), place) for at, one in enumerate(value)], *place)
        return Node(value if isinstance(value, (str, int, float)) else str(value), *place)


def document(text: str) -> Node:
    """The document as a mapping. Raises malformed or limit. Dates and times become texts.

    The caller bounds the length of the text.
    """
    text = text.replace("\r\n", "\n")
    tokens = _Tokens(text)
    try:
        values = tomllib.loads(text)
    except ValueError as error:
        raise malformed(f"not TOML: {' '.join(str(error).split())[:200]}") from None
    except RecursionError:
        raise over_limit("TOML is nested too deeply") from None
    return _Builder(_Places(tokens).walk()).node(values, (), (1, 1))
