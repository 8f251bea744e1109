"""FlatBuffers tables with bounds: every offset is checked before it is followed.

Offsets may point at shared or overlapping tables, so a small buffer can describe a huge tree: the
number of tables that are opened is limited. Spec: flatbuffers.dev, "FlatBuffers internals".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from aibom.domain.errors import malformed, over_limit

TABLE_COUNT: Final = 100_000  # opened per message, repeats included
_TABLE_BYTES: Final = 4  # the least that a table and the offset to it take


class _Buffer:
    """The bytes that all tables of one message share, and how many more tables may be opened."""

    __slots__ = ("data", "offset", "tables_left")

    def __init__(self, data: bytes, offset: int) -> None:
        self.data = memoryview(data)
        self.offset = offset
        self.tables_left = min(TABLE_COUNT, len(data) // _TABLE_BYTES)

    def number(self, code: str, at: int) -> int:
        self.check(at, struct.calcsize("<" + code))
        return int(struct.unpack_from("<" + code, self.data, at)[0])

    def check(self, at: int, length: int) -> None:
        if at < 0 or length < 0 or at + length > len(self.data):
            raise malformed("a FlatBuffers offset leaves its message", self.offset + max(0, at))

    def follow(self, at: int) -> int:
        """Where the forward offset that is stored at a position leads."""
        return at + self.number("I", at)


class Table:
    """One table; absent fields read as the default that the caller names, or None."""

    __slots__ = ("_at", "_buffer", "_slots_at", "_slots_bytes")

    def __init__(self, buffer: _Buffer, at: int) -> None:
        buffer.tables_left -= 1
        if buffer.tables_left < 0:
            raise over_limit("more FlatBuffers tables than the message has room for", buffer.offset + at)
        self._buffer = buffer
        self._at = at
        self._slots_at = at - buffer.number("i", at)
        self._slots_bytes = buffer.number("H", self._slots_at)
        buffer.check(self._slots_at, self._slots_bytes)

    def _field(self, slot: int) -> int | None:
        place = 4 + 2 * slot
        if place + 2 > self._slots_bytes:
            return None
        distance = self._buffer.number("H", self._slots_at + place)
        return self._at + distance if distance else None

    def integer(self, slot: int, code: str = "i", default: int = 0) -> int:
        """A number; `code` is the letter of the `struct` module for its width and sign."""
        at = self._field(slot)
        return default if at is None else self._buffer.number(code, at)

    def binary(self, slot: int) -> memoryview | None:
        """A string or a vector of bytes, as a view into the message."""
        at, count = self._vector(slot, 1)
        return None if at is None else self._buffer.data[at : at + count]

    def table(self, slot: int) -> Table | None:
        at = self._field(slot)
        return None if at is None else Table(self._buffer, self._buffer.follow(at))

    def union(self, slot: int) -> tuple[int, Table | None]:
        """The type of a union (0 for none) and its value, which is in the slot behind it."""
        return self.integer(slot, "B"), self.table(slot + 1)

    def tables(self, slot: int) -> Iterator[Table]:
        """The elements of a vector of tables."""
        at, count = self._vector(slot, 4)
        if at is not None:
            for place in range(at, at + 4 * count, 4):
                yield Table(self._buffer, self._buffer.follow(place))

    def structs(self, slot: int, layout: struct.Struct) -> Iterator[tuple[int, ...]]:
        """The elements of a vector of structs, unpacked."""
        at, count = self._vector(slot, layout.size)
        if at is not None:
            yield from layout.iter_unpack(self._buffer.data[at : at + count * layout.size])

    def _vector(self, slot: int, width: int) -> tuple[int | None, int]:
        at = self._field(slot)
        if at is None:
            return None, 0
        start = self._buffer.follow(at)
        count = self._buffer.number("I", start)
        self._buffer.check(start + 4, count * width)
        return start + 4, count


def root(data: bytes, offset: int = 0) -> Table:
    """The root table of a message. `offset` is where `data` starts in its file, for error messages.

    It and what it leads to raise malformed (offsets that leave the message) or limit (tables).
    """
    buffer = _Buffer(data, offset)
    return Table(buffer, buffer.follow(0))
