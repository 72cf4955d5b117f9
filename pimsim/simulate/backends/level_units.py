"""Currents of chips without cell variation, in level steps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import ProgrammedTile, Tile
from pimsim.chip.quantum import SUM_16_BITS
from pimsim.kernels.lane_sums import byte_groups


class LevelUnits(NamedTuple):
    """A tile without cell variation, in level steps.

    Attributes
    ----------
    cells : (n_rows, n_columns) int32
        Differential currents.
    start : (n_columns,) int32
        Sum of the rows that are always on.
    steps : list of int
        Quanta to a step, of each matrix.
    byte_groups : int
        Number of tables whose sums fit a byte (`lane_sums.byte_groups`).
    largest_sum : int
        Bound of every column's sum.
    """

    cells: NDArray[np.int32]
    start: NDArray[np.int32]
    steps: list[int]
    byte_groups: int
    largest_sum: int

    @property
    def fit_16_bits(self) -> bool:
        """Whether no sum of any rows leaves 16 bits."""
        return self.largest_sum <= SUM_16_BITS


def level_units(tile: Tile, programmed: ProgrammedTile) -> LevelUnits:
    """Divide the currents of each matrix by their greatest common divisor."""
    cells, start = programmed.cells.copy(), programmed.start.astype(np.int32)
    steps = []
    for matrix in tile.matrices:
        columns = matrix.columns
        step = max(1, int(np.gcd.reduce(np.append(cells[:, columns].ravel(), start[columns]))))
        cells[:, columns] //= step
        start[columns] //= step
        steps.append(step)
    return LevelUnits(cells, start, steps, byte_groups(cells), programmed.largest_sum // min(steps))
