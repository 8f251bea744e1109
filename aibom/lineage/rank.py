"""Whether the difference of two matrices has a low rank, from a sample of 64 by 64 of its numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

SAMPLE_SIDE_COUNT: Final = 64  # rows and columns
LEAST_SIDE_COUNT: Final = 32  # a smaller matrix tells nothing about rank
RANK_RATIO: Final = 4  # a rank up to a quarter of the sampled side is low
RESIDUE_RATIO: Final = 0.1  # of the energy that the directions need not explain: rounding, mostly


def low_rank(rows: Sequence[Sequence[float]]) -> int | None:
    """How many directions hold nine tenths of the energy of the rows, if few do.

    Rows are taken out one after the other, the longest first (Gram-Schmidt with pivots). The rank of a
    part is never above that of the whole; independent numbers keep over half of their energy.
    """
    left = [list(row) for row in rows]
    if not left or min(len(left), len(left[0])) < LEAST_SIDE_COUNT:
        return None
    total = sum(map(_energy, left))
    if not total or not math.isfinite(total):
        return None
    for rank in range(1, min(len(left), len(left[0])) // RANK_RATIO + 1):
        _take_out(left)
        if sum(map(_energy, left)) <= RESIDUE_RATIO * total:
            return rank
    return None


def _energy(row: Sequence[float]) -> float:
    return sum(value * value for value in row)


def _take_out(rows: list[list[float]]) -> None:
    """Subtracts the direction of the longest row from every row."""
    longest = max(rows, key=_energy)
    length = math.sqrt(_energy(longest))
    if not length:
        return
    direction = [value / length for value in longest]
    for row in rows:
        share = sum(a * b for a, b in zip(row, direction, strict=True))
        row[:] = [value - share * part for value, part in zip(row, direction, strict=True)]
