"""Thrift's compact protocol with bounds: pulled field by field, whatever is not wanted is skipped.

Spec: github.com/apache/thrift, doc/specs/thrift-compact-protocol.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from aibom.domain.errors import malformed, over_limit, truncated

VALUE_COUNT: Final = 10_000_000  # fields and list elements of one message
DEPTH: Final = 24
KEPT_COUNT: Final = 10_000  # elements of one list that is kept, not streamed

# Which fields to keep: None for a number, truth value or string, a shape for a struct or a list of structs.
Shape: TypeAlias = "Mapping[int, Shape | None]"

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT, _UUID = range(1, 14)
_FIXED_BYTES: Final = {_BYTE: 1, _DOUBLE: 8, _UUID: 16}


class Struct:
    """The kept fields of one struct by id; a field of another type than asked for reads as absent."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[int, Value]) -> None:
        self._values = values

    def __contains__(self, field: int) -> bool:
        return field in self._values

    def __iter__(self) -> Iterator[int]:
        return iter(self._values)

    def integer(self, field: int) -> int | None:
        value = self._values.get(field)
        return value if isinstance(value, int) else None

    def binary(self, field: int) -> memoryview | None:
        value = self._values.get(field)
        return value if isinstance(value, memoryview) else None

    def struct(self, field: int) -> Struct | None:
        value = self._values.get(field)
        return value if isinstance(value, Struct) else None

    def structs(self, field: int) -> list[Struct]:
        value = self._values.get(field)
        return value if isinstance(value, list) else []


Value: TypeAlias = int | memoryview | Struct | list[Struct] | None


class CompactReader:
    """Decodes one message in order. `offset` is where `data` starts in its file, for error messages.

    Strings are views into `data`, so that a claimed length never copies. Every method raises
    truncated, malformed (numbers over 64 bits, unknown types) or limit (values, depth, kept elements).
    """

    __slots__ = ("_at", "_data", "_depth", "_offset", "_values_left", "_view")

    def __init__(self, data: bytes, offset: int = 0) -> None:
        self._data = data
        self._view = memoryview(data)
        self._at = 0
        self._offset = offset
        self._depth = 0
        self._values_left = VALUE_COUNT

    @property
    def position(self) -> int:
        """The next byte, counted from the start of the file."""
        return self._offset + self._at

    def fields(self) -> Iterator[tuple[int, int]]:
        """Id and wire type of each field; the caller reads or skips the value before the next one."""
        self._enter()
        field = 0
        while kind := (head := self._byte()) & 15:
            self._count(1)
            field = field + (head >> 4) if head > 15 else self._zigzag()
            yield field, kind
        self._depth -= 1

    def structs(self, kind: int, shape: Shape) -> Iterator[Struct]:
        """The elements of a list of structs, one at a time."""
        for _ in range(self._list_of_structs(kind)):
            yield self.struct(shape)

    def struct(self, shape: Shape) -> Struct:
        """The fields of one struct that the shape names; the others are skipped."""
        values: dict[int, Value] = {}
        for field, kind in self.fields():
            if field in shape:
                values[field] = self.value(kind, shape[field])
            else:
                self.skip(kind)
        return Struct(values)

    def value(self, kind: int, shape: Shape | None = None) -> Value:
        """The value of a field; None for the types that nobody here asks for, which are skipped."""
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind in (_I16, _I32, _I64):
            return self._zigzag()
        if kind == _BYTE:
            return (self._byte() ^ 0x80) - 0x80
        if kind == _BINARY:
            return self._take(self._varint())
        if kind == _STRUCT and shape is not None:
            return self.struct(shape)
        if kind == _LIST and shape is not None:
            return self._kept(kind, shape)
        self.skip(kind)
        return None

    def skip(self, kind: int) -> None:
        """Moves past the value of a field."""
        if kind in (_I16, _I32, _I64):
            self._varint()
        elif kind == _BINARY:
            self._take(self._varint())
        elif kind == _STRUCT:
            self._skip_struct()
        elif kind in (_LIST, _SET):
            self._skip_list()
        elif kind == _MAP:
            self._skip_map()
        elif kind in _FIXED_BYTES:
            self._take(_FIXED_BYTES[kind])
        elif kind not in (_TRUE, _FALSE):
            raise malformed(f"unknown Thrift type {kind}", self.position)

    def _kept(self, kind: int, shape: Shape) -> list[Struct]:
        count = self._list_of_structs(kind)
        if count > KEPT_COUNT:
            raise over_limit(f"a list of {count} structs, at most {KEPT_COUNT} are read", self.position)
        return [self.struct(shape) for _ in range(count)]

    def _list_of_structs(self, kind: int) -> int:
        if kind != _LIST:
            raise malformed(f"a list is expected, not Thrift type {kind}", self.position)
        count, inner = self._list_head()
        if count and inner != _STRUCT:
            raise malformed(f"a list of structs is expected, not of Thrift type {inner}", self.position)
        return count

    def _list_head(self) -> tuple[int, int]:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        self._count(count)
        return count, head & 15

    def _skip_struct(self) -> None:
        # Not by `fields`: most bytes of a footer are skipped, and a generator per struct takes half the time.
        self._enter()
        while kind := (head := self._byte()) & 15:
            self._count(1)
            if head < 16:
                self._varint()
            self.skip(kind)
        self._depth -= 1

    def _skip_list(self) -> None:
        count, kind = self._list_head()
        if kind in _FIXED_BYTES:
            self._take(count * _FIXED_BYTES[kind])
        else:
            self._skip_elements(count, (kind,))

    def _skip_map(self) -> None:
        count = self._varint()
        if count:
            self._count(count)
            kinds = self._byte()
            self._skip_elements(count, (kinds >> 4, kinds & 15))

    def _skip_elements(self, count: int, kinds: tuple[int, ...]) -> None:
        self._enter()
        for _ in range(count):
            for kind in kinds:
                # A truth value is part of a field's head, but a byte of its own in a list.
                self.skip(_BYTE if kind in (_TRUE, _FALSE) else kind)
        self._depth -= 1

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > DEPTH:
            raise over_limit(f"values are nested deeper than {DEPTH} levels", self.position)

    def _count(self, values: int) -> None:
        self._values_left -= values
        if self._values_left < 0:
            raise over_limit(f"a message holds more than {VALUE_COUNT} values", self.position)

    def _byte(self) -> int:
        at = self._at
        if at >= len(self._data):
            raise truncated("the message ends inside a value", self.position)
        self._at = at + 1
        return self._data[at]

    def _take(self, length: int) -> memoryview:
        if length > len(self._data) - self._at:
            raise truncated(f"{length} bytes expected, {len(self._data) - self._at} left", self.position)
        self._at += length
        return self._view[self._at - length : self._at]

    def _varint(self) -> int:
        byte = self._byte()
        value = shift = 0
        while byte >= 0x80 and shift < 63:
            value |= (byte & 0x7F) << shift
            shift += 7
            byte = self._byte()
        value |= byte << shift
        if value >= 1 << 64:
            raise malformed("a number is longer than 64 bits", self.position)
        return value

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
