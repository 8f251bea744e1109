"""The protobuf walker: it sees what the reference parser sees, and nothing hostile gets through."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable

import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import MIB
from aibom.readers.protobuf import I32, I64, LEN, MESSAGE_DEPTH, VARINT, Field, Walker
from aibom.readers.ranges import Budgeted, Cursor, Memory


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, wire: int, payload: bytes) -> bytes:
    return varint(number << 3 | wire) + payload


def nested(number: int, data: bytes) -> bytes:
    return field(number, LEN, varint(len(data)) + data)


def walk(data: bytes) -> list[Field]:
    return list(Walker(Cursor(Memory(data))).fields(0, len(data)))


def plain(data: bytes) -> list[tuple[int, int, int | bytes]]:
    """Our fields in the words of the reference parser."""
    return [(f.number, f.wire, data[f.start : f.end] if f.wire == LEN else f.value) for f in walk(data)]


def reference(data: bytes) -> list[tuple[int, int, int | bytes]] | None:
    """What the reference parser sees, None where it refuses; groups come as wire type 3."""
    message = Empty()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return None
    return [(f.field_number, f.wire_type, f.data) for f in UnknownFieldSet(message)]


FIELDS = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 2**29 - 1), st.just(VARINT), st.integers(0, 2**64 - 1).map(varint)),
        st.tuples(st.integers(1, 2**29 - 1), st.just(I64), st.binary(min_size=8, max_size=8)),
        st.tuples(st.integers(1, 2**29 - 1), st.just(I32), st.binary(min_size=4, max_size=4)),
        st.tuples(
            st.integers(1, 2**29 - 1),
            st.just(LEN),
            st.binary(max_size=300).map(lambda b: varint(len(b)) + b),
        ),
    ),
    max_size=20,
)


def joined(fields: Iterable[tuple[int, int, bytes]]) -> bytes:
    return b"".join(field(*one) for one in fields)


@given(FIELDS)
def test_the_fields_are_those_of_the_reference_parser(fields: list[tuple[int, int, bytes]]) -> None:
    data = joined(fields)
    assert plain(data) == reference(data)


@settings(max_examples=400)
@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_judged_like_the_reference_parser_does(data: bytes) -> None:
    expected = reference(data)
    # The reference lets the number 0 through where nobody asks for the fields; the format has none.
    if expected is None or any(wire == 3 or number == 0 for number, wire, _ in expected):
        with pytest.raises(UnreadableError):
            walk(data)
    else:
        assert plain(data) == expected


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20), st.booleans())
def test_repeated_integers_are_read_packed_and_one_by_one(values: list[int], packed: bool) -> None:
    numbers = [varint(value % 2**64) for value in values]
    data = nested(1, b"".join(numbers)) if packed else b"".join(field(1, VARINT, n) for n in numbers)
    walker = Walker(Cursor(Memory(data)))
    found = [n for one in walker.fields(0, len(data)) for n in walker.integers(one, 20)]
    assert found == values


def test_payloads_are_not_read() -> None:
    data = b"".join(nested(1, bytes(100_000)) for _ in range(20)) + field(2, VARINT, b"\x07")
    walker = Walker(Cursor(Budgeted(Memory(data), 450_000)))
    assert [f.number for f in walker.fields(0, len(data))] == [1] * 20 + [2]


def test_embedded_messages_are_walked_with_absolute_places() -> None:
    tensor = TensorProto(dims=[2, -1], name="w", raw_data=b"12345678")
    data = nested(1, b"xx") + nested(7, tensor.SerializeToString()) + field(3, VARINT, b"\x05")
    walker = Walker(Cursor(Memory(data)))
    outer = list(walker.fields(0, len(data)))
    inner = {f.number: f for f in walker.inside(outer[1])}
    assert data[inner[9].start : inner[9].end] == b"12345678"
    assert walker.text(inner[8], 10) == "w"
    assert inner[1].signed == -1
    assert (inner[1].depth, outer[2].value) == (1, 5)


def test_a_walk_goes_on_where_it_was_after_its_consumer_read_elsewhere() -> None:
    data = b"".join(nested(1, b"abc" * 200) for _ in range(50))
    walker = Walker(Cursor(Memory(data)))
    assert [walker.data(f, 3) for f in walker.fields(0, len(data))] == [b"abc"] * 50


def test_text_is_cut_and_escaped() -> None:
    data = nested(1, b"ab\xffcdef")
    walker = Walker(Cursor(Memory(data)))
    (one,) = walker.fields(0, len(data))
    assert walker.text(one, 3) == "ab\\xff… [4 more bytes]"
    assert walker.data(one, 100) == b"ab\xffcdef"


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"\x80", Reason.TRUNCATED, "inside a varint"),
        (b"\x08", Reason.TRUNCATED, "inside a varint"),
        (b"\x08\xff", Reason.TRUNCATED, "inside a varint"),
        (b"\x08" + b"\xff" * 11, Reason.MALFORMED, "longer than 10 bytes"),
        (b"\x0a\x05abc", Reason.TRUNCATED, "its message at 5"),
        (b"\x0a" + varint(2**63), Reason.TRUNCATED, "a field ends at byte 9223372036854775819"),
        (b"\x0d\0\0\0", Reason.TRUNCATED, "its message at 4"),
        (b"\x09" + bytes(7), Reason.TRUNCATED, "its message at 8"),
        (b"\x00\x01", Reason.MALFORMED, "no such field number"),
        (varint(2**29 << 3) + b"\x01", Reason.MALFORMED, "no such field number"),
        (b"\x0b", Reason.UNSUPPORTED, "group"),
        (b"\x0c", Reason.UNSUPPORTED, "group"),
        (b"\x0e", Reason.MALFORMED, "no wire type 6"),
    ],
)
def test_hostile_messages_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        walk(data)
    assert caught.value.reason is reason
    assert words in str(caught.value)
    assert caught.value.offset is not None


def test_too_many_fields_are_refused() -> None:
    data = field(1, VARINT, b"\x01") * 100
    walker = Walker(Cursor(Memory(data)), fields=99)
    with pytest.raises(UnreadableError, match="too many fields"):
        list(walker.fields(0, len(data)))


def test_too_deep_a_nesting_is_refused() -> None:
    data = b""
    for _ in range(MESSAGE_DEPTH + 2):
        data = nested(1, data)
    walker = Walker(Cursor(Memory(data)))
    with pytest.raises(UnreadableError, match="nested deeper"):
        _descend(walker, next(walker.fields(0, len(data))))


def _descend(walker: Walker, one: Field) -> None:
    for inner in walker.inside(one):
        _descend(walker, inner)


def test_more_packed_values_than_asked_for_are_refused_before_they_are_built() -> None:
    data = nested(1, b"\x01" * (2 * MIB))
    walker = Walker(Cursor(Memory(data)))
    (one,) = walker.fields(0, len(data))
    tracemalloc.start()
    with pytest.raises(UnreadableError, match="more than 20 packed values"):
        walker.integers(one, 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MIB
