"""The protobuf wire format, walked without reading payloads: a 2 GB message costs its tags.

Encoding: protobuf.dev, "Encoding". Groups are refused (proto3 has none and ONNX uses none). As in
the reference parsers a varint has at most ten bytes and keeps its low 64 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from aibom.domain.errors import UnreadableError, malformed, over_limit, truncated, unsupported
from aibom.domain.limits import KIB
from aibom.readers.ranges import Cursor

FIELD_COUNT: Final = 3_000_000  # per walker; models of a hundred thousand nodes have half as many
MESSAGE_DEPTH: Final = 64
VARINT_BYTES: Final = 10
# Wire types; 3 and 4 are the groups.
VARINT: Final = 0
I64: Final = 1
LEN: Final = 2
I32: Final = 5

_TAG_AND_NUMBER_BYTES = 2 * VARINT_BYTES
_BLOCK_BYTES = 2 * KIB
_PREFIXED = frozenset((VARINT, LEN))  # a varint follows the tag
_WIDTHS = {I64: 8, I32: 4}


class Field(NamedTuple):
    """One field. `start..end` is the payload; `value` the unsigned number, or the length of a `LEN`."""

    number: int
    wire: int
    value: int
    start: int
    end: int
    depth: int

    @property
    def signed(self) -> int:
        """The value as int32 or int64, which are both written as 64-bit two's complement."""
        return self.value - (1 << 64) if self.value >> 63 else self.value


class Walker:
    """Walks messages of one file; all walks share one cursor, its read-ahead and one count.

    Raises truncated, malformed, unsupported (groups) or limit (fields, depth).
    """

    __slots__ = ("_cursor", "_left")

    def __init__(self, cursor: Cursor, *, fields: int = FIELD_COUNT) -> None:
        self._cursor, self._left = cursor, fields

    def fields(self, start: int, end: int, depth: int = 0) -> Iterator[Field]:
        """The fields of the message in `start..end`, in the order written."""
        if depth > MESSAGE_DEPTH:
            raise over_limit(f"messages are nested deeper than {MESSAGE_DEPTH} levels", start)
        position, block, base = start, b"", start
        while position < end:
            if position + _TAG_AND_NUMBER_BYTES > base + len(block) < end:
                # The consumer may have moved the cursor: the block is this message's own.
                base = self._cursor.position = position
                block = self._cursor.take(min(_BLOCK_BYTES, end - base))
            field = _field(block, position - base, base, depth)
            if field.end > end:
                raise truncated(f"a field ends at byte {field.end}, its message at {end}", position)
            self._left -= 1
            if self._left < 0:
                raise over_limit("the message has too many fields", position)
            yield field
            position = field.end

    def inside(self, field: Field) -> Iterator[Field]:
        """The fields of an embedded message."""
        return self.fields(field.start, field.end, field.depth + 1)

    def data(self, field: Field, limit: int) -> bytes:
        """The first `limit` bytes of a payload."""
        self._cursor.position = field.start
        return self._cursor.take(min(field.end - field.start, limit))

    def text(self, field: Field, limit: int) -> str:
        """The first `limit` bytes of a payload as text, with what is not UTF-8 escaped."""
        data = self.data(field, limit)
        text = data.decode("utf-8", "backslashreplace")
        more = field.end - field.start - len(data)
        return f"{text}… [{more} more bytes]" if more else text

    def integers(self, field: Field, limit: int) -> tuple[int, ...]:
        """The values of a repeated int64 field, written packed or one by one.

        Raises limit when there are more than `limit`.
        """
        if field.wire == VARINT:
            return (field.signed,)
        if field.end - field.start > limit * VARINT_BYTES:
            raise over_limit(f"more than {limit} packed values", field.start)
        data, at, values = self.data(field, limit * VARINT_BYTES), 0, []
        while at < len(data):
            value, at = _varint(data, at, field.start)
            values.append(value - (1 << 64) if value >> 63 else value)
        if len(values) > limit:
            raise over_limit(f"more than {limit} packed values", field.start)
        return tuple(values)


def _field(data: bytes, at: int, base: int, depth: int) -> Field:
    """The field at `at`; `base` is where `data` stands in the file."""
    first, tag = base + at, data[at]
    if tag < 0x80:  # by far the most tags and lengths are one byte
        at += 1
    else:
        tag, at = _varint(data, at, base)
    if not 8 <= tag < 1 << 32:
        raise malformed("there is no such field number", first)
    wire = tag & 7
    start = base + at
    if wire in _PREFIXED:
        value = data[at] if at < len(data) else 0x80
        if value < 0x80:
            at += 1
        else:
            value, at = _varint(data, at, base)
        end = base + at
        if wire == LEN:
            start, end = end, end + value
    elif wire in _WIDTHS:
        end = start + _WIDTHS[wire]
        value = int.from_bytes(data[at : at + _WIDTHS[wire]], "little")
    else:
        raise _refused(wire, first)
    return Field(tag >> 3, wire, value, start, end, depth)


def _varint(data: bytes, at: int, base: int) -> tuple[int, int]:
    """The value at `at` and the place behind it; `base` is where `data` stands in the file."""
    value = shift = 0
    for index in range(at, min(at + VARINT_BYTES, len(data))):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, index + 1
        shift += 7
    if len(data) - at < VARINT_BYTES:
        raise truncated("the bytes end inside a varint", base + at)
    raise malformed(f"a varint is longer than {VARINT_BYTES} bytes", base + at)


def _refused(wire: int, position: int) -> UnreadableError:
    if wire in (3, 4):
        return unsupported("a protobuf group", position)
    return malformed(f"there is no wire type {wire}", position)
