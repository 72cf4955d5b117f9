"""Levels that are lower where cells lose less along their wires.

A cell that loses half of what the worst one does is programmed lower by as much, so that all cells
are expected to lose alike, and sums shrink by one factor, which changes no sign. No level is
raised: none leaves the range of the device. Level 0 stays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.tile import Tile
from pimsim.kernels.drop import PARTS, Drop, new_profile, weights

# a step is scaled by what is lost with steps as they were scaled before; the change of the fourth
# time is below the resolution of the losses
TIMES = 4
# total load of a column in whole numbers
LOAD = 2**30


def level_scale(tile: Tile, active: float) -> NDArray[np.float64]:
    """Factor on the current of a row's levels above level 0, (n_rows,), at most 1.

    Parameters
    ----------
    active : float
        Share of the reads in which a row with an input is on.
    """
    scale = np.ones(tile.placement.n_rows)
    for _ in range(TIMES):
        # I+ - I- of a pair of cells counts with the square of their voltage (`kernels.drop`)
        kept = 1 - _losses(tile, active, scale)
        scale = kept.min() / kept
    return scale


def expected_losses(tile: Tile, active: float) -> NDArray[np.float64]:
    """Share of I+ - I- that each row (n_rows,) of the mean column lacks, by wires and scale."""
    scale = np.ones(tile.placement.n_rows) if tile.level_scale is None else tile.level_scale
    return np.asarray(1 - scale * (1 - _losses(tile, active, scale)))


def _losses(tile: Tile, active: float, scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - v^2 of each row of the mean column, with the mean share of rows on."""
    wires, n_rows = tile.wires, tile.placement.n_rows
    assert wires is not None
    siemens, n_lines = np.zeros(n_rows), 0
    for part, chain in tile.read_out.chains(tile):
        mean = part.cell.mean
        unit = part.cell.full_scale_current * chain.drawn / wires.voltage
        for side in part.cells.sides:
            # a matrix with fewer rows that are always on than its neighbour has level 0 there
            levels = np.pad(side.astype(np.int64), ((0, n_rows - len(side)), (0, 0)))
            above = (mean[levels] - mean[0]).sum(axis=1) * scale
            siemens += unit * (above + mean[0] * levels.shape[1])
            n_lines += levels.shape[1]
    share = np.full(n_rows, active)
    share[n_rows - tile.n_always_on :] = 1.0
    of_places = (siemens * share / n_lines)[tile.row_at]
    unit = max(float(of_places.sum()), np.finfo(float).tiny) / LOAD
    loads = np.round(of_places / unit).astype(np.int64)[:, None]
    none = np.zeros((1, 0))
    drop = Drop(
        sums=none,
        start=none.astype(np.int32),
        place=tile.place,
        block_rows=1,
        places=np.arange(1.0, n_rows + 1),
        conductance=np.zeros((1, n_rows), np.int16),
        unit=np.array([unit]),
        always=np.zeros(1),
        always_on=none.astype(np.int32),
        scale=none.astype(np.float32),
        bit=wires.bit,
        source=wires.source,
        length=wires.length,
        bit_twice=wires.bit_twice,
        source_twice=wires.source_twice,
    )
    found = np.empty((n_rows, 1), np.int32)
    weights(drop, 0, loads, new_profile(drop, 1), found)
    return np.asarray(found[tile.place, 0] / PARTS)
