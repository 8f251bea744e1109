"""Low ranks and others, by numpy's singular values."""

from __future__ import annotations

import numpy as np
import pytest

from aibom.lineage.rank import low_rank

RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize("rank", [1, 2, 4, 8, 16])
def test_a_product_of_two_narrow_matrices_has_a_low_rank(rank: int) -> None:
    matrix = RANDOM.standard_normal((64, rank)) @ RANDOM.standard_normal((rank, 64))
    found = low_rank(matrix.tolist())
    assert found is not None
    assert found <= rank
    # Singular values are the best directions there are: rows can do no better.
    energy = np.linalg.svd(matrix, compute_uv=False) ** 2
    assert found >= int(np.argmax(np.cumsum(energy) >= 0.9 * energy.sum())) + 1


@pytest.mark.parametrize("seed", range(5))
def test_independent_numbers_have_no_low_rank(seed: int) -> None:
    assert low_rank(np.random.default_rng(seed).standard_normal((64, 64)).tolist()) is None


def test_some_noise_does_not_hide_a_low_rank() -> None:
    matrix = RANDOM.standard_normal((64, 4)) @ RANDOM.standard_normal((4, 64))
    noisy = matrix + 0.2 * RANDOM.standard_normal((64, 64))
    assert low_rank(noisy.tolist()) is not None


@pytest.mark.parametrize(
    "rows",
    [[], [[]], [[1.0] * 64] * 31, [[1.0] * 31] * 64, [[0.0] * 64] * 64, [[float("nan")] * 64] * 64,
     [[1e300] * 64] * 64, [[float("inf")] * 64] * 64],
    ids=["none", "empty", "few-rows", "few-columns", "zero", "nan", "too-large", "infinite"],
)  # fmt: skip
def test_nothing_is_said_where_nothing_can_be_told(rows: list[list[float]]) -> None:
    assert low_rank(rows) is None
