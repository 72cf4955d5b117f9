"""Slices of a weight's magnitude, each in a differential pair."""

from __future__ import annotations

import numpy as np

from pimsim.mapping.weights.base import CellPlan, WeightCoding, digits
from pimsim.workload.matrix import LevelMatrix


class BitSlices(WeightCoding):
    """Bits of the magnitude in several pairs: on + cells of a positive weight, else on - cells.

    The other cell of a pair is at level 0.
    """

    def n_cell_levels(self, matrix: LevelMatrix) -> int:
        return int(2**self.config.cell_bits)

    def plan(self, matrix: LevelMatrix, block_rows: int) -> CellPlan:
        cell_bits = self.config.cell_bits
        magnitude = np.abs(matrix.levels.astype(np.int16))
        slices = digits(matrix, magnitude, cell_bits, self.stored_bits(matrix))
        positive = (matrix.levels > 0)[:, :, None]
        flat, n_slices = (matrix.n_rows, -1), slices.shape[2]
        n_blocks = -(-matrix.n_rows // block_rows)
        places = 2 ** (cell_bits * np.arange(n_slices, dtype=np.int64))
        return CellPlan(
            sides=(
                np.where(positive, slices, 0).reshape(flat).astype(np.int8),
                np.where(positive, 0, slices).reshape(flat).astype(np.int8),
            ),
            n_always_on=0,
            weight_of_line=np.tile(places, (n_blocks, matrix.n_columns)),
            owner=np.arange(matrix.n_columns).repeat(n_slices),
            correction=np.zeros((n_blocks, matrix.n_columns), np.int64),
            stored_bits=self.stored_bits(matrix),
        )
