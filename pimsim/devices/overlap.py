"""How often a cell of one level is taken for one of the next."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pimsim.devices.cell import CellModel
from pimsim.devices.shape import DEVIATES


def neighbour_errors(cell: CellModel) -> NDArray[np.float64]:
    """Share of cells beyond the threshold between their level and the next.

    Parameters
    ----------
    cell
        Levels at some age.

    Returns
    -------
    errors : (n_levels - 1,) float64
        For each two neighbours, at the threshold that both miss equally often.

    Notes
    -----
    At that threshold level k stands z standard deviates up and level k + 1 as many down.
    For normal levels the share is Phi(-(m' - m) / (s + s')).
    """
    if cell.shape is None:
        gap, width = np.diff(cell.mean), cell.spread[:-1] + cell.spread[1:]
        apart = np.divide(gap, width, out=np.where(gap > 0, np.inf, 0.0), where=width > 0)
        return np.asarray(ndtr(-apart))
    currents = cell.mean[:, None] + cell.spread[:, None] * cell.shape
    meet = [np.interp(0.0, low - high[::-1], DEVIATES) for low, high in pairwise(currents)]
    return np.asarray(ndtr(-np.array(meet)))
