"""Distributions other than the normal one, as tables over the normal deviate.

Every cell has one random normal deviate z, whatever its distribution: the table gives the
current for z, in standard deviations from the mean.  Tables have mean 0 and variance 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from pimsim.streams import MAX_NORMAL, on_grid

Table = NDArray[np.float64]

# beyond the largest deviate that is drawn, 6.3 (`pimsim.streams.normals`)
DEVIATES: Table = np.linspace(-6.5, 6.5, 209)
WEIGHTS: Table = np.exp(-(DEVIATES**2) / 2) / np.exp(-(DEVIATES**2) / 2).sum()


def lognormal_shape(mean: float, sigma: float) -> Table:
    """Standardised lognormal distribution of a given mean and standard deviation."""
    if sigma <= 0 or mean <= 0:
        return DEVIATES
    of_log = np.sqrt(np.log1p((sigma / mean) ** 2))
    return standardised(np.exp(of_log * DEVIATES))


def quantile_shape(probabilities: Table, quantiles: Table) -> Table:
    """Distribution by measured quantiles, linear between and beyond them on probability paper."""
    z = ndtri(probabilities)
    table = np.interp(DEVIATES, z, quantiles)
    for end, step in ((0, 1), (-1, -1)):
        slope = (quantiles[end] - quantiles[end + step]) / (z[end] - z[end + step])
        beyond = (z[0] > DEVIATES) if end == 0 else (z[-1] < DEVIATES)
        table[beyond] = quantiles[end] + slope * (DEVIATES[beyond] - z[end])
    return standardised(table)


def with_normal(shape: Table, share: float) -> Table:
    """Distribution of a sum of a variable with `shape` and a normal one.

    Parameters
    ----------
    shape : (n,) float64
    share : float
        Standard deviation of the first variable over that of the sum, 0 to 1.
    """
    rest = np.sqrt(max(0.0, 1 - share**2))
    if rest < 1e-6:
        return shape
    centres = share * shape
    x = np.linspace(centres[0] - MAX_NORMAL * rest, centres[-1] + MAX_NORMAL * rest, 801)
    away = (x[:, None] - centres) / rest
    below, above = ndtr(away) @ WEIGHTS, ndtr(-away) @ WEIGHTS
    # each tail is computed from its own side, where no digits are lost
    z = np.where(below < 0.5, ndtri(below), -ndtri(above))
    finite = np.abs(z) < 8
    return standardised(np.interp(DEVIATES, z[finite], x[finite]))


def standardised(table: Table) -> Table:
    """The table shifted and scaled to mean 0 and variance 1; that of the normal if constant."""
    mean = table @ WEIGHTS
    sigma = np.sqrt((table - mean) ** 2 @ WEIGHTS)
    if not sigma > 0:
        return DEVIATES
    return on_grid((table - mean) / sigma)
