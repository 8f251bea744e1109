"""Lanes of a large integer against the same question asked element by element."""

from __future__ import annotations

from functools import reduce
from operator import or_

from hypothesis import given
from hypothesis import strategies as st

from aibom.lineage.lanes import combined, marked, repeated

WIDTHS = st.sampled_from([1, 2, 4, 8, 16])


def laid(values: list[int], width: int) -> int:
    return int.from_bytes(b"".join(value.to_bytes(width, "little") for value in values), "little")


@given(WIDTHS, st.data())
def test_a_lane_is_marked_when_it_is_not_zero(width: int, data: st.DataObject) -> None:
    top = (1 << 8 * width) - 1
    values = data.draw(st.lists(st.sampled_from([0, 1, top, top // 2, top // 2 + 1]), min_size=1, max_size=9))
    expected = [(value != 0) << (8 * width - 1) for value in values]
    assert marked(laid(values, width), width, len(values)) == laid(expected, width)


@given(WIDTHS, st.data())
def test_combined_lanes_hold_the_bits_of_each(width: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(0, (1 << 8 * width) - 1), min_size=1, max_size=9))
    assert combined(laid(values, width), width, len(values)) == reduce(or_, values)


def test_a_value_is_repeated_in_each_lane() -> None:
    assert repeated(0x0102, 2, 3) == 0x010201020102
