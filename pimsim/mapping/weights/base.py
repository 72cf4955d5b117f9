"""The verbs of a weight coding."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import MappingError
from pimsim.workload.matrix import LevelMatrix


@dataclass(frozen=True)
class CellPlan:
    """Level of every cell of a matrix, and factors that rebuild weights from the sums of lines.

    A line is a pair of bit lines, a single one, or those of a word, that is read out at once.
    A column of the matrix is one line, or several that hold slices of its weights.

    Attributes
    ----------
    sides : tuple of (n_rows, n_lines) int8
        Levels on the + bit lines and, of pairs, on the - bit lines; of words their values, of
        either sign. Rows that are always on come last.
    n_always_on : int
        Rows that are on in every read: they hold the thresholds.
    weight_of_line : (n_blocks, n_lines) int64
        Weight of one level on a line, in each array that rows are spread over.
    owner : (n_lines,) int64
        Column that a line belongs to; of reference column r it is the number of columns plus r.
    correction : (n_blocks, n_columns) int64
        Correction per active row, added to a column's sum.
    reference : (n_columns,) int64 or None
        Reference column of each column, counted from the matrix's own first; negative for one
        among the lines of a matrix before, in the same array.  None: there is none.
    reference_level : int
        Level of the cells of reference columns.
    stored_bits : int
        Bits of a weight as its cells hold it, without a sign.
    is_counted : bool
        Whether logic counts the active rows, instead of a reference column.
    """

    sides: tuple[NDArray[np.int8], ...]
    n_always_on: int
    weight_of_line: NDArray[np.int64]
    owner: NDArray[np.int64]
    correction: NDArray[np.int64]
    stored_bits: int
    is_counted: bool = False
    reference: NDArray[np.int64] | None = None
    reference_level: int = 1

    @property
    def n_rows(self) -> int:
        return len(self.sides[0])

    @property
    def n_lines(self) -> int:
        return int(self.sides[0].shape[1])

    @property
    def n_columns(self) -> int:
        return int(self.correction.shape[1])

    @property
    def plus(self) -> NDArray[np.int8]:
        """Levels on the + bit lines."""
        return self.sides[0]

    @cached_property
    def minus(self) -> NDArray[np.int8]:
        """Levels on the - bit lines; zeros where there are none."""
        return self.sides[1] if len(self.sides) > 1 else np.zeros_like(self.sides[0])

    def summed(self, of_lines: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sum over the lines of each column (n_blocks, n_columns), of numbers (n_blocks, n_lines).

        Reference columns do not count.
        """
        own = self.owner < self.n_columns
        found = np.zeros((len(of_lines), self.n_columns), of_lines.dtype)
        np.add.at(found.T, self.owner[own], of_lines[:, own].T)
        return found

    @property
    def n_references(self) -> int:
        """Reference columns among its lines."""
        return int(max(0, self.owner.max(initial=0) + 1 - self.n_columns))

    @property
    def is_corrected(self) -> bool:
        """Whether sums are corrected by the number of active rows."""
        return self.reference is not None or self.is_counted


class WeightCoding:
    """Method by which cells hold a matrix of integer levels.

    Attributes
    ----------
    lines_each : int
        Bit lines of a line: 2 of a pair, 1 of a single one.
    is_signed : bool
        Whether a line's sum has a sign.
    """

    lines_each: ClassVar[int] = 2
    is_signed: ClassVar[bool] = True

    def __init__(self, config: Any) -> None:
        self.config = config

    def n_cell_levels(self, matrix: LevelMatrix) -> int:
        """Levels that a cell must hold."""
        raise NotImplementedError

    def full_scale(self, matrix: LevelMatrix) -> float:
        """Weight at full scale of a cell [units of pre-activation]."""
        of_weights = (self.n_cell_levels(matrix) - 1) / self.steps_per_level(matrix)
        return matrix.alpha * (of_weights / matrix.top_level)

    def explained(self, error: MappingError, matrix: LevelMatrix) -> MappingError:
        """An error of a cell that has too few levels, with what the coding has to do with it."""
        return error

    def steps_per_level(self, matrix: LevelMatrix) -> int:
        """Steps of a cell's level for one level of a weight: 2 where cells hold half levels."""
        return 1

    def raised(self, matrix: LevelMatrix) -> float:
        """Amount added to every threshold, so that no sum meets it [level steps]."""
        return (self.steps_per_level(matrix) - 1) / 2

    def bit_lines(self, matrices: Iterable[LevelMatrix]) -> int:
        """Bit lines of each line of a tile that holds these matrices."""
        return self.lines_each

    def n_always_on(self, matrix: LevelMatrix) -> int:
        """Rows that are on in every read."""
        return 0

    def stored_bits(self, matrix: LevelMatrix) -> int:
        """Bits of a weight as its cells hold it, without a sign."""
        return int(matrix.top_level.bit_length())

    def largest_line(self, rows: int, top_level: int, cells: CellPlan) -> int:
        """Largest sum of a line of so many rows, beyond what level 0 draws [levels]."""
        return rows * top_level

    def placed(self, plan: CellPlan, first: int, lines_of_array: int) -> CellPlan:
        """A plan at its place, with what the coding has in every array.

        Parameters
        ----------
        first : int
            Its first line, counted through all arrays side by side.
        lines_of_array : int
        """
        return plan

    def plan(self, matrix: LevelMatrix, block_rows: int) -> CellPlan:
        """Cells of a matrix whose rows are spread over arrays of `block_rows`.

        Raises
        ------
        MappingError
            If the coding cannot hold such a matrix.
        """
        raise NotImplementedError


def require_no_thresholds(matrix: LevelMatrix) -> None:
    """Refuse thresholds: ADC chips would add those as numbers, and do not know such networks yet.

    Raises
    ------
    MappingError
        If the matrix has some.
    """
    if matrix.thresholds.any():
        raise MappingError(
            "has thresholds, and a chip with ADCs takes none",
            remedy="Train the network without thresholds, or take a chip with sense amplifiers",
        )


def digits(
    matrix: LevelMatrix, numbers: NDArray[np.int16], cell_bits: int, stored_bits: int
) -> NDArray[np.int16]:
    """Slices (n_rows, n_columns, n_slices) of non-negative numbers, the lowest bits first.

    Raises
    ------
    MappingError
        If the matrix has thresholds.
    """
    require_no_thresholds(matrix)
    places = np.arange(-(-stored_bits // cell_bits)) * cell_bits
    return np.asarray((numbers[:, :, None] >> places) & (2**cell_bits - 1), np.int16)
