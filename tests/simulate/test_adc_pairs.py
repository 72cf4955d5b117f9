"""Chips with ADCs whose pairs hold whole weights: exact sums, and a count of conversions."""

import numpy as np
import pytest

from pimsim.config.weight_coding import DifferentialPair as PairBlock
from pimsim.mapping.weights.differential_pair import DifferentialPair
from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.rounding import rounded_matrix


def matrix(n_rows, n_columns, n_levels, seed=3):
    top = (n_levels - 1) // 2
    levels = np.random.default_rng(seed).integers(-top, top + 1, (n_rows, n_columns))
    return LevelMatrix(
        levels.astype(np.int8), n_levels, 1.0, np.zeros(n_columns, np.int32), 10.0, 3.0
    )


@pytest.mark.parametrize(("n_rows", "n_blocks"), [(5, 1), (8, 1), (9, 2), (20, 3)])
def test_codes_of_every_array_have_a_weight_of_one(n_rows, n_blocks):
    whole = matrix(n_rows, 4, 7)
    plan = DifferentialPair(PairBlock(kind="differential_pair")).plan(whole, 8)
    assert plan.weight_of_line.shape == plan.correction.shape == (n_blocks, 4)
    codes = np.random.default_rng(1).integers(0, 16, n_rows)
    sums = np.zeros(4, np.int64)
    for block in range(n_blocks):
        rows = slice(8 * block, 8 * block + 8)
        cells = plan.plus[rows].astype(int) - plan.minus[rows]
        for bit in range(4):
            sums += plan.weight_of_line[block] * (((codes[rows] >> bit) & 1) @ cells) << bit
    assert (sums == codes @ whole.levels.astype(int)).all()


def test_weights_that_are_levels_already_are_rounded_to_themselves():
    levels = np.array([[3, -3], [1, 0], [-2, 2]], np.int8)
    whole = LevelMatrix(levels * np.int8(42), 253, 1.5, np.zeros(2, np.int32), 10.0, 3.0)
    found = rounded_matrix(whole, 7)
    assert (found.levels == levels).all()
    assert found.n_levels == 7
    assert found.alpha == pytest.approx(1.5)
