"""Currents of chips on which no cell strays, in level steps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import ProgrammedTile, Tile
from pimsim.chip.quantum import SUM_16_BITS
from pimsim.kernels.lane_sums import byte_groups


class LevelUnits(NamedTuple):
    """A tile on which no cell strays, in level steps.

    Attributes
    ----------
    cells : (n_rows, n_columns) int32
    start : (n_columns,) int32
        Sum of the rows that are always on.
    steps : list of int
        Quanta to a step, of each matrix.
    byte_groups : int
        As of `lane_sums.byte_groups`.
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
    """Currents of a tile on which no cell strays, divided by what divides all of them."""
    cells, start = programmed.cells.copy(), programmed.start.astype(np.int32)
    steps = []
    for part in tile.matrices:
        own = part.columns
        step = max(1, int(np.gcd.reduce(np.append(cells[:, own].ravel(), start[own]))))
        cells[:, own] //= step
        start[own] //= step
        steps.append(step)
    return LevelUnits(cells, start, steps, byte_groups(cells), programmed.largest_sum // min(steps))
