"""The compact protocol: what is asked for is told, what is not is skipped, nothing is believed."""

from __future__ import annotations

import contextlib
import struct as packing
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.readers.thrift import DEPTH, CompactReader, Shape
from tests import thrift

EVERYTHING: Shape = dict.fromkeys(range(-10, 40))
NESTED = thrift.struct({1: thrift.integer(7), 2: thrift.binary("x")})

# One field of every type that the protocol has.
OF_EVERY_TYPE = {
    1: (thrift.TRUE, b""),
    2: (thrift.FALSE, b""),
    3: (thrift.BYTE, b"\xfe"),
    4: (thrift.I16, thrift.zigzag(-300)),
    5: (thrift.I32, thrift.zigzag(2**31 - 1)),
    6: thrift.integer(-(2**63)),
    7: (thrift.DOUBLE, packing.pack("<d", 1.5)),
    8: thrift.binary("text"),
    9: thrift.listed(NESTED, NESTED),
    10: (thrift.SET, b"\x25" + thrift.zigzag(1) + thrift.zigzag(2)),
    11: (thrift.MAP, b"\x02" + bytes([thrift.BINARY << 4 | thrift.TRUE]) + b"\x01a\x01\x01b\x02"),
    12: NESTED,
    13: (thrift.UUID, b"u" * 16),
    14: thrift.listed((0, b"\x01"), (0, b"\x02"), kind=thrift.TRUE),
    15: (thrift.MAP, b"\0"),
    16: thrift.listed((0, b"1234567\0"), kind=thrift.DOUBLE),
    40: thrift.integer(9),
}


def read(message: tuple[int, bytes], shape: Shape) -> object:
    return CompactReader(message[1]).struct(shape)


def test_fields_of_every_type_are_read_or_skipped() -> None:
    shape: Shape = {**EVERYTHING, 9: {1: None}, 12: {2: None}, 40: None}
    found = CompactReader(thrift.struct(OF_EVERY_TYPE)[1]).struct(shape)
    assert [found.integer(i) for i in (1, 2, 3, 4, 5, 6, 40)] == [1, 0, -2, -300, 2**31 - 1, -(2**63), 9]
    assert found.binary(8) == b"text"
    assert [inner.integer(1) for inner in found.structs(9)] == [7, 7]
    inner = found.struct(12)
    assert inner is not None
    assert (inner.binary(2), 1 in inner) == (b"x", False)


def test_everything_may_be_skipped() -> None:
    reader = CompactReader(thrift.struct(OF_EVERY_TYPE)[1] + b"rest", offset=100)
    assert list(reader.struct({})) == []
    assert reader.position == 100 + len(thrift.struct(OF_EVERY_TYPE)[1])


def test_a_field_of_another_type_reads_as_absent() -> None:
    found = CompactReader(thrift.struct({1: thrift.binary("x"), 2: thrift.integer(1)})[1]).struct(EVERYTHING)
    assert (found.integer(1), found.binary(2), found.struct(1), found.structs(2)) == (None, None, None, [])


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.integers(-10, 30), st.integers(-(2**63), 2**63 - 1)))
def test_every_integer_survives(values: dict[int, int]) -> None:
    found = CompactReader(thrift.struct({i: thrift.integer(v) for i, v in values.items()})[1]).struct(
        EVERYTHING
    )
    assert {i: found.integer(i) for i in found} == values


def test_short_field_heads_add_to_the_id_before() -> None:
    found = CompactReader(b"\x36\x02\x16\x04\0").struct(EVERYTHING)
    assert {i: found.integer(i) for i in found} == {3: 1, 4: 2}


def nested(levels: int) -> bytes:
    return bytes([0x10 | thrift.STRUCT]) * levels + b"\0" * (levels + 1)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.TRUNCATED, "ends inside"),
        (b"\x16" + b"\xff" * 9 + b"\x02\0", Reason.MALFORMED, "longer than 64 bits"),
        (b"\x16" + b"\xff" * 20, Reason.MALFORMED, "longer than 64 bits"),
        (b"\x18" + thrift.varint(2**63), Reason.TRUNCATED, "9223372036854775808 bytes expected"),
        (b"\x1e", Reason.MALFORMED, "unknown Thrift type 14"),
        (nested(DEPTH), Reason.LIMIT, "nested deeper"),
        (b"\x19" + b"\x19" * 100, Reason.LIMIT, "nested deeper"),
        (b"\x1b\x01\xbb" * 1 + b"\x01\xbb" * 100, Reason.LIMIT, "nested deeper"),
        (thrift.struct({1: thrift.listed(count=2**62)})[1], Reason.LIMIT, "10000000 values"),
        (b"\x1b" + thrift.varint(2**62), Reason.LIMIT, "10000000 values"),
        (b"\x19\xf7" + thrift.varint(9_000_000), Reason.TRUNCATED, "72000000 bytes expected"),
    ],
)
@pytest.mark.parametrize("shape", [{}, {1: {}}], ids=["skipped", "kept"])
def test_hostile_messages_are_named(data: bytes, reason: Reason, words: str, shape: Shape) -> None:
    with pytest.raises(UnreadableError, match="byte") as caught:
        CompactReader(data).struct(shape)
    if "list of structs" not in str(caught.value):  # a kept list refuses other elements first
        assert (caught.value.reason, words in str(caught.value)) == (reason, True)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (thrift.struct({1: thrift.listed(count=10_001)}), "at most 10000"),
        (thrift.struct({1: thrift.listed((0, b"\0"), kind=thrift.I64)}), "not of Thrift type 6"),
    ],
)
def test_a_list_that_is_kept_is_short_and_of_structs(message: tuple[int, bytes], words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        read(message, {1: {}})


def test_streamed_structs_need_a_list() -> None:
    with pytest.raises(UnreadableError, match="a list is expected"):
        list(CompactReader(b"").structs(thrift.I64, {}))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=100))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    for shape in ({}, EVERYTHING, {1: {}, 2: {1: {}}}):
        with contextlib.suppress(UnreadableError):
            CompactReader(data).struct(shape)


def test_claimed_lengths_allocate_nothing() -> None:
    data = thrift.struct({1: (thrift.BINARY, thrift.varint(4_000_000) + b"x" * 4_000_000)})[1]
    tracemalloc.start()
    found = CompactReader(data).struct(EVERYTHING)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.binary(1) or b"") == 4_000_000
    assert peak < 100_000
