"""Repair of a drawn chip's faults: rows, pairs and sides exchanged, spare pairs, partners.

A test has found every fault. A repair is a function of the repairs so far of the matrices of a
tile, which share its rows and its spare pairs; those that the model file names are done in the
order of `REPAIRS`. The damage of a column is the sum over its rows of the error of I+ - I- [full
scales], whatever the inputs are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.faults import draw_faults
from pimsim.chip.placing import assigned, column_damage, row_damage
from pimsim.chip.repaired import Repaired, States, whole_levels
from pimsim.chip.tile import Tile
from pimsim.config.faults import Faults
from pimsim.streams import table_limit


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
    mean, (plus, minus) = state.matrix.cell.mean, state.meant
    meant, (of_plus, of_minus) = mean[plus] - mean[minus], state.forced
    new = [side.copy() for side in state.levels]
    # the + cell fails: its current less that of the - cell; and the other way round
    for side, forced, other, sign in ((1, of_plus, of_minus, -1), (0, of_minus, of_plus, 1)):
        rows, lines = np.nonzero(~np.isnan(forced) & np.isnan(other))
        wanted = forced[rows, lines] + sign * meant[rows, lines]
        new[side][rows, lines] = np.abs(mean - wanted[:, None]).argmin(axis=1)
    return replace(state, levels=tuple(new))


def _rows(states: States) -> States:
    """Exchange rows with an input: the matrices of a tile share its word lines."""
    n_inputs = states[0].matrix.matrix.n_rows
    cost = np.sum([row_damage(state, n_inputs) for state in states], axis=0)
    row = states[0].row.copy()
    row[:n_inputs] = row[:n_inputs][assigned(cost)]
    return tuple(replace(state, row=row) for state in states)


def _columns(state: Repaired) -> Repaired:
    """Exchange the pairs of each array with each other, and with spare ones."""
    place, free = state.place.copy(), state.free.copy()
    for array in np.unique(state.array[place]):
        own = np.flatnonzero(state.array[place] == array)
        spare = np.flatnonzero(state.free & (state.array == array))
        places = np.concatenate([place[own], spare])
        free[spare] = True
        place[own] = places[assigned(column_damage(state, own, places))]
        free[place[own]] = False
    return replace(state, place=place, free=free)


def _each(repair: Callable[[Repaired], Repaired]) -> Callable[[States], States]:
    """A repair of one matrix for those of a tile, which leave each other the spare pairs."""

    def of_all(states: States) -> States:
        done: list[Repaired] = []
        for state in states:
            done.append(repair(replace(state, free=(done or states)[-1].free)))
        return tuple(done)

    return of_all


# repairs by the words of a model file, in the order in which they are done
REPAIRS: dict[str, Callable[[States], States]] = {
    "rows": _rows,
    "columns": _each(_columns),
    "sides": _each(_sides),
    "spares": _each(_spares),
    "partner": _each(_partner),
}


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
    """Draw the faults of a tile of one chip, and do all repairs that are asked for."""
    found = draw_faults(tile, faults, seed, chip_index)
    n_rows = found.kind.shape[1]
    states: States = tuple(
        Repaired(
            matrix,
            faults,
            found.current(matrix, faults, slice(None)),
            found.dead_bit,
            found.array,
            tile.place,
            np.arange(matrix.columns.start, matrix.columns.stop),
            np.zeros(matrix.n_lines, np.bool_),
            np.arange(len(found.array)) >= tile.placement.n_lines,
            tuple(whole_levels(side, n_rows) for side in matrix.cells.sides),
        )
        for matrix in tile.matrices
    )
    for name, repair in REPAIRS.items():
        if name in faults.repair:
            states = repair(states)
    return TileFaults(tile, states)
