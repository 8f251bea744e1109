"""Byte ranges end where they say, budgets hold, and every error carries its offset."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.readers.ranges import Budgeted, Cursor, Memory, Window


@given(st.binary(max_size=50), st.integers(-3, 60), st.integers(-3, 60))
def test_read_at_is_a_slice_or_a_truncation(data: bytes, offset: int, length: int) -> None:
    inside = offset >= 0 and length >= 0 and offset + length <= len(data)
    for reader in (
        Memory(data),
        Window(Memory(b"x" + data + b"y"), 1, len(data)),
        Budgeted(Memory(data), 100),
    ):
        if inside:
            assert reader.read_at(offset, length) == data[offset : offset + length]
            continue
        with pytest.raises(UnreadableError) as caught:
            reader.read_at(offset, length)
        assert caught.value.reason is Reason.TRUNCATED


@given(st.binary(max_size=50), st.integers(0, 60), st.integers(0, 60))
def test_read_into_fills_what_there_is(data: bytes, offset: int, length: int) -> None:
    for reader in (
        Memory(data),
        Window(Memory(b"x" + data + b"y"), 1, len(data)),
        Budgeted(Memory(data), 100),
    ):
        buffer = memoryview(bytearray(length))
        count = reader.read_into(offset, buffer)
        assert bytes(buffer[:count]) == data[offset : offset + length]


def test_a_window_outside_of_its_reader_is_refused() -> None:
    with pytest.raises(UnreadableError):
        Window(Memory(b"1234"), 2, 3)


def test_a_budget_counts_every_byte_that_is_fetched() -> None:
    reader = Budgeted(Memory(bytes(10)), 8)
    reader.read_at(0, 5)
    reader.read_into(0, memoryview(bytearray(3)))
    with pytest.raises(UnreadableError, match="more than 8 bytes") as caught:
        reader.read_at(4, 1)
    assert (caught.value.reason, caught.value.offset) == (Reason.LIMIT, 4)


@given(st.integers(0, 2**64 - 1), st.booleans())
def test_numbers_are_what_struct_says(number: int, big: bool) -> None:
    order = ">" if big else "<"
    data = struct.pack(f"{order}Q", number)
    for name, code in (
        ("u64", "Q"), ("i64", "q"), ("f64", "d"), ("u32", "I"), ("i32", "i"), ("f32", "f"),
        ("u16", "H"), ("i16", "h"), ("u8", "B"), ("i8", "b"),
    ):  # fmt: skip
        cursor = Cursor(Memory(data), big_endian=big)
        (expected,) = struct.unpack_from(order + code, data)
        found = getattr(cursor, name)()
        assert repr(found) == repr(expected)
        assert cursor.position == struct.calcsize(code)


@given(st.binary(min_size=1, max_size=40), st.lists(st.integers(0, 9), max_size=8))
def test_taking_pieces_gives_the_whole(data: bytes, lengths: list[int]) -> None:
    cursor = Cursor(Memory(data))
    taken = b""
    for length in lengths:
        if length > cursor.left:
            break
        taken += cursor.take(length)
    assert taken == data[: cursor.position]


def test_an_error_names_the_place() -> None:
    cursor = Cursor(Memory(b"123456"), 2, 5)
    cursor.skip(2)
    for step in (lambda: cursor.take(2), lambda: cursor.skip(2), cursor.u32, lambda: cursor.skip(-1)):
        with pytest.raises(UnreadableError) as caught:
            step()
        assert caught.value.offset == 4


def test_a_cursor_reads_ahead_in_one_request() -> None:
    asked: list[int] = []

    class Counting(Memory):
        def read_at(self, offset: int, length: int) -> bytes:
            asked.append(length)
            return super().read_at(offset, length)

    cursor = Cursor(Counting(bytes(1000)))
    for _ in range(100):
        cursor.u32()
    assert asked == [1000]
