"""Weights in several cells each: slices of a number, least significant first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import MappingError
from pimsim.mapping.differential_pair import CellLevels
from pimsim.workload.matrix import LevelMatrix


class Slices(NamedTuple):
    """A matrix in slices, and how its weights come out of their codes again.

    A weight is the sum over its lines of `worth` times the level there, plus `per_active`; the
    codes of a unit column make a sum of their own.

    Attributes
    ----------
    cells : CellLevels
        Of (n_rows, n_lines): the slices of a weight stand side by side.  A line is a pair of bit
        lines, or without minus cells a single one, and then the last is the unit column.
    worth : (n_blocks, n_lines) int64
        Of a level on each line, for each array that the rows are spread over.
    per_active : (n_blocks, n_columns) int64
        What every active input adds to a column's sum, beyond its cells.
    """

    cells: CellLevels
    worth: NDArray[np.int64]
    per_active: NDArray[np.int64]

    @property
    def worth_of_weights(self) -> NDArray[np.int64]:
        """Worth (n_blocks, n_columns, n_slices) of the lines that hold weights."""
        n_blocks, n_columns = self.per_active.shape
        lines = self.worth if self.cells.minus is not None else self.worth[:, :-1]
        return lines.reshape(n_blocks, n_columns, -1)


def n_slices(matrix: LevelMatrix, cell_bits: int, *, has_offset: bool = False) -> int:
    """Cells that a magnitude of 0..L takes, or with an offset a weight of 0..2L."""
    return int(-(-stored_bits(matrix, has_offset=has_offset) // cell_bits))


def stored_bits(matrix: LevelMatrix, *, has_offset: bool) -> int:
    """Bits of a weight as its cells hold it, without a sign."""
    return int(((1 + has_offset) * matrix.top_level).bit_length())


def differential_slices(matrix: LevelMatrix, cell_bits: int, block_rows: int) -> Slices:
    """Slices of the weights' magnitude.

    Each is a differential pair, with the slice on the + cell for a positive weight, on the -
    cell for a negative one, and level 0 on the other.

    Raises
    ------
    MappingError
        If the matrix has thresholds: a chip with converters adds those as numbers, and such
        networks are not known to it yet.
    """
    slices = _digits(matrix, np.abs(matrix.levels.astype(np.int16)), cell_bits, has_offset=False)
    positive = (matrix.levels > 0)[:, :, None]
    flat = (matrix.n_rows, -1)
    plus = np.where(positive, slices, 0).reshape(flat).astype(np.int8)
    minus = np.where(positive, 0, slices).reshape(flat).astype(np.int8)
    n_blocks = -(-matrix.n_rows // block_rows)
    places = 2 ** (cell_bits * np.arange(slices.shape[2], dtype=np.int64))
    worth = np.tile(places, (n_blocks, matrix.n_columns))
    nothing = np.zeros((n_blocks, matrix.n_columns), np.int64)
    return Slices(CellLevels(plus, minus, 0), worth, nothing)


def offset_slices(matrix: LevelMatrix, cell_bits: int, block_rows: int) -> Slices:
    """Slices of the weights plus L, in single cells, and a unit column of cells at level 1.

    The unit column's sum is the number of active inputs, times which the offset is taken off
    again.  A line whose cells hold more than half of what they could, in one array, holds the
    complement of its slices instead, so that no sum is more than half of the largest one.

    Raises
    ------
    MappingError
        As of `differential_slices`.

    Notes
    -----
    Shafiee et al., ISAAC, ISCA 2016, section 5.1 and 5.2: biased weights, unit column, flipped
    encoding.
    """
    stored = matrix.levels.astype(np.int16) + np.int16(matrix.top_level)
    slices = _digits(matrix, stored, cell_bits, has_offset=True)
    top, width = 2**cell_bits - 1, slices.shape[2]
    plus = slices.reshape(matrix.n_rows, -1).astype(np.int8)
    places = np.tile(2 ** (cell_bits * np.arange(width, dtype=np.int64)), matrix.n_columns)
    worth, per_active = [], []
    for start in range(0, matrix.n_rows, block_rows):
        block = plus[start : start + block_rows]
        flipped = 2 * block.sum(axis=0, dtype=np.int64) > len(block) * top
        block[:, flipped] = top - block[:, flipped]
        worth.append(np.append(np.where(flipped, -places, places), 1))
        of_slices = np.where(flipped, top * places, 0).reshape(-1, width).sum(axis=1)
        per_active.append(of_slices - matrix.top_level)
    plus = np.hstack([plus, np.ones((matrix.n_rows, 1), np.int8)])
    return Slices(CellLevels(plus, None, 0), np.stack(worth), np.stack(per_active))


def _digits(
    matrix: LevelMatrix, numbers: NDArray[np.int16], cell_bits: int, *, has_offset: bool
) -> NDArray[np.int16]:
    """Slices (n_rows, n_columns, n_slices) of non-negative numbers."""
    if matrix.thresholds.any():
        raise MappingError("has thresholds, which a chip with converters does not take")
    places = np.arange(n_slices(matrix, cell_bits, has_offset=has_offset)) * cell_bits
    return np.asarray((numbers[:, :, None] >> places) & (2**cell_bits - 1), np.int16)
