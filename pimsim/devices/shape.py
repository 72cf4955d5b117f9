"""Distributions that are not normal, as tables over the normal deviate.

A cell draws one normal deviate z whatever its distribution: the table says which current
belongs to z, in standard deviations from the mean.  Tables have mean 0 and variance 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Table = NDArray[np.float64]

# draws have 32 bits, so none lies beyond 6.4 (`pimsim.streams.normals`)
DEVIATES: Table = np.linspace(-6.5, 6.5, 209)
WEIGHTS: Table = np.exp(-(DEVIATES**2) / 2) / np.exp(-(DEVIATES**2) / 2).sum()
# far below any use of a table, far above the last bits in which two machines may differ
_GRID = 2.0**-24


def lognormal_shape(mean: float, spread: float) -> Table:
    """Standardised lognormal distribution of a given mean and standard deviation."""
    if spread <= 0 or mean <= 0:
        return DEVIATES
    sigma = np.sqrt(np.log1p((spread / mean) ** 2))
    return standardised(np.exp(sigma * DEVIATES))


def quantile_shape(probabilities: Table, quantiles: Table) -> Table:
    """Straight lines between measured quantiles on probability paper, continued at the ends."""
    z = ndtri(probabilities)
    table = np.interp(DEVIATES, z, quantiles)
    for end, step in ((0, 1), (-1, -1)):
        slope = (quantiles[end] - quantiles[end + step]) / (z[end] - z[end + step])
        beyond = (z[0] > DEVIATES) if end == 0 else (z[-1] < DEVIATES)
        table[beyond] = quantiles[end] + slope * (DEVIATES[beyond] - z[end])
    return standardised(table)


def with_normal(shape: Table, share: float) -> Table:
    """Shape of a sum: `share` of the standard deviation from `shape`, the rest normal.

    Parameters
    ----------
    shape : (n,) float64
    share : float
        Standard deviation of that part, of the whole one, 0 to 1.
    """
    rest = np.sqrt(max(0.0, 1 - share**2))
    if rest < 1e-6:
        return shape
    centres = share * shape
    x = np.linspace(centres[0] - 7 * rest, centres[-1] + 7 * rest, 801)
    away = (x[:, None] - centres) / rest
    below, above = ndtr(away) @ WEIGHTS, ndtr(-away) @ WEIGHTS
    # each tail from its own side, where it has all its digits
    z = np.where(below < 0.5, ndtri(below), -ndtri(above))
    seen = np.abs(z) < 8
    return standardised(np.interp(DEVIATES, z[seen], x[seen]))


def standardised(table: Table) -> Table:
    """The table shifted and scaled to mean 0 and variance 1; as it is where nothing varies."""
    mean = table @ WEIGHTS
    spread = np.sqrt((table - mean) ** 2 @ WEIGHTS)
    if not spread > 0:
        return DEVIATES
    return np.asarray(np.round((table - mean) / spread / _GRID) * _GRID)
