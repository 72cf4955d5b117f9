"""Slices of a weight plus an offset, in single cells, with a count of the active inputs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pimsim.mapping.weights.base import CellPlan, WeightCoding, digits
from pimsim.workload.matrix import LevelMatrix


class OffsetSlices(WeightCoding):
    """Bits of the weight plus L in several single cells.

    The offset times the number of active inputs is subtracted from every sum.  This number is
    the sum of a reference column at level 1, or adders count the bits of the inputs.  A line
    whose cells hold more than half of their largest total, in one array, holds the complement of
    its slices instead, so that no sum is more than half of the largest one.

    Notes
    -----
    Shafiee et al., ISAAC, ISCA 2016, section 5.1 and 5.2: biased weights, a column of ones,
    flipped encoding.
    """

    lines_each: ClassVar[int] = 1
    is_signed: ClassVar[bool] = False

    def n_cell_levels(self, matrix: LevelMatrix) -> int:
        return int(2**self.config.cell_bits)

    def stored_bits(self, matrix: LevelMatrix) -> int:
        return int((2 * matrix.top_level).bit_length())

    def largest_line(self, rows: int, top_level: int, cells: CellPlan) -> int:
        return max(rows if cells.n_references else 1, rows * top_level // 2)

    def plan(self, matrix: LevelMatrix, block_rows: int) -> CellPlan:
        cell_bits, n_columns = self.config.cell_bits, matrix.n_columns
        stored = matrix.levels.astype(np.int16) + np.int16(matrix.top_level)
        slices = digits(matrix, stored, cell_bits, self.stored_bits(matrix))
        top, n_slices = 2**cell_bits - 1, slices.shape[2]
        cells = slices.reshape(matrix.n_rows, -1).astype(np.int8)
        places = np.tile(2 ** (cell_bits * np.arange(n_slices, dtype=np.int64)), n_columns)
        weights, corrections = [], []
        for start in range(0, matrix.n_rows, block_rows):
            block = cells[start : start + block_rows]
            flipped = 2 * block.sum(axis=0, dtype=np.int64) > len(block) * top
            block[:, flipped] = top - block[:, flipped]
            weights.append(np.where(flipped, -places, places))
            of_slices = np.where(flipped, top * places, 0).reshape(-1, n_slices).sum(axis=1)
            corrections.append(of_slices - matrix.top_level)
        owner = np.arange(n_columns).repeat(n_slices)
        counted = self.config.reference_column == "digital"
        if not counted:
            cells = np.hstack([cells, np.ones((matrix.n_rows, 1), np.int8)])
            weights = [np.append(of_block, 1) for of_block in weights]
            owner = np.append(owner, n_columns)
        return CellPlan(
            sides=(cells,),
            n_always_on=0,
            weight_of_line=np.stack(weights),
            owner=owner,
            correction=np.stack(corrections),
            stored_bits=self.stored_bits(matrix),
            is_counted=counted,
            reference=None if counted else np.zeros(n_columns, np.int64),
        )
