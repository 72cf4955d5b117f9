"""Weights as differential pairs of cells (Ma et al., Table 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.mapping.weights.base import CellPlan, WeightCoding
from pimsim.workload.matrix import LevelMatrix


class DifferentialPair(WeightCoding):
    """One pair of cells for each weight.

    Level k > 0 puts k on the + cell and 0 on the - cell, k < 0 the other way round, k = 0 leaves
    both at level 0.  A threshold t other than zero becomes weights of total -t on rows that are
    always on.
    """

    def n_cell_levels(self, matrix: LevelMatrix) -> int:
        return matrix.top_level + 1

    def n_always_on(self, matrix: LevelMatrix) -> int:
        return always_on_rows(matrix)

    def plan(self, matrix: LevelMatrix, block_rows: int) -> CellPlan:
        levels = np.vstack([matrix.levels, _threshold_rows(matrix)])
        zero, n_columns = np.int8(0), matrix.n_columns
        n_blocks = -(-len(levels) // block_rows)
        return CellPlan(
            sides=(np.maximum(levels, zero), np.maximum(-levels, zero)),
            n_always_on=len(levels) - matrix.n_rows,
            weight_of_line=np.ones((n_blocks, n_columns), np.int64),
            owner=np.arange(n_columns),
            correction=np.zeros((n_blocks, n_columns), np.int64),
            stored_bits=self.stored_bits(matrix),
        )


def always_on_rows(matrix: LevelMatrix) -> int:
    """Number of rows that hold the largest threshold of a matrix."""
    return int(-(-np.abs(matrix.thresholds.astype(np.int64)).max(initial=0) // matrix.top_level))


def _threshold_rows(matrix: LevelMatrix) -> NDArray[np.int8]:
    top = matrix.top_level
    left = -matrix.thresholds.astype(np.int64)
    rows = np.zeros((always_on_rows(matrix), matrix.n_columns), np.int8)
    for row in rows:
        row[:] = np.clip(left, -top, top)
        left = left - row
    return rows
