"""Overlap of neighbouring levels: how often one is read as the other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pimsim.devices.cell import CellModel
from pimsim.devices.shape import DEVIATES


def neighbour_errors(cell: CellModel) -> NDArray[np.float64]:
    """Share of cells on the wrong side of the threshold between their level and the next.

    Parameters
    ----------
    cell
        Levels at some age.

    Returns
    -------
    errors : (n_levels - 1,) float64
        For each pair of neighbours, at the threshold where both shares are equal.

    Notes
    -----
    The threshold is z standard deviations above level k and z below level k + 1.
    For normal levels the share is Phi(-(m' - m) / (s + s')).
    """
    if cell.shape is None:
        gap, width = np.diff(cell.mean), cell.sigma[:-1] + cell.sigma[1:]
        apart = np.divide(gap, width, out=np.where(gap > 0, np.inf, 0.0), where=width > 0)
        return np.asarray(ndtr(-apart))
    currents = cell.mean[:, None] + cell.sigma[:, None] * cell.shape
    meet = [np.interp(0.0, low - high[::-1], DEVIATES) for low, high in pairwise(currents)]
    return np.asarray(ndtr(-np.array(meet)))
