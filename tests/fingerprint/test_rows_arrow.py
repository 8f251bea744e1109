"""The encoding of Arrow columns: the same bytes as the plain one, for every type, slice and null."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.dataset import Field, Kind, RowBatch, Schema, Type, Unit, list_of
from aibom.domain.errors import UnreadableError
from aibom.fingerprint.dataset import encode
from aibom.fingerprint.rows_arrow import ArrowRows, schema_of, type_of
from tests.fingerprint.row_values import NAMES, TYPES, values

_WIDE = decimal.Context(prec=80)


def arrow_type(kind: Type) -> pa.DataType:
    unit = kind.unit.value if kind.unit else ""
    parts = [arrow_type(field.type) for field in kind.fields]
    return {
        Kind.BOOL: pa.bool_, Kind.INT: pa.int64, Kind.STRING: pa.string, Kind.BYTES: pa.binary,
        Kind.DATE: pa.date32, Kind.FLOAT16: pa.float16, Kind.FLOAT32: pa.float32, Kind.FLOAT64: pa.float64,
        Kind.DECIMAL: lambda: pa.decimal128(38, kind.scale),
        Kind.DURATION: lambda: pa.duration(unit),
        Kind.TIMESTAMP: lambda: pa.timestamp(unit, kind.zone),
        Kind.LIST: lambda: pa.list_(*parts),
        Kind.MAP: lambda: pa.map_(*parts),
        Kind.STRUCT: lambda: pa.struct([(f.name, p) for f, p in zip(kind.fields, parts, strict=True)]),
    }[kind.kind]()  # fmt: skip


def arrow_value(kind: Type, value: Any) -> Any:
    if value is None:
        return None
    if kind.kind is Kind.DECIMAL:
        return _WIDE.scaleb(decimal.Decimal(value), -kind.scale)
    if kind.kind is Kind.LIST:
        return [arrow_value(kind.fields[0].type, item) for item in value]
    if kind.kind is Kind.MAP:
        return [tuple(map(arrow_value, (field.type for field in kind.fields), pair)) for pair in value]
    if kind.kind is Kind.STRUCT:
        return {field.name: arrow_value(field.type, value[field.name]) for field in kind.fields}
    return value


def both(types: dict[str, Type], columns: Sequence[list[Any]], rows: int) -> tuple[Any, pa.RecordBatch]:
    plain = RowBatch(names=tuple(types), types=tuple(types.values()), columns=tuple(columns), rows=rows)
    arrays = [
        pa.array([arrow_value(kind, value) for value in values], arrow_type(kind))
        for kind, values in zip(types.values(), columns, strict=True)
    ]
    return plain, pa.record_batch(arrays, names=list(types))


TABLES = st.tuples(
    st.lists(st.tuples(NAMES, TYPES), min_size=1, max_size=3, unique_by=lambda pair: pair[0]),
    st.integers(0, 5),
).flatmap(
    lambda drawn: st.tuples(
        st.just(dict(drawn[0])),
        st.tuples(*(st.lists(values(t), min_size=drawn[1], max_size=drawn[1]) for _, t in drawn[0])),
        st.just(drawn[1]),
    )
)


@given(TABLES, st.integers(0, 5), st.integers(0, 5))
def test_arrow_columns_have_the_plain_encoding_also_of_a_slice(table: Any, start: int, count: int) -> None:
    types, columns, rows = table
    plain, batch = both(types, columns, rows)
    expected, found = encode(plain), ArrowRows(batch)
    assert [bytes(row) for row in found.rows] == list(expected.rows)
    assert {name: bytes(data) for name, data in found.values()} == dict(expected.values())
    some = frozenset(list(types)[:1])
    assert [bytes(row) for row in found.only(some)] == list(expected.only(some))
    assert [bytes(row) for row in found.without(some)] == list(expected.without(some))
    part = ArrowRows(batch.slice(start, count))
    assert [bytes(row) for row in part.rows] == list(expected.rows)[start : start + count]


@given(TABLES)
def test_the_schema_of_arrow_is_the_declared_one(table: Any) -> None:
    types, columns, rows = table
    _, batch = both(types, columns, rows)
    declared = Schema(fields=tuple(Field(name=name, type=kind) for name, kind in types.items()))
    assert schema_of(batch.schema) == declared


def rows_of(array: pa.Array) -> list[bytes]:
    return [bytes(row) for row in ArrowRows(pa.record_batch([array], names=["a"])).rows]


NUMBERS = [1, None, 5]


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_integers_of_all_widths_are_one_type(kind: str) -> None:
    assert rows_of(pa.array(NUMBERS, kind)) == rows_of(pa.array(NUMBERS, pa.int64()))


DAYS = [dt.date(2020, 1, 1), None]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array(DAYS, pa.date64()), pa.array(DAYS, pa.date32())),
        (pa.array(["x", None, ""], pa.large_string()), pa.array(["x", None, ""])),
        (pa.array(["x", None, "x"]).dictionary_encode(), pa.array(["x", None, "x"])),
        (pa.array([[1, 2], None], pa.list_(pa.int8(), 2)), pa.array([[1, 2], None])),
        (pa.array([[1, 2], None], pa.large_list(pa.int8())), pa.array([[1, 2], None])),
        (pa.array([b"ab", None], pa.binary(2)), pa.array([b"ab", None])),
        (pa.array([decimal.Decimal("1.5")], pa.decimal256(50, 1)), pa.array([decimal.Decimal("1.5")])),
    ],
    ids=["date", "large-string", "dictionary", "fixed-list", "large-list", "fixed-bytes", "decimal"],
)
def test_two_layouts_of_the_same_values_have_one_encoding(one: pa.Array, other: pa.Array) -> None:
    assert rows_of(one) == rows_of(other)


def test_wide_integers_and_decimals_are_exact() -> None:
    expected = encode(RowBatch(names=("a",), types=(Type(kind=Kind.INT),), columns=([2**64 - 1, 0],), rows=2))
    assert rows_of(pa.array([2**64 - 1, 0], pa.uint64())) == list(expected.rows)


def test_the_payload_of_a_nan_is_kept_also_in_lists() -> None:
    bits = pa.array([0x7F800001, 0x7FC00000, 0x7FC00001], pa.int32()).view(pa.float32())
    assert len(set(rows_of(bits))) == 3
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3], pa.int32()), bits)
    assert len(set(rows_of(lists))) == 3


def test_what_a_null_hides_does_not_count() -> None:
    masked = pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(b"\x01"), pa.py_buffer(b"\x07" * 16)])
    assert rows_of(masked)[1] == rows_of(pa.array([None], pa.int64()))[0]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([(1, 2, 3)], pa.month_day_nano_interval()),
        pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]),
        pa.array([1], pa.int64()).cast(pa.date64()),
    ],
    ids=["interval", "union", "date-not-at-midnight"],
)
def test_what_has_no_encoding_is_refused(array: pa.Array) -> None:
    with pytest.raises(UnreadableError):
        rows_of(array)


def test_types_nested_too_deeply_are_refused() -> None:
    kind = pa.int8()
    for _ in range(100):
        kind = pa.list_(kind)
    with pytest.raises(UnreadableError, match="nested deeper"):
        type_of(kind)
    assert type_of(pa.list_(pa.time32("ms"))) == list_of(Type(kind=Kind.TIME, unit=Unit.MILLISECOND))
