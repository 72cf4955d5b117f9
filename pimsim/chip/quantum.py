"""The quantum of a matrix: the step to which the currents of its cells are rounded."""

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
# A quantum is at most this fraction of the smallest standard deviation of any noise. Rounding
# adds a variance of a twelfth of a squared quantum: 5 % to that of the level that varies least,
# which is 2.6 % of its standard deviation.
QUANTUM_TO_NOISE = 0.8
# a level that does not vary, off the even grid, is kept to this fraction of a level step
UNEVEN_RESOLUTION = 2.0**-8
# A level that varies by less than this share of the one that varies most needs no quantum of its
# own: what rounding adds to it is lost among the noise of its neighbours.
NEGLIGIBLE = 1 / 50
# A mismatch of both sides of a pair multiplies all currents of a side. Where cells do not vary, so
# that nothing dithers the rounding, the change of the lowest level is kept to this fraction.
MISMATCH_RESOLUTION = 1 / 4
# the worst column of a matrix is taken so many standard deviations from its mean
MARGIN = 8.0


def full_scale_quanta(
    top_level: int,
    worst: float,
    highest: float,
    cell: CellModel,
    decision: NDArray[np.float64],
    mismatch: float = 0.0,
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
    mismatch : float
        Standard deviation of the ratio of both sides of a pair.

    Raises
    ------
    MappingError
        If sums would not fit 32 bits.

    Notes
    -----
    The noise of a level is the lumped standard deviation of its cells, whose rounding is one more
    independent static error. A level that does not vary is rounded alike in all cells: exactly
    if it lies on the even grid, else it needs `UNEVEN_RESOLUTION`.
    """
    smallest = smallest_noise(cell, decision, mismatch)
    if not (math.isfinite(highest) and highest > 0 and smallest > 1e-12):
        raise MappingError(
            f"sums reach {highest:.3g} times full scale with a smallest noise of {smallest:.3g}; "
            "no chip can be drawn from such numbers",
            remedy="Check the means and standard deviations of the device's states",
        )
    coarsest = QUANTUM_TO_NOISE * smallest
    if not cell.has_uniform_steps and _leaves_the_grid(cell):
        coarsest = min(coarsest, UNEVEN_RESOLUTION / top_level)
    if mismatch and not cell.varies:
        coarsest = min(coarsest, MISMATCH_RESOLUTION * mismatch / top_level)
    needed = 0 if math.isinf(coarsest) else max(0, math.ceil(-math.log2(top_level * coarsest)))
    finest = min(ACCUMULATOR_LIMIT / highest, MAX_FULL_SCALE_QUANTA) / top_level
    if finest < 1:
        raise MappingError(
            f"sums reach {highest:.0f} times full scale and do not fit a 32-bit accumulator",
            remedy="Lower the standard deviations of cells or offsets, or the rows of the matrix",
        )
    fits_16 = math.floor(math.log2(SUM_16_BITS / (worst * top_level)))
    power = min(max(fits_16, needed, 0), math.floor(math.log2(finest)))
    return int(top_level * 2**power)


def smallest_noise(cell: CellModel, decision: NDArray[np.float64], mismatch: float = 0.0) -> float:
    """Smallest standard deviation above zero of levels and decisions [full scales]; inf if none.

    A mismatch counts by the change of the lowest level above level 0; levels that vary by less than
    `NEGLIGIBLE` of the one that varies most do not count.
    """
    of_level = mismatch / (len(cell.mean) - 1)
    of_levels = cell.sigma[cell.sigma >= NEGLIGIBLE * cell.sigma.max()]
    sigmas = np.concatenate([of_levels, decision, [0.0 if cell.varies else of_level]])
    return float(sigmas[sigmas > 0].min(initial=np.inf))


def worst_column(cells: CellPlan, cell: CellModel, offset: float, mismatch: float = 0.0) -> float:
    """Largest sum, of either sign, that any rows of any column can add up to [full scales].

    Rows that lower a sum are off and the others on; the sum of so many cells is then normal,
    and taken `MARGIN` standard deviations from its mean, with an offset and a mismatch of both
    sides as far from zero.
    """
    mean, level_sigma = cell.clipped
    # for every pair of levels: there are far fewer of them than cells
    difference = np.subtract.outer(mean, mean)
    sigma = np.hypot.outer(level_sigma, level_sigma)
    # mean of the positive and of the negative part of a normal number
    scale = np.where(sigma > 0, sigma, 1.0)
    z = difference / scale
    density = np.where(sigma > 0, sigma * np.exp(-z * z / 2) / math.sqrt(2 * math.pi), 0.0)
    above = np.where(sigma > 0, ndtr(z), difference > 0)
    pairs = cells.plus, cells.minus
    rises = (difference * above + density)[pairs].sum(axis=0)
    falls = (density - difference * (1 - above))[pairs].sum(axis=0)
    of_mismatch = mismatch * mean[cells.minus].sum(axis=0)
    margin = MARGIN * np.sqrt((sigma**2)[pairs].sum(axis=0) + offset**2 + of_mismatch**2)
    return float((np.maximum(rises, falls) + margin).max(initial=1.0))


def _leaves_the_grid(cell: CellModel) -> bool:
    """Whether a level without variation lies off the evenly spaced levels."""
    steps = (cell.mean - cell.mean[0]) * (len(cell.mean) - 1)
    off = np.abs(steps - np.round(steps)) > 1e-9
    return bool((off & (cell.sigma == 0)).any())
