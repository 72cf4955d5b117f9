"""The quantum of a matrix: to what its cells' currents are rounded, once, for every kernel."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pimsim.devices import CellModel
from pimsim.errors import MappingError
from pimsim.mapping import CellPlan

# the largest sum of a column that 16 bits hold
SUM_16_BITS = 2**15 - 1
# sums stay below this, with room for the offset and a table of decisions: int32
ACCUMULATOR_LIMIT = 2**30
# and full scale is never finer than this: noise below 1e-4 of it touches no decision
MAX_FULL_SCALE_QUANTA = 2**17
# A quantum is at most this fraction of the smallest deviation of any noise. Rounding adds a
# variance of a twelfth of a squared quantum: 5 % to that of the level that strays least, which
# is 2.6 % of its deviation.
QUANTUM_TO_NOISE = 0.8
# a level that does not stray, off the even grid, is kept to this fraction of a level step
UNEVEN_RESOLUTION = 2.0**-8
# the worst column of a matrix is taken so many deviations from its mean
MARGIN = 8.0


def full_scale_quanta(
    top_level: int, worst: float, highest: float, cell: CellModel, decision: NDArray[np.float64]
) -> int:
    """Full scale in quanta: a power of two for each level step, so that ideal levels are exact.

    It is the finest for which the worst column's sum fits 16 bits. Where that is coarser than
    `QUANTUM_TO_NOISE` of the smallest noise it is the coarsest that is not, and kernels keep
    sums of 32 bits. The choice rests on the matrix and its device alone, so that it is the same
    for all chips and kernels; each drawn chip is checked as well (`program_tile`).

    Parameters
    ----------
    worst, highest : float
        `worst_column` of the matrix, and a bound that no draw can pass [full scales].
    decision : (n,) float64
        Standard deviations of the decisions' noise and of the offsets [full scales]; 0 is off.

    Raises
    ------
    MappingError
        If sums would not fit 32 bits.

    Notes
    -----
    The noise of a level is the lumped spread of its cells, whose rounding is one more
    independent static error. A level that does not stray is rounded alike in all cells: exactly
    where it stands on the even grid, else it needs `UNEVEN_RESOLUTION`.
    """
    smallest = smallest_noise(cell, decision)
    if not (math.isfinite(highest) and highest > 0 and smallest > 1e-12):
        raise MappingError(
            f"the cells' currents reach {highest:.3g} full scales with a least noise of "
            f"{smallest:.3g}; no chip can be drawn from that"
        )
    coarsest = QUANTUM_TO_NOISE * smallest
    if not cell.has_uniform_steps and _leaves_the_grid(cell):
        coarsest = min(coarsest, UNEVEN_RESOLUTION / top_level)
    needed = 0 if math.isinf(coarsest) else max(0, math.ceil(-math.log2(top_level * coarsest)))
    room = min(ACCUMULATOR_LIMIT / highest, MAX_FULL_SCALE_QUANTA) / top_level
    if room < 1:
        raise MappingError(f"sums of {highest:.0f} full scales do not fit a 32-bit accumulator")
    fits_16 = math.floor(math.log2(SUM_16_BITS / (worst * top_level)))
    power = min(max(fits_16, needed, 0), math.floor(math.log2(room)))
    return int(top_level * 2**power)


def smallest_noise(cell: CellModel, decision: NDArray[np.float64]) -> float:
    """The smallest deviation of any level and decision that strays [full scales]; inf if none."""
    deviations = np.append(cell.sigma, decision)
    return float(deviations[deviations > 0].min(initial=np.inf))


def worst_column(cells: CellPlan, cell: CellModel, offset: float) -> float:
    """The largest sum, of either sign, that any rows of any column can add to [full scales].

    Rows that lower a sum are off and the others on; the sum of so many cells is then normal,
    and taken `MARGIN` deviations from its mean, with an offset as far from zero.
    """
    mean, deviation = cell.clipped
    # of every pair of levels: there are far fewer of them than cells
    difference = np.subtract.outer(mean, mean)
    strays = np.hypot.outer(deviation, deviation)
    # mean of the positive and of the negative part of a normal number
    scale = np.where(strays > 0, strays, 1.0)
    z = difference / scale
    density = np.where(strays > 0, strays * np.exp(-z * z / 2) / math.sqrt(2 * math.pi), 0.0)
    above = np.where(strays > 0, ndtr(z), difference > 0)
    pairs = cells.plus, cells.minus
    rises = (difference * above + density)[pairs].sum(axis=0)
    falls = (density - difference * (1 - above))[pairs].sum(axis=0)
    margin = MARGIN * np.sqrt((strays**2)[pairs].sum(axis=0) + offset**2)
    return float((np.maximum(rises, falls) + margin).max(initial=1.0))


def _leaves_the_grid(cell: CellModel) -> bool:
    """Whether a level that does not stray stands off the evenly spaced ones."""
    steps = (cell.mean - cell.mean[0]) * (len(cell.mean) - 1)
    off = np.abs(steps - np.round(steps)) > 1e-9
    return bool((off & (cell.sigma == 0)).any())
