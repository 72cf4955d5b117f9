"""Variation that cells have in common: correlated neighbours, gradients of arrays and of wafers.

Everything is drawn once per chip, before any kernel sees a current. Sums and products in a fixed
order, of numbers on the grid of `pimsim.streams`, are the same on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.tile import Tile
from pimsim.config.variation import Variation
from pimsim.streams import Purpose, normals, on_grid, uniforms

Values = NDArray[np.float64]
# no node of a network has it: the place of a chip on its wafer
OF_CHIP = 255


def correlation(variation: Variation) -> float:
    """Correlation of what neighbouring cells have in common, from one cell to the next."""
    return float(on_grid(np.array(math.exp(-1 / variation.neighbour_length))))


def common_deviates(tile: Tile, variation: Variation, seed: int, chip_index: int) -> Values:
    """Standard normal numbers that neighbours of an array have in common.

    Returns
    -------
    (n_sides, n_rows, n_lines) float64
        Correlated as r^(|rows| + |bit lines|) within an array; bit lines of a pair are neighbours.
    """
    placed, n_sides = tile.placement, len(tile.matrices[0].cells.sides)
    shape = (1, placed.n_rows, n_sides * placed.n_lines)
    field = normals(seed, Purpose.VARIATION, chip_index, tile.index, shape)[0]
    r = correlation(variation)
    rows = tile.read_out.config.array.rows
    field = _smoothed(field, r, rows)
    field = _smoothed(field.T, r, placed.lines_of_array * n_sides).T
    by_line = on_grid(field).reshape(placed.n_rows, placed.n_lines, n_sides)
    return np.ascontiguousarray(np.moveaxis(by_line, 2, 0))


def _smoothed(drawn: Values, r: float, each: int) -> Values:
    """x_i = r x_(i-1) + sqrt(1 - r^2) z_i along the first axis, anew after every `each`."""
    found = drawn.copy()
    rest = math.sqrt(1 - r * r)
    for i in range(len(drawn)):
        if i % each:
            found[i] = r * found[i - 1] + rest * drawn[i]
    return found


def deviates(tile: Tile, variation: Variation, own: Values, seed: int, chip_index: int) -> Values:
    """Standard normal numbers of all cells, from their own ones and what they have in common."""
    share = variation.neighbours
    if not share:
        return own
    common = common_deviates(tile, variation, seed, chip_index)
    mixed = np.zeros_like(own)  # of single lines, the other side has no cells
    mixed[: len(common)] = math.sqrt(1 - share) * own[: len(common)] + math.sqrt(share) * common
    return mixed


def gains(tile: Tile, variation: Variation, seed: int, chip_index: int) -> Values | None:
    """Factor on the current of every cell, (2, n_rows, n_lines); None without gradients."""
    if not variation.has_gains:
        return None
    placed = tile.placement
    whole = np.ones((2, placed.n_rows, placed.n_lines))
    if variation.gradient:
        for rows, lines, plane in _planes(tile, variation, seed, chip_index):
            whole[:, rows, lines] = plane
    return np.maximum(on_grid(whole * chip_gain(variation, seed, chip_index)), 0.0)


def _planes(
    tile: Tile, variation: Variation, seed: int, chip_index: int
) -> Iterator[tuple[slice, slice, Values]]:
    """Rows, lines and gradient of every array of a tile."""
    placed = tile.placement
    rows, across = tile.read_out.config.array.rows, placed.lines_of_array
    # counters of rows beyond those of cells
    shape = (1, placed.n_rows + 2 * placed.n_stacked, placed.n_side_by_side)
    drawn = normals(seed, Purpose.VARIATION, chip_index, tile.index, shape)[0, placed.n_rows :]
    for stack in range(placed.n_stacked):
        for side in range(placed.n_side_by_side):
            along = slice(stack * rows, min((stack + 1) * rows, placed.n_rows))
            lines = slice(side * across, min((side + 1) * across, placed.n_lines))
            down, right = variation.gradient * drawn[2 * stack : 2 * stack + 2, side]
            n_rows, n_lines = along.stop - along.start, lines.stop - lines.start
            plane = 1 + down * _centred(n_rows, rows)[:, None] + right * _centred(n_lines, across)
            yield along, lines, plane


def _centred(n: int, of: int) -> Values:
    """Places of the first `n` of some rows or lines, -1/2 to 1/2 over all of them."""
    return np.asarray(np.arange(n) / max(of - 1, 1) - 0.5)


def chip_gain(variation: Variation, seed: int, chip_index: int) -> float:
    """Factor on all currents of a chip, from its place on the wafer.

    A chip lies anywhere on a round wafer. With its distance rho from the centre, of the radius, and
    x along the tilt, the factor is 1 + bow (rho^2 - 1/2) + tilt x / 2: 1 in the mean.
    """
    if not (variation.wafer_bow or variation.wafer_tilt):
        return 1.0
    square, turn = uniforms(seed, Purpose.VARIATION, chip_index, OF_CHIP, (1, 1, 2))[0, 0]
    x = math.sqrt(square) * math.cos(2 * math.pi * turn)
    return float(1 + variation.wafer_bow * (square - 0.5) + variation.wafer_tilt * x / 2)


def variogram(plane: Values, lags: NDArray[np.int64], axis: int) -> Values:
    """Half of the mean square of differences at some distances along an axis, NaN left out."""
    found = []
    for lag in lags:
        ahead, behind = (
            np.take(plane, np.arange(first, plane.shape[axis] - int(lag) + first), axis)
            for first in (int(lag), 0)
        )
        found.append(0.5 * float(np.nanmean((ahead - behind) ** 2)))
    return np.array(found)
