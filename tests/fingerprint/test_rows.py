"""The canonical encoding: injective over types, one for all forms of the same row."""

from __future__ import annotations

import hashlib
import hmac
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.dataset import ABSENT, Field, Kind, RowBatch, Schema, Type, Unit, list_of
from aibom.fingerprint.rows import encoded, encoder, inferred, row_digests, schema_digest, size
from tests.fingerprint.row_values import NAMES, TYPES, Decoder, values

INT, TEXT = Type(kind=Kind.INT), Type(kind=Kind.STRING)


def canonical(kind: Type, value: Any) -> Any:  # noqa: PLR0911
    """What the decoder gives for a value: every type and every bit apart."""
    if value is None:
        return b"N"
    match kind.kind:
        case Kind.BOOL:
            return b"T" if value else b"F"
        case Kind.FLOAT16 | Kind.FLOAT32 | Kind.FLOAT64:
            tag = {"float16": "e", "float32": "f", "float64": "d"}[kind.kind]
            return tag.encode(), struct.pack("<" + tag, value)
        case Kind.INT:
            return b"i", value
        case Kind.DATE:
            return b"D", value
        case Kind.DECIMAL:
            return b"m", struct.pack("<i", kind.scale), (b"i", value)
        case Kind.STRING:
            return b"s", value.encode("utf-8", "surrogatepass")
        case Kind.BYTES:
            return b"b", value
        case Kind.LIST:
            return b"l", [canonical(kind.fields[0].type, item) for item in value]
        case Kind.MAP:
            return b"p", [tuple(map(canonical, (f.type for f in kind.fields), pair)) for pair in value]
        case Kind.STRUCT:
            pairs = [(field.name.encode(), canonical(field.type, value[field.name])) for field in kind.fields]
            return b"r", sorted(pairs, key=lambda pair: pair[0])
    number = struct.pack("<q", value)
    assert kind.unit is not None
    unit = kind.unit.value[0].encode()
    if kind.zone is not None:
        return b"z", unit, kind.zone.encode(), number
    return {Kind.TIMESTAMP: b"t", Kind.DURATION: b"u", Kind.TIME: b"h"}[kind.kind], unit, number


def row(types: dict[str, Type], found: dict[str, Any]) -> bytes:
    batch = RowBatch(
        names=tuple(types),
        types=tuple(types.values()),
        columns=tuple([found[name]] for name in types),
        rows=1,
    )
    return encoded(batch)[0]


ROWS = st.lists(st.tuples(NAMES, TYPES), max_size=4, unique_by=lambda pair: pair[0]).flatmap(
    lambda pairs: st.tuples(
        st.just(dict(pairs)), st.fixed_dictionaries({name: values(kind) for name, kind in pairs})
    )
)


@given(ROWS)
def test_every_row_can_be_decoded_so_that_no_two_share_an_encoding(typed: tuple[Any, Any]) -> None:
    types, found = typed
    expected = [(name.encode(), canonical(types[name], found[name])) for name in types]
    decoder = Decoder(row(types, found))
    assert decoder.row() == sorted(expected, key=lambda pair: pair[0])


@given(ROWS, ROWS)
def test_rows_are_equal_exactly_when_their_encodings_are(
    one: tuple[Any, Any], other: tuple[Any, Any]
) -> None:
    pairs = [{name: canonical(types[name], found[name]) for name in types} for types, found in (one, other)]
    assert (row(*one) == row(*other)) is (pairs[0] == pairs[1])


@given(ROWS, st.randoms())
def test_the_order_of_columns_does_not_matter(typed: tuple[Any, Any], chance: Any) -> None:
    types, found = typed
    names = list(types)
    chance.shuffle(names)
    assert row({name: types[name] for name in names}, found) == row(types, found)


@given(st.integers(-(2**200), 2**200))
def test_integers_of_any_width_come_back(number: int) -> None:
    decoder = Decoder(inferred(number))
    assert decoder.value() == (b"i", number)


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (0, b"i" + bytes(8)),
        (-1, b"i" + b"\xff" * 8),
        (2**63 - 1, b"i" + b"\xff" * 7 + b"\x7f"),
        (2**63, b"I\x09\0\0\0" + bytes(7) + b"\x80\0"),
        (-(2**63), b"i" + bytes(7) + b"\x80"),
        (-(2**63) - 1, b"I\x09\0\0\0" + b"\xff" * 7 + b"\x7f\xff"),
    ],
    ids=["zero", "minus-one", "highest", "above", "lowest", "below"],
)
def test_integers_have_the_encoding_that_is_written_down(number: int, data: bytes) -> None:
    assert inferred(number) == data


def test_null_empty_absent_zero_and_false_are_five_things() -> None:
    def one(value: object) -> bytes:
        return encoded(RowBatch(names=("a",), types=(None,), columns=([value],), rows=1))[0]

    assert len({one(value) for value in (None, "", ABSENT, 0, False, 0.0, -0.0, [], {})}) == 9


def test_floats_are_bits() -> None:
    kind = encoder(Type(kind=Kind.FLOAT64))
    quiet, other = struct.unpack("<dd", struct.pack("<QQ", 0x7FF8000000000000, 0x7FF8000000000001))
    assert math.isnan(quiet)
    assert len({kind(0.0), kind(-0.0), kind(quiet), kind(other)}) == 4
    assert kind(1.5) != encoder(Type(kind=Kind.FLOAT32))(1.5)


def test_json_values_are_encoded_as_declared_ones_of_the_same_type() -> None:
    text = encoder(list_of(TEXT))
    assert inferred(["a", None]) == text(["a", None])
    kind = Type(kind=Kind.STRUCT, fields=(Field(name="b", type=INT), Field(name="a", type=TEXT)))
    assert inferred({"b": 1, "a": "x"}) == encoder(kind)({"b": 1, "a": "x"})


def test_lone_surrogates_have_an_encoding_of_their_own() -> None:
    assert inferred("\ud800") == b"s\x03\0\0\0\xed\xa0\x80"
    batch = RowBatch(names=("a",), types=(TEXT,), columns=(["x", "\ud800"],), rows=2)
    assert encoded(batch)[1].endswith(inferred("\ud800"))


def test_a_length_that_four_bytes_do_not_hold_is_refused() -> None:
    assert size(2**32 - 1) == b"\xff" * 4
    with pytest.raises(ValueError, match="has no encoding"):
        size(2**32)


def test_a_row_digest_is_plain_sha256_and_with_a_salt_hmac() -> None:
    salt = b"0123456789abcdef"
    assert row_digests([b"x"], None) == [hashlib.sha256(b"x").digest()]
    assert row_digests([b"x"], salt) == [hmac.new(salt, b"x", "sha256").digest()]


@given(TYPES, TYPES)
def test_schemas_differ_when_a_type_does(one: Type, other: Type) -> None:
    digests = [schema_digest(Schema(fields=(Field(name="a", type=kind),))) for kind in (one, other)]
    assert (digests[0] == digests[1]) is (ordered(one) == ordered(other))


def ordered(kind: Type) -> Any:
    """A type without the order of the fields of structs."""
    parts = [(field.name, ordered(field.type)) for field in kind.fields]
    if kind.kind is Kind.STRUCT:
        parts.sort()
    return (kind.kind.value, kind.unit.value if kind.unit else "", kind.zone or "", kind.scale, parts)


def test_the_order_of_the_columns_is_no_part_of_the_schema_digest() -> None:
    one, other = Field(name="a", type=INT), Field(name="b", type=TEXT)
    assert schema_digest(Schema(fields=(one, other))) == schema_digest(Schema(fields=(other, one)))


@pytest.mark.parametrize(
    "parts",
    [
        {"kind": Kind.TIMESTAMP},
        {"kind": Kind.INT, "unit": Unit.SECOND},
        {"kind": Kind.TIMESTAMP, "unit": Unit.SECOND, "zone": ""},
        {"kind": Kind.LIST},
        {"kind": Kind.STRUCT, "fields": (Field(name="a", type=INT), Field(name="a", type=TEXT))},
    ],
    ids=["no-unit", "needless-unit", "empty-zone", "list-of-nothing", "one-name-twice"],
)
def test_types_that_cannot_be_are_refused(parts: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        Type(**parts)
