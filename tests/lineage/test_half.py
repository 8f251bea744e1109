"""Halves and singles side by side, against numpy's conversion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from aibom.lineage.half import doubtful

EVERY_HALF = np.arange(1 << 16, dtype=np.uint16).view(np.float16)


def narrow(single: NDArray[np.float32]) -> NDArray[np.float16]:
    with np.errstate(all="ignore"):
        return single.astype(np.float16)


def certain(single: NDArray[np.float32], half: NDArray[np.float16], *, exact: bool = False) -> set[int]:
    found = doubtful(single.tobytes(), half.tobytes(), exact=exact)
    assert found == sorted(set(found))
    return set(range(len(single))) - set(found)


def test_every_normal_half_is_known_again_and_no_other() -> None:
    size = np.abs(EVERY_HALF.astype(np.float64))
    normal = (size == 0) | ((size >= 2.0**-14) & np.isfinite(size))
    for exact in (False, True):
        assert certain(EVERY_HALF.astype(np.float32), EVERY_HALF, exact=exact) == set(np.flatnonzero(normal))


_BITS = st.lists(st.integers(0, (1 << 32) - 1), min_size=1, max_size=30)
# Around the smallest normal half, the largest, ties, and everything that is not a number.
_EDGES = st.lists(
    st.sampled_from([0x38800000, 0x387FF000, 0x477FEFFF, 0x477FF000, 0x3F801000, 0x3F803000, 0x7F800000, 0])
    .flatmap(lambda bits: st.integers(max(0, bits - 2), bits + 2))
    .flatmap(lambda bits: st.sampled_from([bits, bits | 0x80000000])),
    min_size=1,
    max_size=30,
)


@given(_BITS | _EDGES)
def test_what_is_certain_is_what_numpy_makes_of_it(bits: list[int]) -> None:
    single = np.array(bits, np.uint32).view(np.float32)
    half = narrow(single)
    known = sorted(certain(single, half))
    with np.errstate(all="ignore"):
        size = np.abs(single.astype(np.float64))
    expected = (size == 0) | ((size >= 2.0**-14) & (size < 65520))
    assert known == list(np.flatnonzero(expected))


@given(_BITS | _EDGES, st.data())
def test_another_half_is_never_certain(bits: list[int], data: st.DataObject) -> None:
    single = np.array(bits, np.uint32).view(np.float32)
    half = narrow(single).view(np.uint16)
    at = data.draw(st.integers(0, len(bits) - 1))
    half[at] ^= data.draw(st.integers(1, (1 << 16) - 1))
    assert at not in certain(single, half.view(np.float16))


@pytest.mark.parametrize("lost", [1, 0x1000, 0x1FFF])
def test_a_single_with_more_bits_than_the_half_is_not_exactly_it(lost: int) -> None:
    single = np.array([1.5, 1.5], np.float32)
    single.view(np.uint32)[1] |= lost
    half = narrow(single)
    assert certain(single, half, exact=True) == {0}
    assert certain(single, half) == {0, 1}
