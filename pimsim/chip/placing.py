"""Rows and pairs of bit lines exchanged around cells that fail.

An exchange of rows is undone by the order in which inputs come to the word lines, one of pairs by
the order in which bits leave the amplifiers: the network stays what it is, and a cell that fails
meets a weight that it harms less. The best order is the assignment of least damage.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pimsim.chip.repaired import DEAD, Repaired, carried
from pimsim.streams import Purpose, uniforms

# cost of a move [full scales]: far below that of a cell, far above the rounding of sums
_MOVE = 1e-7


def assigned(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """Place of each row of a cost matrix (n, n_places), so that costs add up to the least.

    Nothing moves that need not. Fixed numbers decide between equal orders, so that any solver
    finds the same one.
    """
    ties = uniforms(0, Purpose.FAULT_ROW, 0, 0, (1, *cost.shape))[0]
    moves = np.arange(cost.shape[0])[:, None] != np.arange(cost.shape[1])
    return np.asarray(linear_sum_assignment(cost + _MOVE * moves * (1 + ties))[1])


def row_damage(state: Repaired, n_inputs: int) -> NDArray[np.float64]:
    """Damage that row i has in row j of the arrays, (n_inputs, n_inputs) [full scales]."""
    forced, fails = state.forced, state.fails
    of_pair, known = _pairs(state)
    damage = np.zeros((n_inputs, n_inputs))
    for row in range(n_inputs):
        lines = np.flatnonzero(fails[row])
        error = _errors(state, known, forced[:, row, lines])
        # (n_inputs, n_lines): what each cell would do to the weight of any row
        damage[:, row] = error[np.arange(len(lines)), of_pair[:n_inputs, lines]].sum(axis=1)
    return damage


def column_damage(
    state: Repaired, lines: NDArray[np.int64], places: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Damage that each of some lines has at each of some places, (n, n_places) [full scales].

    It is that of the better of both sides, where they may be exchanged.
    """
    currents = state.of_places[:, state.row[:, None], places]
    of_pair, known = _pairs(state)
    damage = np.zeros((len(lines), len(places)))
    for place in range(len(places)):
        rows = np.flatnonzero(~np.isnan(currents[:, :, place]).all(axis=0))
        forced, held = currents[:, rows, place], of_pair[rows][:, lines]
        turns = (forced, forced[::-1]) if "sides" in state.faults.repair else (forced,)
        found = [_errors(state, known, own)[np.arange(len(rows))[:, None], held] for own in turns]
        damage[:, place] = np.min([error.sum(axis=0) for error in found], axis=0)
    return damage + DEAD * (state.dead_bit[places] >= 0)


def _pairs(state: Repaired) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number of each cell pair's levels (n_rows, n_lines) among all there are, (2, n_known)."""
    plus, minus = state.meant
    n_levels = len(state.matrix.cell.mean)
    known, number = np.unique(plus * n_levels + minus, return_inverse=True)
    return number.reshape(plus.shape), np.stack(np.divmod(known, n_levels))


def _errors(
    state: Repaired, known: NDArray[np.int64], forced: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Error of pairs of cells with each pair of levels, (n_pairs, n_known) [full scales]."""
    mean = state.matrix.cell.mean
    found = carried(mean, known, forced, has_partner="partner" in state.faults.repair)
    return np.asarray(np.abs(found - (mean[known[0]] - mean[known[1]])))
