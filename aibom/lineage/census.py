"""Which elements and rows of two tensors of one type and shape differ: one pass over both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from aibom.domain.dtypes import BITS
from aibom.domain.facts import Tensor
from aibom.domain.limits import KIB
from aibom.domain.protocols import ByteReader
from aibom.lineage.lanes import combined, marked, repeated

STEP_BYTES: Final = 256 * KIB  # of each side; what is compared stays in the cache of one core
ROW_BYTES: Final = 64  # shorter rows are not told apart
FEW_ROWS_RATIO: Final = 10  # up to a tenth of all rows is few
ROW_COUNT: Final = 1_024  # and never more than these
_WHOLE_BYTES: Final = frozenset({8, 16, 32, 64, 128})
_FLOATS: Final = ("F", "BF")


@dataclass(slots=True)
class Census:
    """What a pass has counted. An element of a packed type is a byte."""

    width: int  # bytes of an element
    elements: int
    changed: int = 0
    first: int | None = None  # number of the first element that differs
    bits: int = 0  # that differ in any element; not counted on once the upper half is reached
    flips: int = 0  # bits that differ, counted while only one element does
    zeroed: bool = True  # each element that differs is zero now
    rows: list[int] | None = field(default_factory=list)  # that differ; None: too many, or too short


def width_of(tensor: Tensor) -> int:
    """Bytes of an element; 1 where elements are packed or in blocks."""
    bits = BITS.get(tensor.dtype, 0)
    return bits // 8 if bits in _WHOLE_BYTES else 1


def census(old: ByteReader, was: Tensor, new: ByteReader, becomes: Tensor) -> Census:
    """Counts what differs. Both tensors are RAW and of one length. Raises `UnreadableError`."""
    width = width_of(was)
    found = Census(width=width, elements=was.length // width)
    row = _row_bytes(was)
    most = min(ROW_COUNT, max(1, was.length // row // FEW_ROWS_RATIO)) if row else 0
    if row < ROW_BYTES:
        found.rows = None
    signs = _magnitude(was.dtype, width)
    for at in range(0, was.length, STEP_BYTES):
        length = min(STEP_BYTES, was.length - at)
        left, right = old.read_at(was.offset + at, length), new.read_at(becomes.offset + at, length)
        if left != right:
            _count(found, left, right, at, signs)
            _note_rows(found, left, right, at, row, most)
    return found


def _row_bytes(tensor: Tensor) -> int:
    """Of a tensor of two dimensions or more: what belongs to one index of the first."""
    if len(tensor.shape) < 2 or not tensor.shape[0] or tensor.length % tensor.shape[0]:
        return 0
    return tensor.length // tensor.shape[0]


def _magnitude(dtype: str, width: int) -> int:
    """The bits that make an element other than zero: all but the sign of a float."""
    bits = 8 * width
    signed = dtype.startswith(_FLOATS) and BITS.get(dtype) == bits
    return (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1


def _count(found: Census, left: bytes, right: bytes, at: int, magnitude: int) -> None:
    width, count = found.width, len(left) // found.width
    becomes = int.from_bytes(right, "little")
    lanes = int.from_bytes(left, "little") ^ becomes
    marks = marked(lanes, width, count)
    number = marks.bit_count()
    if found.first is None:
        found.first = at // width + ((marks & -marks).bit_length() - 1) // (8 * width)
    if not found.changed and number == 1:
        found.flips = lanes.bit_count()
    found.changed += number
    if found.bits.bit_length() <= 4 * width:
        found.bits |= combined(lanes, width, count)
    if found.zeroed:
        nonzero = marked(becomes & repeated(magnitude, width, count), width, count)
        found.zeroed = not marks & nonzero


def _note_rows(found: Census, left: bytes, right: bytes, at: int, row: int, most: int) -> None:
    if found.rows is None:
        return
    for number in range(at // row, (at + len(left) - 1) // row + 1):
        start, end = max(0, number * row - at), (number + 1) * row - at
        if left[start:end] != right[start:end] and found.rows[-1:] != [number]:
            found.rows.append(number)
            if len(found.rows) > most:
                found.rows = None
                return
