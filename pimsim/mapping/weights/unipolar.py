"""Weights of one sign in single cells, and a correction column for each array."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import MappingError
from pimsim.mapping.weights.base import CellPlan, WeightCoding, require_no_thresholds
from pimsim.workload.matrix import LevelMatrix


class Unipolar(WeightCoding):
    """One cell for each weight of a column whose weights have one sign, p k with k in 0..L.

    A column of both signs takes two lines, whose codes are subtracted, or is refused.  The first
    line of each array is a correction column: its cells are all at one level, its code is
    read once for all columns, and what level 0 draws is taken off each of them with it.

    Notes
    -----
    Garcia-Redondo et al., arXiv 1910.13850, and US 11,886,972: N + 1 columns instead of 2 N.  With
    the cells of the correction column at level 0, its code times p is subtracted, and so are its
    errors: they are common to all columns.  At level 1, which draws 1 + z levels where level 0
    draws z, a share z / (1 + z) of it is subtracted, with as much of its errors.
    """

    lines_each: ClassVar[int] = 1
    is_signed: ClassVar[bool] = False

    def n_cell_levels(self, matrix: LevelMatrix) -> int:
        return matrix.top_level + 1

    def largest_line(self, rows: int, top_level: int, cells: CellPlan) -> int:
        return rows * top_level

    def plan(self, matrix: LevelMatrix, block_rows: int) -> CellPlan:
        require_no_thresholds(matrix)
        weights = matrix.levels.astype(np.int16)
        falls, rises = (weights < 0).any(axis=0), (weights > 0).any(axis=0)
        both = falls & rises
        if both.any() and self.config.mixed_columns == "refused":
            raise MappingError(
                f"has weights of both signs in {int(both.sum())} of its {matrix.n_columns} columns",
                remedy="Train it with weights of one sign in each column (polarity in its recipe), "
                "or set chip.weight_coding.mixed_columns to two_lines",
            )
        # a column of zeros has a line, too
        positive, negative = np.flatnonzero(rises | ~falls), np.flatnonzero(falls)
        owner = np.concatenate([positive, negative])
        sign = np.concatenate([np.ones(len(positive)), -np.ones(len(negative))]).astype(np.int64)
        order = np.argsort(owner, kind="stable")
        owner, sign = owner[order], sign[order]
        n_blocks = -(-matrix.n_rows // block_rows)
        return CellPlan(
            sides=(np.maximum(sign * weights[:, owner], 0).astype(np.int8),),
            n_always_on=0,
            weight_of_line=np.tile(sign, (n_blocks, 1)),
            owner=owner,
            correction=np.zeros((n_blocks, matrix.n_columns), np.int64),
            stored_bits=self.stored_bits(matrix),
        )

    def placed(self, plan: CellPlan, first: int, lines_of_array: int) -> CellPlan:
        """The plan with a correction column wherever an array begins among its lines.

        Where the array began with lines of a matrix before, its column serves this one as well.
        """
        if self.config.correction == "none":
            return plan
        level = 1 if self.config.correction == "level_1" else 0
        array_of_line, is_correction = _spread(plan.n_lines, first, lines_of_array)
        # arrays that have begun so far have theirs
        n_before = -(-first // lines_of_array)
        own_arrays = array_of_line[is_correction] - n_before
        (cells,) = plan.sides
        of_lines = np.full((plan.n_rows, len(is_correction)), level, np.int8)
        of_lines[:, ~is_correction] = cells
        owner = np.empty(len(is_correction), np.int64)
        owner[is_correction] = plan.n_columns + own_arrays
        owner[~is_correction] = plan.owner
        weight = np.ones((len(plan.weight_of_line), len(owner)), np.int64)
        weight[:, ~is_correction] = plan.weight_of_line
        # lines of a column of both signs may lie in two arrays, and then need no correction
        reference = np.zeros(plan.n_columns, np.int64)
        reference[plan.owner] = array_of_line[~is_correction] - n_before
        return replace(
            plan,
            sides=(of_lines,),
            weight_of_line=weight,
            owner=owner,
            reference=reference,
            reference_level=level,
        )


def _spread(
    n_lines: int, first: int, lines_of_array: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Array of each line from `first` on, and whether it begins the array, until `n_lines` do not.

    Raises
    ------
    MappingError
        If an array has one line alone, which the correction column takes.
    """
    if lines_of_array < 2:
        raise MappingError(
            "needs arrays of two columns or more, of which the first one is the correction column",
            remedy="Raise array.columns",
        )
    # the m-th line that holds weights, counted from the tile's first, lies behind m // (A - 1) + 1
    # correction columns
    held = first - -(-first // lines_of_array)
    last = held + n_lines
    end = last + -(-last // (lines_of_array - 1))
    lines = np.arange(first, end)
    return lines // lines_of_array, lines % lines_of_array == 0
