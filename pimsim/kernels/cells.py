"""Currents of drawn cells, one pass over all of them."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)  # chips are drawn side by side
def draw_currents(levels, mean, sigma, deviates, full_scale, gains, out):  # type: ignore[no-untyped-def]
    """Draw the current of every cell: mean + sigma x deviate of its level, clipped, rounded.

    Parameters
    ----------
    levels : (n_rows, n_columns) int8
        Rows beyond them hold level 0.
    mean, sigma : (n_levels,) float64
        Mean and standard deviation of each level [full scales].
    deviates : (more rows, n_columns) float64
        Standard normal numbers.
    full_scale : float
        [quanta]
    gains : (n_columns,) float64
        Factor on all currents of a column.
    out : (more rows, n_columns) int32
        Overwritten [quanta].

    Returns
    -------
    int
        Number of cells that were clipped.
    """
    clipped = 0
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            level = levels[row, column] if row < levels.shape[0] else 0
            current = mean[level] + sigma[level] * deviates[row, column]
            clipped += current < 0
            out[row, column] = np.int32(np.rint(max(current, 0.0) * full_scale * gains[column]))
    return clipped
