"""UBJSON with bounds: every value is walked, small ones are kept.

Spec: ubjson.org, draft 12 (types, counted and typed containers). Numbers are big-endian.
"""

from __future__ import annotations

import struct
from typing import Final

from aibom.domain.errors import malformed, over_limit
from aibom.domain.limits import DOCUMENT_DEPTH
from aibom.readers.json import Json
from aibom.readers.ranges import Cursor

VALUE_COUNT: Final = 1_000_000  # walked; a tree of a booster has some 25
KEPT_COUNT: Final = 20_000  # of a document
KEPT_BYTES: Final = 1_024  # of a string

_NUMBERS: Final = {
    marker: struct.Struct(code)
    for marker, code in {
        b"i": ">b", b"U": ">B", b"I": ">h", b"l": ">i", b"L": ">q", b"d": ">f", b"D": ">d"
    }.items()
}  # fmt: skip
_CONSTANTS: Final[dict[bytes, Json]] = {b"Z": None, b"T": True, b"F": False}


def read(cursor: Cursor) -> Json:
    """The value at the cursor, which must be big-endian.

    Passed over are arrays of one numeric type, objects and arrays in an array, and what comes after
    `KEPT_COUNT` values: an array has fewer elements then, an object fewer members. Of equal keys the
    last one counts. Raises malformed, truncated or limit (values, depth).
    """
    walk = _Walk(cursor)
    return walk.value(walk.marker(), 0, keep=True)


class _Walk:
    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._values, self._kept = 0, 0

    def marker(self) -> bytes:
        """The next marker that is not padding."""
        while (marker := self._cursor.take(1)) == b"N":
            pass
        return marker

    def value(self, marker: bytes, depth: int, *, keep: bool) -> Json:
        self._values += 1
        if self._values > VALUE_COUNT:
            raise over_limit(f"UBJSON holds more than {VALUE_COUNT} values", self._cursor.position)
        if marker in _NUMBERS:
            return self._number(marker)
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker in (b"S", b"H"):
            return self._text(self._length(self.marker()))
        if marker == b"C":
            return self._text(1)
        if marker not in (b"[", b"{"):
            raise malformed(f"there is no UBJSON type {marker!r}", self._cursor.position - 1)
        if depth == DOCUMENT_DEPTH:
            raise over_limit(f"UBJSON is nested deeper than {depth} levels", self._cursor.position)
        return (self._array if marker == b"[" else self._object)(depth + 1, keep=keep)

    def _number(self, marker: bytes) -> int | float:
        layout = _NUMBERS[marker]
        number: int | float = layout.unpack(self._cursor.take(layout.size))[0]
        return number

    def _length(self, marker: bytes) -> int:
        length = self._number(marker) if marker in _NUMBERS else -1
        if not isinstance(length, int) or length < 0:
            raise malformed("a length is expected in UBJSON", self._cursor.position)
        return length

    def _text(self, length: int) -> str:
        data = self._cursor.take(min(length, KEPT_BYTES))
        self._cursor.skip(length - len(data))
        return data.decode("utf-8", "backslashreplace")

    def _header(self) -> tuple[bytes | None, int | None, bytes]:
        """Type and count of a container, as far as given, and the marker behind them."""
        kind = None
        marker = self.marker()
        if marker == b"$":
            kind, marker = self._cursor.take(1), self.marker()
            if marker != b"#":
                raise malformed("a typed container has no count", self._cursor.position)
        if marker != b"#":
            return None, None, marker
        return kind, self._length(self.marker()), b""

    def _array(self, depth: int, *, keep: bool) -> list[Json]:
        kind, count, marker = self._header()
        if kind in _CONSTANTS:
            return []  # no bytes, however many
        if kind in _NUMBERS and count is not None:
            self._cursor.skip(count * _NUMBERS[kind].size)
            return []
        items: list[Json] = []
        while count != 0 and marker != b"]":
            of = kind or marker or self.marker()
            plain = keep and of not in (b"[", b"{")
            value = self.value(of, depth, keep=plain)
            if plain and self._kept < KEPT_COUNT:
                self._kept += 1
                items.append(value)
            count, marker = (None, self.marker()) if count is None else (count - 1, b"")
        return items

    def _object(self, depth: int, *, keep: bool) -> dict[str, Json]:
        kind, count, marker = self._header()
        members: dict[str, Json] = {}
        while count != 0 and marker != b"}":
            key = self._text(self._length(marker or self.marker()))
            value = self.value(kind or self.marker(), depth, keep=keep)
            if keep and self._kept < KEPT_COUNT:
                self._kept += 1
                members[key] = value
            count, marker = (None, self.marker()) if count is None else (count - 1, b"")
        return members
