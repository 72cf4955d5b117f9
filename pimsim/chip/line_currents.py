"""Currents of the bit lines of a matrix as they are expected before anything is simulated."""

from __future__ import annotations

import math

import numpy as np

from pimsim.chip.pulses import Pulses
from pimsim.chip.tile import MatrixLayout
from pimsim.circuits.chain import LineCurrents
from pimsim.devices import CellModel

# the highest current is that of the fullest line, so many standard deviations above its mean
MARGIN = 4.0


def expected_currents(
    part: MatrixLayout, cell: CellModel, pulses: Pulses, active: float, block_rows: int | None
) -> LineCurrents:
    """Current of one bit line, with every bit of the rows' numbers 1 in a share of the reads.

    Parameters
    ----------
    cell : CellModel
        Its levels as intended, at the temperature of the chip.
    pulses : Pulses
        Of the tile.
    active : float
        Share of the bits that are 1.
    block_rows : int or None
        Rows that share a read-out, where a matrix is read in blocks.

    Returns
    -------
    LineCurrents
        `mean` over all lines; `highest` for the line that carries most, `MARGIN` standard
        deviations above its mean.
    """
    means, highest = [], 0.0
    for side in part.cells.sides:
        levels = cell.intended[np.asarray(side, np.int64)] * cell.full_scale_current
        rows = block_rows or len(levels)
        share = np.full((len(levels), 1), pulses.mean(active))
        varying = np.full((len(levels), 1), pulses.variance(active))
        always = slice(len(levels) - part.cells.n_always_on, None)
        share[always], varying[always] = 1.0, 0.0
        for first in range(0, len(levels), rows):
            block = slice(first, first + rows)
            own = levels[block]
            mean = (own * share[block]).sum(axis=0)
            sigma = np.sqrt((own**2 * varying[block]).sum(axis=0))
            means.append(mean)
            highest = max(highest, float((mean + MARGIN * sigma).max(initial=0.0)))
    mean = float(np.mean(np.concatenate(means)))
    # a matrix of zeros on cells without a current of level 0 draws nothing
    return LineCurrents(mean or math.ulp(0.0), highest)
