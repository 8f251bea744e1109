"""FlatBuffers tables: absent fields read as defaults, and no offset leads out of the message."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.readers.flatbuffers import Table, root

PAIR = struct.Struct("<hh")


def message(slots: list[int], inline: bytes, rest: bytes = b"") -> bytes:
    """A root table: its vtable with a place per slot (counted from the table, 0: absent), then its bytes."""
    vtable = struct.pack(f"<{2 + len(slots)}H", 4 + 2 * len(slots), 4 + len(inline), *slots)
    return struct.pack("<I", 4 + len(vtable)) + vtable + struct.pack("<i", len(vtable)) + inline + rest


def walk(table: Table, depth: int = 0) -> None:
    """Asks everything of every slot."""
    for slot in range(4):
        for ask in (table.integer, table.binary, lambda slot: list(table.structs(slot, PAIR))):
            with contextlib.suppress(UnreadableError):
                ask(slot)
        with contextlib.suppress(UnreadableError):
            for inner in table.tables(slot):
                if depth < 3:
                    walk(inner, depth + 1)
        with contextlib.suppress(UnreadableError):
            inner = table.union(slot)[1]
            if inner is not None and depth < 3:
                walk(inner, depth + 1)


def test_scalars_of_every_width_and_sign() -> None:
    table = root(message([4, 5, 7, 11, 0], struct.pack("<bHiq", -1, 65535, -2, -(2**63))))
    found = [table.integer(0, "b"), table.integer(1, "H"), table.integer(2), table.integer(3, "q")]
    assert found == [-1, 65535, -2, -(2**63)]


def test_absent_fields_are_defaults_or_none() -> None:
    table = root(message([0], b""))
    for slot in (0, 1, 1000):
        assert table.integer(slot, "h", 7) == 7
        assert table.binary(slot) is None
        assert table.table(slot) is None
        assert table.union(slot) == (0, None)
        assert [*table.tables(slot), *table.structs(slot, PAIR)] == []


def test_strings_vectors_and_tables_are_followed() -> None:
    text = struct.pack("<I", 5) + b"hello"
    pairs = struct.pack("<Ihh", 1, 3, 4)
    inner = struct.pack("<HHH", 6, 8, 4) + struct.pack("<ii", 6, 42)
    # An offset counts from where it is stored; the three are stored one after the other.
    places = (12, 8 + len(text), 4 + len(text) + len(pairs) + 6)
    table = root(message([4, 8, 12], struct.pack("<III", *places), text + pairs + inner))
    assert table.binary(0) == b"hello"
    assert list(table.structs(1, PAIR)) == [(3, 4)]
    found = table.table(2)
    assert found is not None
    assert found.integer(0) == 42


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "leaves its message"),
        (b"\xff\xff\xff\xff", "leaves its message"),
        (struct.pack("<Ii", 4, 100), "leaves its message"),
        (struct.pack("<Ii", 4, -100), "leaves its message"),
        (struct.pack("<IiHH", 4, -4, 60000, 4), "leaves its message"),
    ],
)
def test_hostile_roots_are_named(data: bytes, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        root(data, offset=1000)
    assert caught.value.reason is Reason.MALFORMED
    assert (caught.value.offset or 0) >= 1000


@pytest.mark.parametrize("count", [2, 2**30, 2**32 - 1])
def test_a_vector_that_claims_too_much_is_refused_before_it_is_walked(count: int) -> None:
    table = root(message([4], struct.pack("<I", 4), struct.pack("<I", count)))
    with pytest.raises(UnreadableError, match="leaves its message"):
        list(table.structs(0, PAIR))
    with pytest.raises(UnreadableError, match="leaves its message"):
        list(table.tables(0))


def test_offsets_never_lead_back() -> None:
    table = root(message([4], struct.pack("<I", 2**32 - 4)))
    with pytest.raises(UnreadableError, match="leaves its message"):
        table.table(0)


def test_shared_tables_are_counted_each_time() -> None:
    count = 4000
    offsets = b"".join(struct.pack("<I", 4 * (count - place) + 4) for place in range(count))
    leaf = struct.pack("<HHi", 4, 4, 4)
    table = root(message([4], struct.pack("<I", 4), struct.pack("<I", count) + offsets + leaf))
    assert sum(1 for _ in table.tables(0)) == count
    with pytest.raises(UnreadableError) as caught:
        sum(1 for _ in table.tables(0))
    assert caught.value.reason is Reason.LIMIT


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    with contextlib.suppress(UnreadableError):
        walk(root(data))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.lists(st.integers(0, 70), max_size=4))
def test_arbitrary_fields_raise_nothing_else(inline: bytes, slots: list[int]) -> None:
    walk(root(message(slots, inline)))
