"""Where the members of a JSON object stand, without building a single value.

For documents that are too large to be parsed as a whole (a tokenizer of 40 MB costs 400 MB as
Python values): find the span of the member that matters, then parse only that. What lies inside a
span is checked for balanced brackets and closed strings, and no further. RFC 8259.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Final, NamedTuple

from aibom.domain.errors import UnreadableError, malformed, over_limit, truncated
from aibom.domain.limits import DOCUMENT_DEPTH
from aibom.readers import json

MEMBER_COUNT: Final = 1_000_000  # of one object or list; the largest vocabularies have 300,000

INDEX_COUNT: Final = 1_000  # members of an object that is indexed by key

_SPACE = rb"[ \t\r\n]*+"
_STRING = rb'"(?:[^"\\\x00-\x1f]++|\\.)*+"'
_WITHIN = rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+'
# Everything is possessive: a hostile document makes a match fail once, never retry. A scalar or a
# container without containers and the separator behind it take one step; the rest takes `skip`.
_VALUE = rb"|".join(
    (
        _STRING,
        rb"-?[0-9][-+.eE0-9]*+",
        rb"true|false|null",
        rb"\[" + _WITHIN + rb"\]",
        rb"\{" + _WITHIN + rb"\}",
    )
)
_TAIL = rb"(" + _VALUE + rb")?+" + _SPACE + rb"([,\]}])?+"
_MEMBER = re.compile(_SPACE + rb"(" + _STRING + rb")" + _SPACE + rb":" + _SPACE + _TAIL, re.DOTALL)
_ELEMENT = re.compile(_SPACE + rb"()" + _TAIL, re.DOTALL)
_NEXT = re.compile(_SPACE + rb"([,\]}])?+")
_BLANK = re.compile(_SPACE)
_BRACKET = re.compile(_WITHIN + rb"([\[\]{}])", re.DOTALL)
_CLOSING = {b"{": b"}", b"[": b"]"}


class Member(NamedTuple):
    """One member; `start` and `end` are the bytes of its value. `key` is empty in a list."""

    raw_key: bytes  # with its quotes, as written
    start: int
    end: int

    @property
    def key(self) -> str:
        """The key as text; raises malformed."""
        value = json.parse(self.raw_key, offset=self.start)
        return value if isinstance(value, str) else ""


def members(data: bytes, start: int = 0) -> Iterator[Member]:
    """The members of the object, or the elements of the list, that begins at `start`.

    At 0 it is the whole document: a byte-order mark is passed over and nothing may follow. Raises
    malformed, truncated (the bytes end first) or limit (members, depth), always with the offset.
    """
    whole = start == 0
    start = _opening(data, start)
    position = _blank(data, start + 1)
    if data[position : position + 1] == _CLOSING[data[start : start + 1]]:
        position += 1
    else:
        position = yield from _listed(data, start, position)
    if whole and _blank(data, position) != len(data):
        raise malformed("bytes follow the JSON document", position)


def _listed(data: bytes, start: int, position: int) -> Generator[Member, None, int]:
    """The members from `position` on, of which there is at least one; returns where they end."""
    closer = _CLOSING[data[start : start + 1]]
    pattern = _MEMBER if closer == b"}" else _ELEMENT
    for _ in range(MEMBER_COUNT):
        match = pattern.match(data, position)
        if match is None:
            raise _wrong(data, position, "a key with its colon")
        key, separator = match.group(1, 3)
        begin, end = match.span(2)  # never the group itself, which would copy the value
        if begin < 0:
            begin = match.start(3) if separator else match.end()
            end = skip(data, begin)
            match = _NEXT.match(data, end)
            separator = match and match[1]
        yield Member(key, begin, end)
        if match is None or separator not in (b",", closer):
            raise _wrong(data, end, f"a comma or {closer.decode()}")
        position = match.end()
        if separator == closer:
            return position
    raise over_limit(f"more than {MEMBER_COUNT} members", position)


def index(data: bytes, start: int = 0) -> dict[str, Member]:
    """The members of a small object by key; raises malformed for a list or a key that is there twice."""
    found: dict[str, Member] = {}
    if data[_opening(data, start)] != ord("{"):
        raise malformed("a JSON object is expected, not a list", start)
    for member in members(data, start):
        if member.key in found:
            raise malformed(f"duplicate key {member.key[:80]!r}", member.start)
        found[member.key] = member
        if len(found) > INDEX_COUNT:
            raise over_limit(f"JSON object with more than {INDEX_COUNT} members", start)
    return found


def count(data: bytes, start: int = 0) -> int:
    """How many members the object or list at `start` has."""
    return sum(1 for _ in members(data, start))


def skip(data: bytes, start: int) -> int:
    """Where the nested value at `start` ends."""
    if data[start : start + 1] not in (b"{", b"["):
        raise _wrong(data, start, "a value")
    expected: list[bytes] = []
    position = start
    while True:
        match = _BRACKET.match(data, position)
        if match is None:
            raise truncated("JSON ends inside a value", start)
        position = match.end()
        bracket = match[1]
        if bracket in _CLOSING:
            expected.append(_CLOSING[bracket])
            if len(expected) > DOCUMENT_DEPTH:
                raise over_limit(f"JSON is nested deeper than {DOCUMENT_DEPTH} levels", position)
        elif bracket != expected.pop():
            raise malformed(f"JSON has a stray {bracket.decode()}", position - 1)
        if not expected:
            return position


def _opening(data: bytes, start: int) -> int:
    if start == 0 and data.startswith(b"\xef\xbb\xbf"):
        start = 3
    start = _blank(data, start)
    if data[start : start + 1] not in _CLOSING:
        raise _wrong(data, start, "a JSON object or list")
    return start


def _blank(data: bytes, position: int) -> int:
    """Where the white space at `position` ends."""
    match = _BLANK.match(data, position)
    return match.end() if match else position


def _wrong(data: bytes, position: int, expected: str) -> UnreadableError:
    position = _blank(data, position)
    if position >= len(data):
        return truncated(f"JSON ends where {expected} is expected", position)
    return malformed(f"{expected} is expected in JSON", position)
