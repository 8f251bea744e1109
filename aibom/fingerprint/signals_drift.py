"""Whether the labels of two versions of a dataset are distributed differently."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from aibom.domain.dataset_signals import LabelCounts

DISTANCE: Final = 0.02  # total variation from which on a drift matters
_EXPECTED: Final = 5  # rows of a cell at least, for chi-square to hold
_QUANTILE: Final = 3.090  # of the normal distribution: one false alarm in 1,000 comparisons


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDrift:
    """How far two distributions of labels are apart."""

    column: str
    distance: float  # total variation, 0 to 1: the share of the rows that would need another label
    changes: tuple[tuple[str, int, int], ...]  # label, rows before, rows after; those that changed most first
    is_significant: bool  # far apart, and farther than two samples of one distribution would be


def drift(old: LabelCounts, new: LabelCounts) -> LabelDrift:
    """Compares two versions of a column. Pearson's chi-square test of homogeneity, rare labels pooled."""
    before, after = old.by_label, new.by_label
    rows = (max(1, old.rows), max(1, new.rows))
    table = {label: (before.get(label, 0), after.get(label, 0)) for label in before.keys() | after.keys()}
    shift = {label: b / rows[1] - a / rows[0] for label, (a, b) in table.items()}
    distance = min(1.0, sum(map(abs, shift.values())) / 2)
    changed = sorted((label for label in table if shift[label]), key=lambda x: (-abs(shift[x]), x))
    is_known = bool(old.rows and new.rows)
    return LabelDrift(
        column=new.column,
        distance=distance if is_known else 0.0,
        changes=tuple((label, *table[label]) for label in changed),
        is_significant=is_known and distance >= DISTANCE and _is_unlikely(list(table.values())),
    )


def _is_unlikely(cells: list[tuple[int, int]]) -> bool:
    rows = [sum(column) for column in zip(*cells, strict=True)]
    least = min(rows) / sum(rows)
    large = [cell for cell in cells if sum(cell) * least >= _EXPECTED]
    small = [cell for cell in cells if sum(cell) * least < _EXPECTED]
    if small:
        large.append((sum(a for a, _ in small), sum(b for _, b in small)))
    freedom = len(large) - 1
    if freedom < 1:
        return False
    found = 0.0
    for cell in large:
        for seen, total in zip(cell, rows, strict=True):
            expected = sum(cell) * total / sum(rows)
            found += (seen - expected) ** 2 / expected
    return found > _chi_square(freedom)


def _chi_square(freedom: int) -> float:
    """The quantile, as Wilson and Hilferty (1931) approximate it."""
    part = 2 / (9 * freedom)
    return freedom * (1 - part + _QUANTILE * math.sqrt(part)) ** 3
