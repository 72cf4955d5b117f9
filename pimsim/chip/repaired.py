"""A matrix on a drawn chip with faults: which cells fail, what they cost, what repairs changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.tile import MatrixOnChip
from pimsim.config.faults import Faults

# damage of a dead amplifier: beyond that of any column of cells
DEAD = 1e9


@dataclass(frozen=True)
class Repaired:
    """A matrix on a chip with faults.

    Attributes
    ----------
    matrix : MatrixOnChip
    faults : Faults
    of_places : (n_sides, n_rows, n_places) float64
        Currents of all places' cells that fail [full scales]; NaN where one works.
    dead_bit : (n_places,) int8
        From `FaultMap`.
    array : (n_places,) int64
        From `FaultMap`.
    row : (n_rows,) int64
        Row of the arrays that the cells of each row of the matrix are in.
    place : (n_lines,) int64
        Place of each line of the matrix.
    swapped : (n_lines,) bool
        Whether the cells of its sides are exchanged, and the amplifier's bit turned.
    free : (n_places,) bool
        Spare places that no line has.
    levels : tuple of (n_rows, n_lines) int64
        Levels that are programmed.
    """

    matrix: MatrixOnChip
    faults: Faults
    of_places: NDArray[np.float64]
    dead_bit: NDArray[np.int8]
    array: NDArray[np.int64]
    row: NDArray[np.int64]
    place: NDArray[np.int64]
    swapped: NDArray[np.bool_]
    free: NDArray[np.bool_]
    levels: tuple[NDArray[np.int64], ...]

    @property
    def forced(self) -> NDArray[np.float64]:
        """Currents of the lines' cells that fail, (n_sides, n_rows, n_lines); NaN if they work."""
        own = self.of_places[:, self.row[:, None], self.place]
        return np.where(self.swapped, own[::-1], own)

    @property
    def fails(self) -> NDArray[np.bool_]:
        """Pairs with a cell that fails, (n_rows, n_lines)."""
        return np.asarray(~np.isnan(self.forced).all(axis=0))

    @property
    def dead(self) -> NDArray[np.int8]:
        """Bit of each line that a dead amplifier gives; -1 where it works."""
        own = self.dead_bit[self.place]
        return np.where((own >= 0) & self.swapped, 1 - own, own).astype(np.int8)

    def damage(self) -> NDArray[np.float64]:
        """Damage of every line (n_lines,) [full scales]."""
        mean = self.matrix.cell.mean
        meant = [mean[side] for side in self.meant]
        held = [
            np.where(np.isnan(forced), mean[side], forced)
            for forced, side in zip(self.forced, self.levels, strict=True)
        ]
        error = _difference(held) - _difference(meant)
        return np.asarray(np.abs(error).sum(axis=0) + DEAD * (self.dead >= 0))

    @property
    def meant(self) -> list[NDArray[np.int64]]:
        """Levels of both sides that the matrix has, each (n_rows, n_lines)."""
        return [whole_levels(side, self.of_places.shape[1]) for side in self.matrix.cells.sides]


def whole_levels(side: NDArray[np.int8], n_rows: int) -> NDArray[np.int64]:
    """Levels of a side with level 0 in the rows that a matrix has fewer than its neighbour."""
    return np.pad(side.astype(np.int64), ((0, n_rows - len(side)), (0, 0)))


def carried(
    mean: NDArray[np.float64],
    wanted: NDArray[np.int64],
    forced: NDArray[np.float64],
    *,
    has_partner: bool,
) -> NDArray[np.float64]:
    """I+ - I- of pairs with a cell that fails, (n_pairs, n_wanted) [full scales].

    Parameters
    ----------
    mean : (n_levels,) float64
        Mean current of each level.
    wanted : (2, n_wanted) int64
        Levels of both sides that the weights need.
    forced : (2, n_pairs) float64
        Currents of the cells that fail; NaN where one works.
    has_partner : bool
        Whether the cell that works takes the level that makes up best.
    """
    plus, minus = forced[:, :, None]
    if not has_partner:
        sides = zip((plus, minus), wanted, strict=True)
        of_plus, of_minus = (np.where(np.isnan(f), mean[k], f) for f, k in sides)
        return np.asarray(of_plus - of_minus)
    every = np.where(np.isnan(plus), mean, plus) - np.where(np.isnan(minus), mean, minus)
    meant = mean[wanted[0]] - mean[wanted[1]]
    best = np.abs(every[:, :, None] - meant).argmin(axis=1)
    return np.asarray(np.take_along_axis(every, best, axis=1))


def _difference(sides: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return sides[0] - sides[1] if len(sides) > 1 else sides[0]


States = tuple[Repaired, ...]
