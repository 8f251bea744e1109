"""The canonical encoding of Arrow columns, a column at a time: the same bytes as `rows` gives.

Encodings are Arrow binary arrays, put together by Arrow's own compiled functions. What is
joined lies in one buffer, so a list is encoded by cutting the buffer of its items at other places.
This module needs the extra `[parquet]`: import it where `readers.row_parquet.available()` said yes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aibom.domain.dataset import Field, Kind, Schema, Type, Unit, list_of, map_of
from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import DOCUMENT_DEPTH
from aibom.fingerprint.rows import NULL, ROW_TAG, fixed_head, name_cell, size, sort_key, whole

_UNITS: Final = {unit.value: unit for unit in Unit}
_FLOATS: Final = {Kind.FLOAT16: (b"e", 2), Kind.FLOAT32: (b"f", 4), Kind.FLOAT64: (b"d", 8)}
_DAY_MS: Final = 86_400_000


def schema_of(schema: pa.Schema) -> Schema:
    """The columns of an Arrow schema. Raises unsupported for types that have no encoding."""
    names = [field.name for field in schema]
    if len(set(names)) != len(names):
        raise malformed("two columns of one name")
    return Schema(fields=tuple(Field(name=field.name, type=type_of(field.type)) for field in schema))


def type_of(kind: pa.DataType, depth: int = 0) -> Type:
    """The type of an Arrow type. Raises unsupported, and limit for types nested too deeply."""
    types = pa.types
    if depth > DOCUMENT_DEPTH:
        raise over_limit(f"types nested deeper than {DOCUMENT_DEPTH}")
    if isinstance(kind, pa.BaseExtensionType):
        return type_of(kind.storage_type, depth + 1)
    if types.is_dictionary(kind):
        return type_of(kind.value_type, depth + 1)
    if types.is_map(kind):
        return map_of(type_of(kind.key_type, depth + 1), type_of(kind.item_type, depth + 1))
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return list_of(type_of(kind.value_type, depth + 1))
    if types.is_struct(kind):
        parts = [kind.field(at) for at in range(kind.num_fields)]
        if len({part.name for part in parts}) != len(parts):
            raise malformed("two fields of one name")
        fields = tuple(Field(name=part.name, type=type_of(part.type, depth + 1)) for part in parts)
        return Type(kind=Kind.STRUCT, fields=fields)
    return _timed(kind) or _plain(kind)


def _timed(kind: pa.DataType) -> Type | None:
    types = pa.types
    found = {
        Kind.TIMESTAMP: types.is_timestamp, Kind.TIME: types.is_time, Kind.DURATION: types.is_duration,
    }  # fmt: skip
    for name, asked in found.items():
        if asked(kind):
            zone = kind.tz or None if name is Kind.TIMESTAMP else None
            return Type(kind=name, unit=_UNITS[kind.unit], zone=zone)
    return Type(kind=Kind.DECIMAL, scale=kind.scale) if types.is_decimal(kind) else None


def _plain(kind: pa.DataType) -> Type:
    types = pa.types
    asked: dict[Kind, tuple[Callable[[Any], bool], ...]] = {
        Kind.NULL: (types.is_null,),
        Kind.BOOL: (types.is_boolean,),
        Kind.INT: (types.is_integer,),
        Kind.FLOAT16: (types.is_float16,),
        Kind.FLOAT32: (types.is_float32,),
        Kind.FLOAT64: (types.is_float64,),
        Kind.STRING: (types.is_string, types.is_large_string),
        Kind.BYTES: (types.is_binary, types.is_large_binary, types.is_fixed_size_binary),
        Kind.DATE: (types.is_date,),
    }
    for name, tests in asked.items():
        if any(test(kind) for test in tests):
            return Type(kind=name)
    raise unsupported(f"values of the type {str(kind)[:80]}")


class ArrowRows:
    """One record batch, encoded; see `dataset.Encoded`. Raises `UnreadableError`."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._count = batch.num_rows
        pairs = zip(batch.schema.names, batch.columns, strict=True)
        found = {name: encoded(values) for name, values in pairs}
        self._cells = {name: found[name] for name in sorted(found, key=sort_key)}
        self.names = tuple(self._cells)
        self.rows = self._joined(self._cells)

    def without(self, names: frozenset[str]) -> list[bytes]:
        """The encodings of the rows without some columns."""
        return self._joined(name for name in self._cells if name not in names)

    def only(self, names: frozenset[str]) -> list[bytes]:
        """The encodings of the rows with some columns only."""
        return self._joined(name for name in self._cells if name in names)

    def values(self) -> Iterator[tuple[str, memoryview]]:
        """The encoded values of each column, joined."""
        for name, cells in self._cells.items():
            offsets, data = _parts(cells)
            yield name, data[int(offsets[0]) : int(offsets[-1])]

    def _joined(self, names: Iterable[str]) -> list[bytes]:
        parts: list[Any] = [ROW_TAG]
        for name in names:
            parts += [parts.pop() + name_cell(name) if isinstance(parts[-1], bytes) else name_cell(name)]
            parts.append(self._cells[name])
        if len(parts) == 1:
            return [ROW_TAG] * self._count
        offsets, data = _parts(_join(parts))
        # Slices of bytes take half the time of views.
        whole = data.tobytes()
        return [whole[start:end] for start, end in pairwise(offsets.tolist())]


def encoded(values: pa.Array) -> pa.Array:
    """The encodings of the values of a column, as binary."""
    if isinstance(values, pa.ExtensionArray):
        return encoded(values.storage)
    if pa.types.is_dictionary(values.type):
        return encoded(values.dictionary_decode())
    kind = type_of(values.type)
    if kind.kind is Kind.NULL:
        return _constant(NULL, len(values))
    found = _ENCODERS.get(kind.kind, _times)(values, kind)
    return _with_nulls(found, values) if values.null_count else found


def _with_nulls(cells: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(values.is_valid(), cells, _scalar(NULL))


def _scalar(data: bytes) -> pa.Scalar[Any]:
    return pa.scalar(data, pa.large_binary())


def _join(parts: Sequence[bytes | pa.Array]) -> pa.Array:
    found = [_scalar(part) if isinstance(part, bytes) else part for part in parts]
    return pc.binary_join_element_wise(*found, _scalar(b""))


def _parts(cells: pa.Array) -> tuple[np.ndarray[Any, Any], memoryview]:
    """The offsets and the data of binary cells."""
    _, offsets, data = cells.buffers()
    if offsets is None or not len(cells):
        return np.zeros(1, np.int64), memoryview(b"")
    found = np.frombuffer(offsets, np.int64, len(cells) + 1, cells.offset * 8)
    return found, memoryview(data) if data is not None else memoryview(b"")


def _cells(offsets: np.ndarray[Any, Any], data: object) -> pa.Array:
    """Binary cells that share a buffer."""
    ends = pa.py_buffer(np.ascontiguousarray(offsets, np.int64))
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(offsets) - 1, [None, ends, pa.py_buffer(data)]
    )


def _constant(data: bytes, count: int) -> pa.Array:
    return pa.repeat(_scalar(data), count)


def _fixed(head: bytes, numbers: np.ndarray[Any, Any], tail: int | None = None) -> pa.Array:
    """A head and the bytes of each number, of which `tail` may keep only the first."""
    width = numbers.dtype.itemsize
    raw = np.ascontiguousarray(numbers).view(np.uint8).reshape(len(numbers), width)[:, :tail]
    table = np.empty((len(numbers), len(head) + raw.shape[1]), np.uint8)
    table[:, : len(head)] = np.frombuffer(head, np.uint8)
    table[:, len(head) :] = raw
    return _cells(np.arange(len(numbers) + 1, dtype=np.int64) * table.shape[1], table.reshape(-1))


def _numbers(values: pa.Array, dtype: str) -> np.ndarray[Any, Any]:
    """The numbers of an array of fixed width as they lie in its buffer, whatever stands at nulls."""
    data = values.buffers()[1]
    if data is None:
        return np.zeros(len(values), dtype)
    return np.frombuffer(data, dtype, len(values), values.offset * np.dtype(dtype).itemsize)


def _integers(values: pa.Array, _: Type) -> pa.Array:
    kind = values.type
    sign = "i" if str(kind).startswith("int") else "u"
    found = _numbers(values, f"<{sign}{kind.bit_width // 8}")
    if sign == "u" and kind.bit_width == 64 and (found >> 63).any():
        return _one_by_one(found.tolist(), b"")
    return _fixed(b"i", found.astype("<i8"))


def _one_by_one(numbers: Iterable[int], head: bytes) -> pa.Array:
    return pa.array([head + whole(number) for number in numbers], pa.large_binary())


def _bools(values: pa.Array, _: Type) -> pa.Array:
    return pc.if_else(values, _scalar(b"T"), _scalar(b"F"))


def _floats(values: pa.Array, kind: Type) -> pa.Array:
    tag, width = _FLOATS[kind.kind]
    return _fixed(tag, _numbers(values, f"<u{width}"))


def _times(values: pa.Array, kind: Type) -> pa.Array:
    width = values.type.bit_width // 8
    found = _numbers(values, f"<i{width}").astype("<i8")
    if str(values.type).startswith("date64"):
        valid = found if not values.null_count else found[values.is_valid().to_numpy(zero_copy_only=False)]
        if (valid % _DAY_MS).any():
            raise malformed("a date that is not at midnight")
        found //= _DAY_MS
    return _fixed(fixed_head(kind), found)


def _decimals(values: pa.Array, kind: Type) -> pa.Array:
    head = b"m" + struct.pack("<i", kind.scale)
    words = values.type.bit_width // 64
    if not words:
        return _fixed(head + b"i", _numbers(values, f"<i{values.type.bit_width // 8}").astype("<i8"))
    data = values.buffers()[1]
    table = np.frombuffer(data, "<i8", len(values) * words, values.offset * words * 8).reshape(-1, words)
    if (table[:, 1:] == (table[:, :1] >> 63)).all():
        return _fixed(head + b"i", table[:, 0])
    raw = table.tobytes()
    width = words * 8
    pieces = (raw[at : at + width] for at in range(0, len(raw), width))
    return _one_by_one((int.from_bytes(piece, "little", signed=True) for piece in pieces), head)


def _binary(values: pa.Array, kind: Type) -> pa.Array:
    if pa.types.is_fixed_size_binary(values.type):
        values = values.cast(pa.binary())
    lengths = pc.binary_length(values).fill_null(0).to_numpy(zero_copy_only=False).astype("<u4")
    tag = b"s" if kind.kind is Kind.STRING else b"b"
    return _join([_fixed(tag, lengths), values.cast(pa.large_binary()).fill_null(b"")])


def _lists(values: pa.Array, _: Type) -> pa.Array:
    return _grouped(b"l", values, encoded(values.flatten()))


def _maps(values: pa.Array, _: Type) -> pa.Array:
    # Arrow flattens no maps, so the same buffers are taken as lists of pairs.
    pairs = pa.StructArray.from_arrays([values.keys, values.items], ["key", "value"])
    buffers = values.buffers()[:2]
    lists = pa.Array.from_buffers(
        pa.list_(pairs.type), len(values), buffers, offset=values.offset, children=[pairs]
    )
    keys, items = lists.flatten().flatten()
    return _grouped(b"p", lists, _join([encoded(keys), encoded(items)]))


def _grouped(tag: bytes, values: pa.Array, items: pa.Array) -> pa.Array:
    """Lists from their encoded items, which lie one behind the other: only the cuts are other ones."""
    lengths = pc.list_value_length(values).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    offsets, data = _parts(items)
    ends = offsets[np.concatenate(([0], np.cumsum(lengths)))]
    return _join([_fixed(tag, lengths.astype("<u4")), _cells(ends, data)])


def _structs(values: pa.Array, _: Type) -> pa.Array:
    names = [field.name for field in values.type]
    parts: list[Any] = [b"r" + size(len(names))]
    columns = dict(zip(names, values.flatten(), strict=True))
    for name in sorted(names, key=sort_key):
        parts += [name_cell(name), encoded(columns[name])]
    return _join(parts) if names else _constant(parts[0], len(values))


_ENCODERS: Final[dict[Kind, Callable[[Any, Type], Any]]] = {
    Kind.INT: _integers,
    Kind.BOOL: _bools,
    **dict.fromkeys(_FLOATS, _floats),
    Kind.DECIMAL: _decimals,
    Kind.STRING: _binary,
    Kind.BYTES: _binary,
    Kind.LIST: _lists,
    Kind.MAP: _maps,
    Kind.STRUCT: _structs,
}
