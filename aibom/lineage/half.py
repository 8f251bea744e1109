"""Binary32 beside binary16, for many numbers at once: which of them need a closer look.

Where the half is a normal number, it is the single with another bias and 13 bits less (IEEE 754-2019,
3.4), so lanes of integers can compare them. The rest (subnormal, infinite, no number) is left to the
caller, number by number.
"""

from __future__ import annotations

from typing import Final

from aibom.lineage.lanes import marked, repeated

_TOP: Final = 0x80000000
_BIAS: Final = 0x38000000  # 127 - 15, as an exponent of binary32
_NORMAL: Final = 0x38800000  # 2 ** -14, the smallest normal half
_TOO_LARGE: Final = 0x477FF000  # 65520, the first number that rounds to infinity
_MARK: Final = b"\x80"


def doubtful(single: bytes, half: bytes, *, exact: bool) -> list[int]:
    """The numbers, in order, of which `half` is not surely `single` rounded to nearest, ties to even.

    With `exact`, nothing may be lost either: then `single` is `half` made wider.
    """
    count = len(single) // 4
    lanes = int.from_bytes(single, "little")
    size = lanes & repeated(_TOP - 1, 4, count)
    some = marked(size, 4, count)
    unlike = _outside(size, count) & some
    unlike |= marked(_narrowed(lanes, size, some, count) ^ _spread(half), 4, count)
    if exact:
        unlike |= marked(lanes & repeated(0x1FFF, 4, count), 4, count)
    return _places(unlike.to_bytes(4 * count, "little")[3::4])


def _places(marks: bytes) -> list[int]:
    found = []
    at = marks.find(_MARK)
    while at >= 0:
        found.append(at)
        at = marks.find(_MARK, at + 1)
    return found


def _narrowed(lanes: int, size: int, some: int, count: int) -> int:
    """Halves in the lower parts of the lanes; right for normal numbers and zero."""
    # The top bit keeps the difference from borrowing from the next lane.
    rebased = (size | repeated(_TOP, 4, count)) - repeated(_BIAS, 4, count)
    odd = (rebased >> 13) & repeated(1, 4, count)
    rounded = (rebased + repeated(0xFFF, 4, count) + odd) >> 13
    # 15 bits in each lane that is not zero, which the other bias would make a number.
    kept = (some >> 16) - (some >> 31)
    return (rounded & kept) | ((lanes >> 16) & repeated(0x8000, 4, count))


def _outside(size: int, count: int) -> int:
    """Marks lanes that are not normal as a half, zero among them."""
    top = repeated(_TOP, 4, count)
    large_enough = (size | top) - repeated(_NORMAL, 4, count)
    too_large = size + repeated(_TOP - _TOO_LARGE, 4, count)
    return ((large_enough ^ top) | too_large) & top


def _spread(half: bytes) -> int:
    """Each half in a lane of four bytes."""
    wide = bytearray(2 * len(half))
    wide[0::4], wide[1::4] = half[0::2], half[1::2]
    return int.from_bytes(wide, "little")
