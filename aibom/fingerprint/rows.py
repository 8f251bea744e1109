"""The canonical encoding of typed values and rows, and the digests of rows.

Version 1. No two different rows share an encoding, since every value says its type and its length.
Lengths, counts and scales take 4 bytes, other numbers 8, all little-endian and counts unsigned.

    row    = "aibom:row:v1\\0", then for each column, sorted by the bytes of its name: name | value
    name   = length | UTF-8
    null   = "N"                         true = "T"    false = "F"
    int    = "i" | 8 bytes two's complement, when it fits
           = "I" | length | two's complement in as few bytes as it takes, otherwise
    float  = "e" | 2 bytes, "f" | 4 bytes, "d" | 8 bytes: the bits of IEEE 754, NaN with its payload
    text   = "s" | length | UTF-8        bytes = "b" | length | bytes
    decimal = "m" | scale | int          date = "D" | days
    time   = "h" | unit | number         duration = "u" | unit | number       unit: "s", "m", "u", "n"
    timestamp = "t" | unit | number, or with a zone "z" | unit | length | zone | number
    list   = "l" | count | values        map = "p" | count | key | value | ...
    struct = "r" | count | name | value | ..., sorted as the columns are

A lone surrogate of JSON text is written as UTF-8 would if it were allowed to (WTF-8). A member that
an object of JSON does not have is left out; a value that is not there is nowhere a null.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Final, cast

from aibom.domain.dataset import ABSENT, Field, Kind, RowBatch, Schema, Type

ROW_TAG: Final = b"aibom:row:v1\0"
_SCHEMA_TAG: Final = b"aibom:schema:v1\0"

Encode = Callable[[object], bytes]
Buffer = bytes | memoryview

NULL: Final = b"N"
_TRUTH: Final = {True: b"T", False: b"F"}
_LOW, _HIGH = -(1 << 63), 1 << 63
# The lengths of most values, ready made.
_SIZES: Final = [struct.pack("<I", size) for size in range(4_096)]
_TEXT: Final = [b"s" + size for size in _SIZES]
_PACK_INT: Final = struct.Struct("<cq").pack
_PACK_DOUBLE: Final = struct.Struct("<cd").pack
_FLOATS: Final = {Kind.FLOAT16: (b"e", "<ce"), Kind.FLOAT32: (b"f", "<cf"), Kind.FLOAT64: (b"d", "<cd")}
_TIMES: Final = {Kind.TIME: b"h", Kind.DURATION: b"u", Kind.TIMESTAMP: b"t"}


def size(length: int) -> bytes:
    """A length or count. Raises ValueError from 4 GiB on."""
    if length < len(_SIZES):
        return _SIZES[length]
    if length >> 32:
        raise ValueError(f"a value of {length} bytes or items has no encoding")
    return struct.pack("<I", length)


def name_cell(name: str) -> bytes:
    """What stands in front of the value of a column or field."""
    label = name.encode("utf-8", "surrogatepass")
    return size(len(label)) + label


def sort_key(name: str) -> bytes:
    """Columns and fields are sorted by this."""
    return name.encode("utf-8", "surrogatepass")


def whole(value: int) -> bytes:
    """An integer of any width."""
    if _LOW <= value < _HIGH:
        return _PACK_INT(b"i", value)
    length = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return b"I" + size(length) + value.to_bytes(length, "little", signed=True)


def text(value: str) -> bytes:
    """A string, by its code points."""
    label = value.encode("utf-8", "surrogatepass")
    length = len(label)
    return (_TEXT[length] if length < len(_TEXT) else b"s" + size(length)) + label


def _text(value: object) -> bytes:
    """A string, or the UTF-8 of one."""
    if isinstance(value, bytes):
        return b"s" + size(len(value)) + value
    return text(cast("str", value))


def inferred(value: object) -> bytes:
    """A value of JSON: numbers with a point or an exponent are float64, the others int."""
    if value is None:
        return NULL
    kind = type(value)
    if kind is str:
        return text(cast("str", value))
    if kind is int:
        return whole(cast("int", value))
    if kind is float:
        return _PACK_DOUBLE(b"d", value)
    if kind is bool:
        return _TRUTH[cast("bool", value)]
    if kind is list:
        items = cast("list[object]", value)
        return b"l" + size(len(items)) + b"".join(map(inferred, items))
    return _struct_of(cast("dict[str, object]", value))


def _struct_of(members: dict[str, object]) -> bytes:
    parts = sorted((sort_key(name), value) for name, value in members.items() if value is not ABSENT)
    body = b"".join(size(len(label)) + label + inferred(value) for label, value in parts)
    return b"r" + size(len(parts)) + body


def encoder(kind: Type) -> Encode:
    """The encoding of values of one type."""
    inner = _encoder(kind)
    return lambda value: NULL if value is None else inner(value)


def _encoder(kind: Type) -> Encode:
    if kind.kind in _FLOATS:
        tag, layout = _FLOATS[kind.kind]
        pack = struct.Struct(layout).pack
        return lambda value: pack(tag, value)
    if kind.kind is Kind.LIST:
        return _items(encoder(kind.fields[0].type))
    if kind.kind is Kind.MAP:
        return _pairs(encoder(kind.fields[0].type), encoder(kind.fields[1].type))
    if kind.kind is Kind.STRUCT:
        return _members(kind.fields)
    if kind.kind in (Kind.TIME, Kind.DURATION, Kind.TIMESTAMP, Kind.DATE):
        head, number = fixed_head(kind), struct.Struct("<q").pack
        return lambda value: head + number(value)
    return _simple(kind)


def fixed_head(kind: Type) -> bytes:
    """What stands in front of the 8 bytes of a date or time."""
    if kind.kind is Kind.DATE:
        return b"D"
    unit = kind.unit.value[0].encode() if kind.unit else b""
    if kind.zone is None:
        return _TIMES[kind.kind] + unit
    return b"z" + unit + name_cell(kind.zone)


def _simple(kind: Type) -> Encode:
    scale = b"m" + struct.pack("<i", kind.scale)
    found: dict[Kind, Encode] = {
        Kind.NULL: lambda _: NULL,
        Kind.BOOL: lambda value: _TRUTH[cast("bool", value)],
        Kind.INT: lambda value: whole(cast("int", value)),
        Kind.DECIMAL: lambda value: scale + whole(cast("int", value)),
        Kind.STRING: _text,
        Kind.BYTES: lambda value: b"b" + size(len(cast("bytes", value))) + cast("bytes", value),
    }
    return found[kind.kind]


def _items(item: Encode) -> Encode:
    def encode(value: object) -> bytes:
        items = cast("Sequence[object]", value)
        return b"l" + size(len(items)) + b"".join(map(item, items))

    return encode


def _pairs(key: Encode, value: Encode) -> Encode:
    def encode(pairs: object) -> bytes:
        found = cast("Sequence[tuple[object, object]]", pairs)
        return b"p" + size(len(found)) + b"".join(key(one) + value(other) for one, other in found)

    return encode


def _members(fields: tuple[Field, ...]) -> Encode:
    ordered = sorted(fields, key=lambda field: sort_key(field.name))
    parts = [(field.name, name_cell(field.name), encoder(field.type)) for field in ordered]
    head = b"r" + size(len(parts))

    def encode(value: object) -> bytes:
        found = cast("dict[str, object]", value)
        return head + b"".join(label + inner(found.get(name)) for name, label, inner in parts)

    return encode


def column(kind: Type | None, values: Sequence[object]) -> list[bytes]:
    """The encodings of the values of one column; b"" for one that is absent."""
    if kind is not None and kind.kind is not Kind.STRING:
        return list(map(encoder(kind), values))
    kinds = set(map(type, values))
    if kinds == {str}:
        return _texts(cast("Sequence[str]", values))
    if kinds == {bytes}:
        return _labels(cast("Sequence[bytes]", values))
    if kind is not None:
        return list(map(encoder(kind), values))
    if kinds == {int}:
        return list(map(whole, cast("Sequence[int]", values)))
    if kinds == {float}:
        pack = _PACK_DOUBLE
        return [pack(b"d", value) for value in values]
    if kinds == {bool}:
        return [b"T" if value else b"F" for value in values]
    return [b"" if value is ABSENT else inferred(value) for value in values]


def _texts(values: Sequence[str]) -> list[bytes]:
    """As `text`, without a call of ours per value."""
    try:
        labels = list(map(str.encode, values))
    except UnicodeEncodeError:
        return list(map(text, values))
    return _labels(labels)


def _labels(labels: Sequence[bytes]) -> list[bytes]:
    sizes, many = _TEXT, len(_TEXT)
    return [
        (sizes[length] if (length := len(label)) < many else b"s" + size(length)) + label for label in labels
    ]


def joined(names: Sequence[str], columns: Sequence[Sequence[bytes]], rows: int) -> list[bytes]:
    """The encodings of rows, from the encoded values of their columns."""
    parts: list[Iterable[bytes]] = [repeat(ROW_TAG, rows)]
    for name, values in sorted(zip(names, columns, strict=True), key=lambda pair: sort_key(pair[0])):
        label = name_cell(name)
        absent = b"" in values
        parts += [[label if value else b"" for value in values] if absent else repeat(label, rows), values]
    return list(map(b"".join, zip(*parts, strict=True)))


def encoded(batch: RowBatch) -> list[bytes]:
    """The encodings of the rows of a batch."""
    columns = [column(kind, values) for kind, values in zip(batch.types, batch.columns, strict=True)]
    return joined(batch.names, columns, batch.rows)


def row_digests(rows: Iterable[Buffer], salt: bytes | None) -> list[bytes]:
    """SHA-256 of each encoding; with a salt HMAC-SHA-256 under it."""
    if salt is None:
        sha256 = hashlib.sha256
        return [sha256(row).digest() for row in rows]
    digest = hmac.digest
    return [digest(salt, row, "sha256") for row in rows]


def schema_digest(schema: Schema) -> str:
    """SHA-256 over a tag and the columns, sorted by name: name, then the type as in `_described`."""
    ordered = sorted(schema.fields, key=lambda field: sort_key(field.name))
    body = b"".join(name_cell(field.name) + _described(field.type) for field in ordered)
    return hashlib.sha256(_SCHEMA_TAG + body).hexdigest()


def _described(kind: Type) -> bytes:
    """Kind, unit and zone, each with its length, the scale, the number of inner types and these.

    The parts of a struct stand sorted with their names; those of lists and maps have none.
    """
    words = (kind.kind.value, kind.unit.value if kind.unit else "", kind.zone or "")
    head = b"".join(map(name_cell, words)) + struct.pack("<iI", kind.scale, len(kind.fields))
    if kind.kind is not Kind.STRUCT:
        return head + b"".join(_described(field.type) for field in kind.fields)
    ordered = sorted(kind.fields, key=lambda field: sort_key(field.name))
    return head + b"".join(name_cell(field.name) + _described(field.type) for field in ordered)
