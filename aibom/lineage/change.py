"""How one tensor became another: how many elements differ, and what kind of change that is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aibom.domain.facts import Layout, Tensor
from aibom.domain.protocols import ByteReader
from aibom.lineage.census import Census, census, width_of
from aibom.lineage.rank import SAMPLE_SIDE_COUNT, low_rank
from aibom.lineage.values import FLOATS, decode, is_cast

SMALL_RATIO: Final = 0.1  # of the root mean square of the old numbers
SPARSE_RATIO: Final = 0.01  # of all elements
BLOCK_COUNT: Final = 64  # blocks of so many elements are sampled, evenly spaced
MANTISSA_BITS: Final = {"F16": 10, "BF16": 7, "F32": 23, "F64": 52}
_ROWS_TOLD: Final = 8


class Kind(StrEnum):
    """What a change of one tensor looks like. None of them says why."""

    SAME = "same"
    BIT_FLIP = "one bit flipped"
    ONE_ELEMENT = "one element"
    PRUNED = "set to zero"
    FEW_ROWS = "few rows"
    FEW_ELEMENTS = "few elements"
    LOW_BITS = "lowest bits only"
    LOW_RANK = "low rank"
    SMALL = "all small"
    THROUGHOUT = "throughout"
    CAST = "dtype cast"
    OTHER_DTYPE = "other dtype"
    ROWS_APPENDED = "rows appended"
    ROWS_CUT = "rows cut off"
    OTHER_SHAPE = "other shape"


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorChange:
    """What became of a tensor. `sampled` says that the kind follows from a part of the numbers."""

    kind: Kind
    changed: int | None = None  # elements; None where they were not counted
    elements: int = 0
    detail: str = ""
    sampled: bool = False

    def __str__(self) -> str:
        counted = f"{self.changed:,} of {self.elements:,} elements" if self.changed is not None else ""
        kind = f"{self.kind} (sampled)" if self.sampled else str(self.kind)
        return ", ".join(filter(None, (kind, counted, self.detail)))


def is_comparable(tensor: Tensor) -> bool:
    """True where the bytes of the tensor stand in the file as they are."""
    return tensor.layout is Layout.RAW


def tensor_change(old: ByteReader, was: Tensor, new: ByteReader, becomes: Tensor) -> TensorChange:
    """Compares two comparable tensors. Memory does not follow their size. Raises `UnreadableError`."""
    if was.shape != becomes.shape:
        return _reshaped(old, was, new, becomes)
    if was.dtype != becomes.dtype:
        return _cast(old, was, new, becomes)
    if was.length != becomes.length:
        return TensorChange(kind=Kind.OTHER_SHAPE, detail=f"{was.length:,} to {becomes.length:,} bytes")
    found = census(old, was, new, becomes)
    kind, detail = _exact(found, was)
    if kind is not None:
        return TensorChange(kind=kind, changed=found.changed, elements=found.elements, detail=detail)
    kind, detail = _sampled(old, was, new, becomes)
    return TensorChange(
        kind=kind, changed=found.changed, elements=found.elements, detail=detail,
        sampled=kind is not Kind.THROUGHOUT,
    )  # fmt: skip


def _exact(found: Census, tensor: Tensor) -> tuple[Kind | None, str]:
    """The kinds that follow from every element."""
    at = f"the first is number {found.first}"
    if not found.changed:
        return Kind.SAME, ""
    if found.changed == 1:
        kind = Kind.BIT_FLIP if found.flips == 1 else Kind.ONE_ELEMENT
        return kind, f"number {found.first}{_bit(found)}"
    if found.zeroed:
        return Kind.PRUNED, at
    if found.rows:
        return Kind.FEW_ROWS, _rows(found.rows, tensor)
    if found.changed <= SPARSE_RATIO * found.elements:
        return Kind.FEW_ELEMENTS, at
    bits = found.bits.bit_length()
    if 2 * bits <= MANTISSA_BITS.get(tensor.dtype, 0):
        return Kind.LOW_BITS, f"the lowest {bits} of {8 * found.width} bits"
    return None, ""


def _bit(found: Census) -> str:
    return f", bit {found.bits.bit_length() - 1}" if found.flips == 1 else ""


def _rows(rows: list[int], tensor: Tensor) -> str:
    more = f" and {len(rows) - _ROWS_TOLD} more" if len(rows) > _ROWS_TOLD else ""
    told = ", ".join(map(str, rows[:_ROWS_TOLD]))
    return f"{'row' if len(rows) == 1 else 'rows'} {told}{more} of {tensor.shape[0]:,}"


def _sampled(old: ByteReader, was: Tensor, new: ByteReader, becomes: Tensor) -> tuple[Kind, str]:
    """The kinds that follow from the size and the rank of the difference."""
    if was.dtype not in FLOATS:
        return Kind.THROUGHOUT, ""
    rank = low_rank([_minus(a, b) for a, b in _lines(old, was, new, becomes)])
    if rank is not None:
        directions = "one direction holds" if rank == 1 else f"{rank} directions hold"
        return Kind.LOW_RANK, f"{directions} 90 % of it"
    ratio = _ratio(old, was, new, becomes)
    if ratio is not None and ratio <= SMALL_RATIO:
        return Kind.SMALL, f"{100 * ratio:.2g} % of the old numbers"
    return Kind.THROUGHOUT, ""


def _minus(old: tuple[float, ...], new: tuple[float, ...]) -> list[float]:
    return [b - a for a, b in zip(old, new, strict=True)]


_Pair = tuple[tuple[float, ...], tuple[float, ...]]


def _lines(old: ByteReader, was: Tensor, new: ByteReader, becomes: Tensor) -> Iterator[_Pair]:
    """A block in the middle of the columns, from rows that are evenly spaced."""
    if len(was.shape) != 2:
        return
    rows, columns = was.shape
    width, count = min(SAMPLE_SIDE_COUNT, columns), min(SAMPLE_SIDE_COUNT, rows)
    for line in range(count):
        yield _numbers(old, was, new, becomes, line * rows // count * columns + (columns - width) // 2, width)


def _ratio(old: ByteReader, was: Tensor, new: ByteReader, becomes: Tensor) -> float | None:
    """The size of the difference as a part of that of the old numbers, as root mean squares."""
    size = min(BLOCK_COUNT, was.elements)
    before = difference = 0.0
    for block in range(min(BLOCK_COUNT, -(-was.elements // size))):
        start = block * (was.elements - size) // max(1, BLOCK_COUNT - 1)
        one, other = _numbers(old, was, new, becomes, start, size)
        before += sum(value * value for value in one)
        difference += sum(value * value for value in _minus(one, other))
    finite = math.isfinite(before) and math.isfinite(difference)
    return math.sqrt(difference / before) if before and finite else None


def _numbers(old: ByteReader, was: Tensor, new: ByteReader, becomes: Tensor, first: int, count: int) -> _Pair:
    width = width_of(was)
    at, length = first * width, count * width
    one = decode(old.read_at(was.offset + at, length), was.dtype)
    return one, decode(new.read_at(becomes.offset + at, length), becomes.dtype)


def _cast(old: ByteReader, was: Tensor, new: ByteReader, becomes: Tensor) -> TensorChange:
    told = f"{was.dtype} to {becomes.dtype}"
    if was.dtype in FLOATS and becomes.dtype in FLOATS:
        way = is_cast(old, was, new, becomes)
        if way is not None:
            return TensorChange(kind=Kind.CAST, detail=f"{told}, every number {way}")
        return TensorChange(kind=Kind.OTHER_DTYPE, detail=f"{told}, and other numbers than a cast gives")
    return TensorChange(kind=Kind.OTHER_DTYPE, detail=f"{told}; numbers of these types are not compared")


def _reshaped(old: ByteReader, was: Tensor, new: ByteReader, becomes: Tensor) -> TensorChange:
    """Rows that come or go at the end are told; every other shape is just another one."""
    rows = (was.shape or (0,))[0], (becomes.shape or (0,))[0]
    alike = was.dtype == becomes.dtype and len(was.shape) > 0 and was.shape[1:] == becomes.shape[1:]
    if alike and min(rows) and _same_start(old, was, new, becomes):
        kind = Kind.ROWS_APPENDED if rows[1] > rows[0] else Kind.ROWS_CUT
        return TensorChange(
            kind=kind, detail=f"{abs(rows[1] - rows[0]):,}, the other {min(rows):,} are equal"
        )
    return TensorChange(kind=Kind.OTHER_SHAPE)


def _same_start(old: ByteReader, was: Tensor, new: ByteReader, becomes: Tensor) -> bool:
    shorter, other = sorted((was, becomes), key=lambda tensor: tensor.length)
    if not shorter.length:
        return False
    left, right = (old, new) if shorter is was else (new, old)
    return not census(left, shorter, right, other).changed
