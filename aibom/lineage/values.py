"""Numbers of a tensor from its bytes and back, and whether one tensor is the other cast to another type.

Formats: IEEE 754-2019 binary16, binary32, binary64; BF16 is the upper half of binary32. A cast rounds
to nearest, ties to even, which is what the frameworks do.
"""

from __future__ import annotations

import struct
from typing import Final

from aibom.domain.dtypes import BITS
from aibom.domain.facts import Tensor
from aibom.domain.limits import KIB
from aibom.domain.protocols import ByteReader
from aibom.lineage.half import doubtful
from aibom.lineage.lanes import repeated

CAST_STEP_BYTES: Final = 256 * KIB  # of the wider type
FLOATS: Final = {"F16": "e", "BF16": "f", "F32": "f", "F64": "d"}  # codes of `struct`

_HALVES: Final = (("F32", "F16"), ("F16", "F32"))


def decode(data: bytes, dtype: str) -> tuple[float, ...]:
    """The numbers of whole elements of one of `FLOATS`."""
    if dtype == "BF16":
        wide = bytearray(2 * len(data))
        wide[2::4], wide[3::4] = data[0::2], data[1::2]
        data = bytes(wide)
    count = len(data) * 8 // (32 if dtype == "BF16" else BITS[dtype])
    return struct.unpack(f"<{count}{FLOATS[dtype]}", data)


def encode(values: tuple[float, ...], dtype: str) -> bytes:
    """The numbers as elements of one of `FLOATS`; what is too large becomes infinite."""
    try:
        data = struct.pack(f"<{len(values)}{FLOATS[dtype]}", *values)
    except OverflowError:
        data = b"".join(_one(value, FLOATS[dtype]) for value in values)
    return rounded(data) if dtype == "BF16" else data


def _one(value: float, code: str) -> bytes:
    try:
        return struct.pack(f"<{code}", value)
    except OverflowError:
        return struct.pack(f"<{code}", float("inf") if value > 0 else float("-inf"))


def rounded(single: bytes) -> bytes:
    """Binary32 as BF16. The carry of a NaN with all bits set would reach its neighbour: see `is_cast`."""
    count = len(single) // 4
    lanes = int.from_bytes(single, "little")
    odd = (lanes >> 16) & repeated(1, 4, count)
    wide = (lanes + repeated(0x7FFF, 4, count) + odd).to_bytes(4 * count + 4, "little")[: 4 * count]
    return _upper(wide)


def _upper(single: bytes) -> bytes:
    """The upper half of every binary32: BF16, rounded towards zero."""
    half = bytearray(len(single) // 2)
    half[0::2], half[1::2] = single[2::4], single[3::4]
    return bytes(half)


def is_cast(old: ByteReader, was: Tensor, new: ByteReader, becomes: Tensor) -> str | None:
    """How every number of the new tensor follows from that of the old: "rounded", "truncated", or None.

    Both are RAW, of one shape and of types of `FLOATS`. Reads all bytes of both.
    """
    wide, narrow = BITS[was.dtype] // 8, BITS[becomes.dtype] // 8
    step = CAST_STEP_BYTES // max(wide, narrow)
    ways = ["rounded"] + (["truncated"] if (was.dtype, becomes.dtype) == ("F32", "BF16") else [])
    for first in range(0, was.elements, step):
        count = min(step, was.elements - first)
        source = old.read_at(was.offset + first * wide, count * wide)
        found = new.read_at(becomes.offset + first * narrow, count * narrow)
        ways = [way for way in ways if _follows(source, was.dtype, found, becomes.dtype, way)]
        if not ways:
            return None
    return ways[0]


def _follows(source: bytes, was: str, found: bytes, becomes: str, way: str) -> bool:
    """Whether each number of a piece is what the cast makes of it."""
    if (was, becomes) not in _HALVES:
        return _is_equal(_cast(source, was, becomes, way), found, becomes)
    sides = (source, found) if was == "F32" else (found, source)
    numbers = doubtful(*sides, exact=was == "F16")
    source, found = _picked(source, was, numbers), _picked(found, becomes, numbers)
    return _is_equal(encode(decode(source, was), becomes), found, becomes)


def _picked(data: bytes, dtype: str, numbers: list[int]) -> bytes:
    width = BITS[dtype] // 8
    return b"".join(data[number * width : (number + 1) * width] for number in numbers)


def _cast(source: bytes, was: str, becomes: str, way: str) -> bytes:
    if way == "truncated":
        return _upper(source)
    if (was, becomes) == ("F32", "BF16"):
        return rounded(source)
    if (was, becomes) == ("BF16", "F32"):
        wide = bytearray(2 * len(source))
        wide[2::4], wide[3::4] = source[0::2], source[1::2]
        return bytes(wide)
    return encode(decode(source, was), becomes)


def _is_equal(expected: bytes, found: bytes, dtype: str) -> bool:
    """True for the same numbers; which NaN it is does not count."""
    if expected == found:
        return True
    pairs = zip(decode(expected, dtype), decode(found, dtype), strict=True)
    return all(one == other or (one != one and other != other) for one, other in pairs)  # noqa: PLR0124
