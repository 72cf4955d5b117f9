"""Weights as differential pairs of cells (Ma et al., Table 1)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.matrix import LevelMatrix


class CellLevels(NamedTuple):
    """Level of every cell of a matrix.

    Attributes
    ----------
    plus, minus : (n_rows, n_columns) int8
        Levels 0..L on the bit lines I+ and I-; rows that are always on come last.  `minus` is
        None where columns are single bit lines.
    n_always_on : int
        Rows that are on in every read: they hold the thresholds.
    """

    plus: NDArray[np.int8]
    minus: NDArray[np.int8] | None
    n_always_on: int


def differential_pairs(matrix: LevelMatrix) -> CellLevels:
    """Cell levels of a weight matrix.

    Level k > 0 puts k on the + cell and 0 on the - cell, k < 0 the other way
    round, k = 0 leaves both at level 0.  A threshold t other than zero becomes
    weights of total -t on rows that are always on.
    """
    levels = np.vstack([matrix.levels, _threshold_rows(matrix)])
    zero = np.int8(0)
    return CellLevels(
        np.maximum(levels, zero), np.maximum(-levels, zero), len(levels) - matrix.n_rows
    )


def always_on_rows(matrix: LevelMatrix) -> int:
    """Rows of weights that it takes to hold the largest threshold of a matrix."""
    return int(-(-np.abs(matrix.thresholds.astype(np.int64)).max(initial=0) // matrix.top_level))


def _threshold_rows(matrix: LevelMatrix) -> NDArray[np.int8]:
    top = matrix.top_level
    left = -matrix.thresholds.astype(np.int64)
    rows = np.zeros((always_on_rows(matrix), matrix.n_columns), np.int8)
    for row in rows:
        row[:] = np.clip(left, -top, top)
        left = left - row
    return rows
