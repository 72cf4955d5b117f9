"""Sums of the lines that ADCs convert: how large they are, what they weigh, their quantum."""

from __future__ import annotations

import math

import numpy as np

from pimsim.devices import CellModel
from pimsim.errors import MappingError
from pimsim.mapping import CellPlan
from pimsim.workload.matrix import LevelMatrix

# sums are held in float32 by the kernels, exactly
EXACT_SUM = 2**24
# a current is rounded to at most this fraction of every noise source's standard deviation
QUANTUM_TO_NOISE = 1 / 16
UNEVEN_RESOLUTION = 2.0**-8


def quanta_per_level(
    cell: CellModel,
    top_level: int,
    errors: np.ndarray,
    worst: float,
    mismatch: float,
    *,
    is_whole: bool,
) -> tuple[int, float]:
    """Quanta of a level step, and the smallest standard deviation of any noise [levels].

    Parameters
    ----------
    errors : (n,) float64
        Standard deviations of the ADCs' errors [levels]; 0 is off.
    worst : float
        Largest sum [levels].
    mismatch : float
        Standard deviation of the ratio of the currents of two sides.
    is_whole : bool
        Whether sums of cells with uniform steps are whole levels.
    """
    of_cells = np.concatenate(list(cell.sigmas.values())) * top_level
    # the difference that a mismatch makes to the current of the lowest level
    sigmas = np.concatenate([of_cells, errors, [mismatch]])
    smallest = floor = float(sigmas[sigmas > 0].min(initial=np.inf))
    if not (is_whole and cell.has_uniform_steps):
        smallest = min(smallest, UNEVEN_RESOLUTION / QUANTUM_TO_NOISE)
    power = 0
    if not math.isinf(smallest):
        power = max(0, math.ceil(math.log2(1 / (smallest * QUANTUM_TO_NOISE))))
    max_power = math.floor(math.log2(EXACT_SUM / worst))
    if max_power < 0:
        raise MappingError(
            f"sums reach {worst:.0f} levels, which do not fit the 24 bits of the kernels",
            remedy="Lower the standard deviations of cells or ADCs, or the rows of the array",
        )
    return int(2 ** min(power, max_power)), floor


def column_length(matrix: LevelMatrix) -> float:
    """Largest root of the summed squares of a column's levels."""
    return float(np.sqrt((matrix.levels.astype(np.float64) ** 2).sum(axis=0).max()))


def reference_weight(cells: CellPlan, level0: float) -> np.ndarray:
    """Weight (n_blocks, n_columns) of the sum of its reference column in each sum.

    Parameters
    ----------
    level0 : float
        Current of level 0 [levels]: that of all lines of a column is subtracted, too, and the
        reference column's own cells draw it beside their level.
    """
    of_lines = cells.summed(cells.weight_of_line)
    if cells.reference_level == 0:
        # its sum is what level 0 draws, also where that is nothing
        return np.asarray(-of_lines, np.float64)
    return np.asarray((cells.correction - level0 * of_lines) / (cells.reference_level + level0))


def weight_of_lines(cells: CellPlan, level0: float) -> float:
    """Largest root of the summed squares of the weights of a column's lines, of all arrays.

    Noise of the lines is independent; a reference column's sum has a weight of its own.
    """
    squares = cells.summed(cells.weight_of_line**2).astype(np.float64)
    if cells.reference is not None:
        squares += reference_weight(cells, level0) ** 2
    return float(np.sqrt(squares.sum(axis=0).max()))
