"""How one tensor became another, against numpy's count of the same bytes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Layout, Tensor
from aibom.lineage.census import STEP_BYTES, census
from aibom.lineage.change import Kind, TensorChange, is_comparable, tensor_change
from aibom.readers.ranges import Memory

Array = NDArray[np.generic]
_NAMES = {"float32": "F32", "float16": "F16", "float64": "F64", "int32": "I32", "uint8": "U8", "int64": "I64"}
RANDOM = np.random.default_rng(3)
PLAIN = RANDOM.standard_normal((128, 64)).astype(np.float32)


def described(array: Array, dtype: str | None = None, offset: int = 0) -> Tensor:
    return Tensor(
        name="w",
        dtype=dtype or _NAMES[str(array.dtype)],
        shape=array.shape,
        offset=offset,
        length=array.nbytes,
    )


def compared(old: Array, new: Array, was: str | None = None, becomes: str | None = None) -> TensorChange:
    """The old tensor behind three other bytes, the new one behind five."""
    sides = [Memory(b"x" * skip + array.tobytes()) for skip, array in ((3, old), (5, new))]
    return tensor_change(sides[0], described(old, was, 3), sides[1], described(new, becomes, 5))


def bits(array: Array) -> Array:
    return array.view(np.uint32).copy()


def bfloat16(array: NDArray[np.float32]) -> Array:
    """Round to nearest, ties to even, in whole numbers of 64 bits."""
    wide = array.view(np.uint32).astype(np.uint64)
    return ((wide + 0x7FFF + (wide >> 16 & 1)) >> 16).astype(np.uint16)


def with_zeros(array: Array) -> Array:
    return np.where(np.abs(array) < 0.5, np.float32(-0.0), array)


def with_rows(*rows: int) -> Callable[[Array], Array]:
    def edit(array: Array) -> Array:
        edited = array.copy()
        edited[list(rows)] = 7
        return edited

    return edit


def with_bit(position: int, bit: int) -> Callable[[Array], Array]:
    def edit(array: Array) -> Array:
        flat = bits(array).reshape(-1)
        flat[position] ^= np.uint32(1 << bit)
        return flat.view(np.float32).reshape(array.shape)

    return edit


def with_low_rank(rank: int) -> Callable[[Array], Array]:
    def edit(array: Array) -> Array:
        delta = RANDOM.standard_normal((128, rank)) @ RANDOM.standard_normal((rank, 64))
        return (array + delta).astype(np.float32)

    return edit


@pytest.mark.parametrize(
    ("edit", "kind", "words"),
    [
        (with_bit(200, 17), Kind.BIT_FLIP, "1 of 8,192 elements, number 200, bit 17"),
        (lambda a: with_bit(9, 3)(with_bit(9, 4)(a)), Kind.ONE_ELEMENT, "number 9"),
        (with_zeros, Kind.PRUNED, "the first is number"),
        (with_rows(5), Kind.FEW_ROWS, "row 5 of 128"),
        (with_rows(0, 64, 127), Kind.FEW_ROWS, "192 of 8,192 elements, rows 0, 64, 127 of 128"),
        (lambda a: with_bit(1, 9)(with_bit(8190, 9)(a)), Kind.FEW_ROWS, "2 of 8,192 elements, rows 0, 127"),
        (lambda a: (bits(a) ^ np.uint32(5)).view(np.float32), Kind.LOW_BITS, "the lowest 3 of 32 bits"),
        (with_low_rank(1), Kind.LOW_RANK, "one direction holds 90 % of it"),
        (with_low_rank(8), Kind.LOW_RANK, "directions hold 90 % of it"),
        (lambda a: a * np.float32(1.05), Kind.SMALL, "5 % of the old numbers"),
        (lambda a: RANDOM.standard_normal(a.shape).astype(np.float32), Kind.THROUGHOUT, "8,192 of 8,192"),
        (lambda a: a * np.float32(np.nan), Kind.THROUGHOUT, "8,192 of 8,192"),
        (lambda a: a.copy(), Kind.SAME, "0 of 8,192 elements"),
    ],
    ids=[
        "bit-flip", "two-bits", "pruned", "one-row", "rows", "rows-far-apart", "low-bits", "rank-1", "rank-8",
        "small", "throughout", "nan", "same",
    ],
)  # fmt: skip
def test_a_known_edit_has_the_name_of_its_kind(
    edit: Callable[[Array], Array], kind: Kind, words: str
) -> None:
    found = compared(PLAIN, edit(PLAIN))
    assert (found.kind, words in str(found)) == (kind, True), str(found)


def test_scattered_elements_of_a_list_are_few_elements() -> None:
    old = np.arange(100_000, dtype=np.int64)
    new = old.copy()
    new[[5, 70_000, 99_999]] += 1
    found = compared(old, new)
    assert str(found) == "few elements, 3 of 100,000 elements, the first is number 5"


@pytest.mark.parametrize(
    ("was", "becomes", "edit"),
    [
        ("F32", "F16", lambda a: a.astype(np.float16)),
        ("F32", "F64", lambda a: a.astype(np.float64)),
        ("F32", "BF16", bfloat16),
    ],
    ids=["f16", "f64", "bf16"],
)
@given(st.data())
def test_a_cast_is_told_for_all_numbers_and_for_no_other_number(
    was: str, becomes: str, edit: Callable[[Array], Array], data: st.DataObject
) -> None:
    chosen = st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=40)
    old = np.array(data.draw(chosen), np.float32)
    with np.errstate(all="ignore"):
        new = edit(old)
    assert compared(old, new, was, becomes).kind is Kind.CAST
    edited = new.copy().reshape(-1).view(np.uint8)
    place = data.draw(st.integers(0, len(edited) - 1))
    edited[place] ^= 1 << data.draw(st.integers(0, 7))
    other = edited.view(new.dtype)
    number = place // new.itemsize
    same = bool(other.view(new.dtype)[number] == new[number]) and becomes != "BF16"
    if not same and not (becomes == "BF16" and (new[number] | other[number]) & 0x7FFF == 0):
        truncated = becomes == "BF16" and bool(np.all(other == old.view(np.uint32) >> 16))
        kind = compared(old, other, was, becomes).kind
        assert kind is (Kind.CAST if truncated else Kind.OTHER_DTYPE)


def test_a_cast_to_bf16_that_cuts_is_told_apart_from_one_that_rounds() -> None:
    cut = (bits(PLAIN) >> 16).astype(np.uint16)
    assert "every number truncated" in str(compared(PLAIN, cut, "F32", "BF16"))
    assert "every number rounded" in str(compared(PLAIN, bfloat16(PLAIN), "F32", "BF16"))


def test_bf16_becomes_f32_without_a_change_of_any_number() -> None:
    narrow = bfloat16(PLAIN)
    wide = (narrow.astype(np.uint32) << 16).view(np.float32)
    assert compared(narrow, wide, "BF16", "F32").kind is Kind.CAST


def test_every_nan_is_as_good_as_another_in_a_cast() -> None:
    old = np.array([1.0, np.nan, -np.nan, np.inf], np.float32)
    flat = bits(old)
    flat[2] = 0xFFFFFFFF
    assert compared(flat.view(np.float32), old.astype(np.float16)).kind is Kind.CAST
    assert compared(old, np.array([1, 2, np.nan, np.inf], np.float16)).kind is Kind.OTHER_DTYPE


def test_types_that_are_not_floats_are_not_cast() -> None:
    found = compared(PLAIN, PLAIN.astype(np.int32))
    assert str(found) == "other dtype, F32 to I32; numbers of these types are not compared"


@pytest.mark.parametrize(
    ("new", "kind"),
    [
        (np.concatenate([PLAIN, PLAIN[:2]]), Kind.ROWS_APPENDED),
        (PLAIN[:-3], Kind.ROWS_CUT),
        (PLAIN[3:], Kind.OTHER_SHAPE),
        (PLAIN.reshape(64, 128), Kind.OTHER_SHAPE),
        (PLAIN[:0], Kind.OTHER_SHAPE),
        (PLAIN[:2].astype(np.float16), Kind.OTHER_SHAPE),
        (PLAIN[0, 0], Kind.OTHER_SHAPE),
    ],
    ids=["appended", "cut", "first-rows-gone", "turned", "empty", "other-type", "scalar"],
)
def test_rows_that_come_or_go_at_the_end_are_told(new: Array, kind: Kind) -> None:
    assert compared(PLAIN, np.asarray(new)).kind is kind


@given(st.sampled_from(["U8", "F16", "F32", "F64", "C128", "Q4_K"]), st.data())
def test_the_census_counts_what_numpy_counts(dtype: str, data: st.DataObject) -> None:
    width = {"U8": 1, "F16": 2, "F32": 4, "F64": 8, "C128": 16, "Q4_K": 1}[dtype]
    count = data.draw(st.integers(1, 30))
    old = np.frombuffer(data.draw(st.binary(min_size=count * width, max_size=count * width)), np.uint8)
    new = old.copy()
    for place in data.draw(st.lists(st.integers(0, count * width - 1), max_size=4)):
        new[place] ^= data.draw(st.integers(0, 255))
    differ = (old.reshape(count, width) != new.reshape(count, width)).any(axis=1)
    tensor = Tensor(name="w", dtype=dtype, shape=(count,), offset=0, length=count * width)
    found = census(Memory(old.tobytes()), tensor, Memory(new.tobytes()), tensor)
    assert found.elements == count
    assert found.changed == int(differ.sum())
    assert found.first == (int(np.argmax(differ)) if differ.any() else None)
    xor = np.bitwise_or.reduce((old ^ new).reshape(count, width), axis=0)
    known = int.from_bytes(xor.tobytes(), "little")
    assert found.bits == known
    magnitude = new.reshape(count, width).copy()
    if dtype in ("F16", "F32", "F64"):
        magnitude[:, -1] &= 0x7F
    assert found.zeroed == (not (magnitude.any(axis=1) & differ).any())


def test_elements_on_both_sides_of_a_step_are_counted_once() -> None:
    old = np.zeros(STEP_BYTES // 2 + 8, np.float16)
    new = old.copy()
    edge = STEP_BYTES // 2
    new[[edge - 1, edge]] = 1
    found = compared(old, new)
    assert (found.changed, found.kind) == (2, Kind.FEW_ELEMENTS)
    assert f"number {edge - 1}" in found.detail


def test_a_row_that_reaches_over_several_steps_is_one_row() -> None:
    columns = STEP_BYTES // 4 * 2
    old = np.zeros((20, columns), np.float32)
    new = old.copy()
    new[7] = np.arange(1, columns + 1)
    assert "row 7 of 20" in str(compared(old, new))


class _Endless:
    """A reader that makes its bytes when they are asked for."""

    def __init__(self, size: int, mark: int | None = None) -> None:
        self.size, self._mark = size, mark

    def read_at(self, offset: int, length: int) -> bytes:
        data = bytearray(length)
        if self._mark is not None and offset <= self._mark < offset + length:
            data[self._mark - offset] = 1
        return bytes(data)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        raise NotImplementedError


def test_memory_does_not_follow_the_size_of_the_tensor() -> None:
    size = 1 << 28
    tensor = Tensor(name="w", dtype="F32", shape=(1 << 13, 1 << 13), offset=0, length=size)
    tracemalloc.start()
    try:
        found = tensor_change(_Endless(size), tensor, _Endless(size, size - 5), tensor)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.kind is Kind.BIT_FLIP
    assert peak < 16 * 2**20


@pytest.mark.parametrize("dtype", ["F32", "F16"], ids=["same-type", "cast"])
def test_a_tensor_that_claims_more_than_there_is_is_an_error_of_the_reader(dtype: str) -> None:
    data = Memory(bytes(100))
    old = Tensor(name="w", dtype="F32", shape=(1 << 40, 4), offset=0, length=1 << 44)
    new = Tensor(name="w", dtype=dtype, shape=(1 << 40, 4), offset=0, length=1 << 44)
    with pytest.raises(UnreadableError) as raised:
        tensor_change(data, old, data, new)
    assert raised.value.reason is Reason.TRUNCATED


def test_only_bytes_that_stand_as_they_are_can_be_compared() -> None:
    plain = described(PLAIN)
    assert is_comparable(plain)
    for layout in set(Layout) - {Layout.RAW}:
        assert not is_comparable(Tensor(name="w", dtype="F32", shape=(1,), offset=0, length=4, layout=layout))
