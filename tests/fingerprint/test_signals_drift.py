"""Labels of two versions: what sampling explains, and what it does not."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from aibom.domain.dataset_signals import LabelCounts
from aibom.fingerprint.signals_drift import _chi_square, drift


def counts(**labels: int) -> LabelCounts:
    return LabelCounts(column="label", counts=tuple(sorted((k, v) for k, v in labels.items() if v)))


def test_changes_are_told_with_the_largest_first() -> None:
    found = drift(counts(a=500, b=300, c=200), counts(a=400, b=310, d=290))
    assert found.changes == (("d", 0, 290), ("c", 200, 0), ("a", 500, 400), ("b", 300, 310))
    assert found.distance == pytest.approx(0.3)
    assert found.is_significant


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (counts(a=5_000, b=5_000), counts(a=4_500, b=5_500), True),
        (counts(a=5_000, b=5_000), counts(a=5_000, b=5_000), False),
        (counts(a=5_000, b=5_000), counts(a=500, b=500), False),
        (counts(a=10, b=10), counts(a=8, b=12), False),  # too few rows to say
        (
            counts(a=500_000, b=500_000),
            counts(a=495_000, b=505_000),
            False,
        ),  # certain, and too small to matter
        (counts(), counts(a=5), False),
        (counts(a=5), counts(), False),
        (counts(a=1_000), counts(b=1_000), True),
        (counts(a=1_000, b=1), counts(a=1_000, c=1), False),
    ],
)
def test_what_is_significant(old: LabelCounts, new: LabelCounts, *, expected: bool) -> None:
    assert drift(old, new).is_significant is expected


@pytest.mark.parametrize(
    ("freedom", "expected"), [(1, 10.83), (2, 13.82), (5, 20.52), (10, 29.59), (100, 149.45)]
)
def test_the_quantiles_are_those_of_the_tables(freedom: int, expected: float) -> None:
    assert _chi_square(freedom) == pytest.approx(expected, rel=0.035)


def test_samples_of_one_distribution_raise_hardly_any_alarm() -> None:
    rng, alarms = random.Random(7), 0
    for trial in range(600):
        weights = [1 / (n + 1) for n in range(2 + trial % 30)]
        rows = rng.choice([100, 500, 1_000])
        old, new = (
            counts(**{f"l{k}": v for k, v in Counter(rng.choices(range(len(weights)), weights, k=n)).items()})
            for n in (rows, 2 * rows)
        )
        alarms += drift(old, new).is_significant
    assert alarms <= 3
