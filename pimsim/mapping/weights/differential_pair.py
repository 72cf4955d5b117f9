"""Weights as differential pairs of cells (Ma et al., Table 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import MappingError
from pimsim.mapping.weights.base import CellPlan, WeightCoding
from pimsim.workload.matrix import LevelMatrix

# levels of a cell are held in 8 bits with a sign
MAX_CELL_LEVEL = 127


class DifferentialPair(WeightCoding):
    """One pair of cells for each weight.

    Level k > 0 puts k on the + cell and 0 on the - cell, k < 0 the other way round, k = 0 leaves
    both at level 0.  A threshold t other than zero becomes weights of total -t on rows that are
    always on.

    Notes
    -----
    With half-level thresholds, which the chip may have everywhere and a network in some of its
    matrices, these rows hold -(t + 1/2). Sums are whole levels, so bits stay the
    same, and a sum that would meet its threshold is half a level below it: noise flips it no
    more easily than the next larger one. Cells then have twice the steps; weights take every
    second one.
    """

    def steps_per_level(self, matrix: LevelMatrix) -> int:
        return 2 if self.config.half_level_thresholds or matrix.half_levels else 1

    def n_cell_levels(self, matrix: LevelMatrix) -> int:
        return self.steps_per_level(matrix) * matrix.top_level + 1

    def n_always_on(self, matrix: LevelMatrix) -> int:
        largest = int(np.abs(self._start(matrix)).max(initial=0))
        return -(-largest // (self.steps_per_level(matrix) * matrix.top_level))

    def plan(self, matrix: LevelMatrix, block_rows: int) -> CellPlan:
        top = self.n_cell_levels(matrix) - 1
        if top > MAX_CELL_LEVEL:
            raise MappingError(
                f"needs {top} steps in a cell, and {MAX_CELL_LEVEL} are the most",
                remedy="Take a network with fewer weight levels, or whole-level thresholds",
            )
        weights = self.steps_per_level(matrix) * matrix.levels.astype(np.int64)
        levels = np.vstack([weights, self._threshold_rows(matrix)]).astype(np.int8)
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

    def explained(self, error: MappingError, matrix: LevelMatrix) -> MappingError:
        if self.steps_per_level(matrix) == 1:
            return error
        other = (
            "train the matrix with fewer levels, or without half_levels"
            if matrix.half_levels
            else "leave out weight_coding.half_level_thresholds"
        )
        return MappingError(
            f"{error.message}, half levels between those of weights included",
            place=error.place,
            remedy=f"{error.remedy}; or {other}",
        )

    def _start(self, matrix: LevelMatrix) -> NDArray[np.int64]:
        """Sum of each column before any input (n_columns,) [steps of a cell]."""
        steps, thresholds = self.steps_per_level(matrix), matrix.thresholds.astype(np.int64)
        return -steps * thresholds - (steps - 1)

    def _threshold_rows(self, matrix: LevelMatrix) -> NDArray[np.int64]:
        """Rows that are always on, each filled before the next."""
        top, left = self.steps_per_level(matrix) * matrix.top_level, self._start(matrix)
        rows = np.zeros((self.n_always_on(matrix), matrix.n_columns), np.int64)
        for row in rows:
            row[:] = np.clip(left, -top, top)
            left = left - row
        return rows
