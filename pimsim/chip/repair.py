"""Repair of a drawn chip's faults: sides exchanged, spare pairs, partners of stuck cells.

A test has found every fault. A repair is a function of a matrix's repair so far; those that the
model file names are done in the order of `REPAIRS`. The damage of a column is the sum over its
rows of the error of I+ - I- [full scales], whatever the inputs are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.faults import FaultMap, draw_faults
from pimsim.chip.tile import MatrixOnChip, Tile
from pimsim.config.faults import Faults
from pimsim.streams import table_limit

# damage of a dead amplifier: beyond that of any column of cells
_DEAD = 1e9


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
    place: NDArray[np.int64]
    swapped: NDArray[np.bool_]
    free: NDArray[np.bool_]
    levels: tuple[NDArray[np.int64], ...]

    @property
    def forced(self) -> NDArray[np.float64]:
        """Currents of the lines' cells that fail, (n_sides, n_rows, n_lines); NaN if they work."""
        own = self.of_places[:, :, self.place]
        return np.where(self.swapped, own[::-1], own)

    @property
    def dead(self) -> NDArray[np.int8]:
        """Bit of each line that a dead amplifier gives; -1 where it works."""
        own = self.dead_bit[self.place]
        return np.where((own >= 0) & self.swapped, 1 - own, own).astype(np.int8)

    def damage(self) -> NDArray[np.float64]:
        """Damage of every line (n_lines,) [full scales]."""
        mean = self.matrix.cell.mean
        meant = [mean[side] for side in self._meant]
        held = [
            np.where(np.isnan(forced), mean[side], forced)
            for forced, side in zip(self.forced, self.levels, strict=True)
        ]
        error = _difference(held) - _difference(meant)
        return np.asarray(np.abs(error).sum(axis=0) + _DEAD * (self.dead >= 0))

    @property
    def _meant(self) -> list[NDArray[np.int64]]:
        return [whole_levels(side, self.of_places.shape[1]) for side in self.matrix.cells.sides]


def whole_levels(side: NDArray[np.int8], n_rows: int) -> NDArray[np.int64]:
    """Levels of a side with level 0 in the rows that a matrix has fewer than its neighbour."""
    return np.pad(side.astype(np.int64), ((0, n_rows - len(side)), (0, 0)))


def _difference(sides: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return sides[0] - sides[1] if len(sides) > 1 else sides[0]


def _sides(state: Repaired) -> Repaired:
    """Exchange the sides of the pairs that lose less so."""
    if len(state.levels) < 2:
        return state
    turned = replace(state, swapped=~state.swapped)
    return replace(state, swapped=state.swapped ^ (turned.damage() < state.damage()))


def _spares(state: Repaired) -> Repaired:
    """Replace the worst pairs of each array by spare ones that lose less."""
    damage, done = state.damage(), set[int]()
    for line in np.argsort(-damage, kind="stable"):
        here, best, least = int(state.array[state.place[line]]), state, damage[line]
        if here in done or least == 0:
            continue
        for spare in np.flatnonzero(state.free & (state.array == here)):
            place = state.place.copy()
            place[line] = spare
            moved = replace(state, place=place)
            if "sides" in state.faults.repair:
                moved = _sides(moved)
            found = moved.damage()[line]
            if found < least:
                best, least = moved, found
        if best is state:
            # what does not help the worst pair of an array helps no better one
            done.add(here)
            continue
        free = state.free.copy()
        free[best.place[line]] = False
        state = replace(best, free=free)
    return state


def _partner(state: Repaired) -> Repaired:
    """Program the other cell of a pair to the level that makes up best for one that fails."""
    if len(state.levels) < 2:
        return state
    mean, (plus, minus) = state.matrix.cell.mean, state._meant
    meant, (of_plus, of_minus) = mean[plus] - mean[minus], state.forced
    new = [side.copy() for side in state.levels]
    # the + cell fails: its current less that of the - cell; and the other way round
    for side, forced, other, sign in ((1, of_plus, of_minus, -1), (0, of_minus, of_plus, 1)):
        rows, lines = np.nonzero(~np.isnan(forced) & np.isnan(other))
        wanted = forced[rows, lines] + sign * meant[rows, lines]
        new[side][rows, lines] = np.abs(mean - wanted[:, None]).argmin(axis=1)
    return replace(state, levels=tuple(new))


# repairs by the words of a model file, in the order in which they are done
REPAIRS: dict[str, Callable[[Repaired], Repaired]] = {
    "sides": _sides,
    "spares": _spares,
    "partner": _partner,
}


def repaired(
    matrix: MatrixOnChip, found: FaultMap, faults: Faults, free: NDArray[np.bool_]
) -> Repaired:
    """A matrix of a tile with the faults of a chip, after all repairs that are asked for.

    Parameters
    ----------
    free : (n_places,) bool
        Spare places that no other matrix of the tile has taken.
    """
    n_rows = found.kind.shape[1]
    state = Repaired(
        matrix,
        faults,
        found.current(matrix, faults, slice(None)),
        found.dead_bit,
        found.array,
        np.arange(matrix.columns.start, matrix.columns.stop),
        np.zeros(matrix.n_lines, np.bool_),
        free,
        tuple(whole_levels(side, n_rows) for side in matrix.cells.sides),
    )
    for name, repair in REPAIRS.items():
        if name in faults.repair:
            state = repair(state)
    return state


@dataclass(frozen=True)
class TileFaults:
    """Faults of the lines of a tile on one chip, after repair.

    Attributes
    ----------
    tile : Tile
    matrices : tuple of Repaired
        Of each matrix, in order.
    """

    tile: Tile
    matrices: tuple[Repaired, ...]

    @property
    def levels(self) -> dict[str, tuple[NDArray[np.int8], ...]]:
        """Levels that are programmed, by the name of the matrix."""
        return {
            state.matrix.name: tuple(side.astype(np.int8) for side in state.levels)
            for state in self.matrices
        }

    def break_cells(self, currents: NDArray[np.int32]) -> int:
        """Put the currents of cells that fail into those drawn (2, n_rows, n_lines) [quanta].

        Returns
        -------
        Number of cells that fail.
        """
        n_failed = 0
        for state in self.matrices:
            full_scale, columns = state.matrix.read_out.full_scale_quanta, state.matrix.columns
            for side, forced in enumerate(state.forced):
                own, fails = currents[side, :, columns], ~np.isnan(forced)
                own[fails] = np.round(forced[fails] * full_scale)
                n_failed += int(fails.sum())
            for line in np.flatnonzero(state.dead >= 0):
                currents[:, :, columns.start + line] = 0
        return n_failed

    def offsets(self, subtracted: NDArray[np.int64]) -> NDArray[np.int64]:
        """Offsets (n_lines,) with which dead amplifiers give their bit, whatever noise is drawn."""
        found = subtracted.copy()
        for state in self.matrices:
            numbers = state.matrix.read_out
            beyond = table_limit(numbers.sigma_quanta, numbers.widest) + 1
            own = found[state.matrix.columns]
            own[state.dead == 1], own[state.dead == 0] = -beyond, beyond
        return found


def tile_faults(tile: Tile, faults: Faults, seed: int, chip_index: int) -> TileFaults:
    """Draw the faults of a tile of one chip, and repair them."""
    found = draw_faults(tile, faults, seed, chip_index)
    free = np.arange(len(found.array)) >= tile.placement.n_lines
    states = []
    for matrix in tile.matrices:
        states.append(repaired(matrix, found, faults, free))
        free = states[-1].free
    return TileFaults(tile, tuple(states))
