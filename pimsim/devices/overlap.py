"""How often a cell of one level is taken for one of the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pimsim.devices.cell import CellModel


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
    Level k lies above T as often as level k + 1 lies below it where T is equally many
    standard deviations from both: the share is Phi(-(m' - m) / (s + s')).
    """
    gap, width = np.diff(cell.mean), cell.spread[:-1] + cell.spread[1:]
    apart = np.divide(gap, width, out=np.where(gap > 0, np.inf, 0.0), where=width > 0)
    return np.asarray(ndtr(-apart))
