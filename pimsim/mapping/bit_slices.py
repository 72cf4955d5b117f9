"""Weights in several cells each: slices of their magnitude, least significant first."""

from __future__ import annotations

import numpy as np

from pimsim.errors import MappingError
from pimsim.mapping.differential_pair import CellLevels
from pimsim.workload.layers import LevelMatrix


def n_slices(matrix: LevelMatrix, cell_bits: int) -> int:
    """Cells that a magnitude of 0..L takes."""
    return int(-(-matrix.top_level.bit_length() // cell_bits))


def bit_slices(matrix: LevelMatrix, cell_bits: int) -> CellLevels:
    """Cell levels (n_rows, n_columns x n_slices) of a weight matrix.

    A weight's slices stand side by side; each is a differential pair, with the slice on the +
    cell for a positive weight, on the - cell for a negative one, and level 0 on the other.

    Raises
    ------
    MappingError
        If the matrix has thresholds: a chip with converters adds those as numbers, and such
        networks are not known to it yet.
    """
    if matrix.thresholds.any():
        raise MappingError("has thresholds, which a chip with converters does not take")
    magnitude = np.abs(matrix.levels.astype(np.int16))
    places = np.arange(n_slices(matrix, cell_bits)) * cell_bits
    slices = (magnitude[:, :, None] >> places) & (2**cell_bits - 1)
    positive = (matrix.levels > 0)[:, :, None]
    flat = (matrix.n_rows, -1)
    plus = np.where(positive, slices, 0).reshape(flat).astype(np.int8)
    minus = np.where(positive, 0, slices).reshape(flat).astype(np.int8)
    return CellLevels(plus, minus, 0)
