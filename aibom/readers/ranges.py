"""Byte ranges with budgets, and a cursor that decodes numbers from them."""

from __future__ import annotations

import struct

from aibom.domain.errors import over_limit, truncated
from aibom.domain.limits import HEADER_READ_BYTES, KIB
from aibom.domain.protocols import ByteReader

_AHEAD_BYTES = 16 * KIB


def at_hand(reader: ByteReader, offset: int, length: int) -> bool:
    """Whether these bytes can be had without fetching them from afar.

    Only a remote file of which the header alone is read has anything that is not at hand. What does not
    decide what the header says is then left out: it would cost a request for each tensor.
    """
    asked = getattr(reader, "at_hand", None)
    return True if asked is None else bool(asked(offset, length))


class Memory:
    """A `ByteReader` over bytes that are already in memory."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)

    @property
    def size(self) -> int:
        return len(self._data)

    def read_at(self, offset: int, length: int) -> bytes:
        check_inside(self.size, offset, length)
        return bytes(self._data[offset : offset + length])

    def read_into(self, offset: int, buffer: memoryview) -> int:
        piece = self._data[offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        return len(piece)


class Window:
    """A `ByteReader` over one range of another: a member that is stored without compression."""

    __slots__ = ("_reader", "_size", "start")

    def __init__(self, reader: ByteReader, start: int, size: int) -> None:
        check_inside(reader.size, start, size)
        self._reader, self.start, self._size = reader, start, size

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        check_inside(self._size, offset, length)
        return self._reader.read_at(self.start + offset, length)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        room = max(0, min(len(buffer), self._size - offset))
        return self._reader.read_into(self.start + offset, buffer[:room]) if room else 0

    def at_hand(self, offset: int, length: int) -> bool:
        return at_hand(self._reader, self.start + offset, length)


class Budgeted:
    """A `ByteReader` that refuses to fetch more than `limit` bytes in all."""

    __slots__ = ("_left", "_limit", "_reader")

    def __init__(self, reader: ByteReader, limit: int = HEADER_READ_BYTES) -> None:
        self._reader, self._limit, self._left = reader, limit, limit

    @property
    def size(self) -> int:
        return self._reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        check_inside(self.size, offset, length)
        self._spend(length, offset)
        return self._reader.read_at(offset, length)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        self._spend(min(len(buffer), max(0, self.size - offset)), offset)
        return self._reader.read_into(offset, buffer)

    def at_hand(self, offset: int, length: int) -> bool:
        return at_hand(self._reader, offset, length)

    def _spend(self, length: int, offset: int) -> None:
        self._left -= length
        if self._left < 0:
            raise over_limit(f"reading the header took more than {self._limit} bytes", offset)


class Cursor:
    """Sequential decoding of a range, with read-ahead; every error carries its offset."""

    __slots__ = ("_ahead", "_ahead_at", "_order", "_reader", "end", "position")

    def __init__(
        self, reader: ByteReader, position: int = 0, end: int | None = None, *, big_endian: bool = False
    ) -> None:
        self._reader = reader
        self.position = position
        self.end = reader.size if end is None else min(end, reader.size)
        self._order = ">" if big_endian else "<"
        self._ahead = b""
        self._ahead_at = position

    @property
    def left(self) -> int:
        return self.end - self.position

    def take(self, length: int) -> bytes:
        """The next `length` bytes; raises truncated when the range has fewer."""
        if length < 0 or length > self.left:
            raise truncated(f"{length} bytes expected, {self.left} left", self.position)
        start = self.position - self._ahead_at
        if not 0 <= start <= start + length <= len(self._ahead):
            self._fetch(length)
            start = 0
        self.position += length
        return self._ahead[start : start + length]

    def _fetch(self, length: int) -> None:
        self._ahead = self._reader.read_at(self.position, min(max(length, _AHEAD_BYTES), self.left))
        self._ahead_at = self.position

    def skip(self, length: int) -> None:
        """Moves on without reading."""
        if length < 0 or length > self.left:
            raise truncated(f"{length} bytes to skip, {self.left} left", self.position)
        self.position += length

    def _number(self, code: str, length: int) -> int:
        (value,) = struct.unpack(self._order + code, self.take(length))
        return int(value)

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return self._number("H", 2)

    def u32(self) -> int:
        return self._number("I", 4)

    def u64(self) -> int:
        return self._number("Q", 8)

    def i8(self) -> int:
        return self._number("b", 1)

    def i16(self) -> int:
        return self._number("h", 2)

    def i32(self) -> int:
        return self._number("i", 4)

    def i64(self) -> int:
        return self._number("q", 8)

    def f32(self) -> float:
        (value,) = struct.unpack(self._order + "f", self.take(4))
        return float(value)

    def f64(self) -> float:
        (value,) = struct.unpack(self._order + "d", self.take(8))
        return float(value)


def check_inside(size: int, offset: int, length: int) -> None:
    """Raises truncated unless the range lies inside `size` bytes."""
    if offset < 0 or length < 0 or offset + length > size:
        raise truncated(f"{length} bytes expected, {max(0, size - offset)} there", max(0, offset))
