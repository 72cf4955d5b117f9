"""Tiles of `pimsim.kernels.portable` whose lines have wires: exact ladders, or first-order losses.

Both compute the current of each side of a pair less what it loses along bit and source line, and
round the difference of both to quanta.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pimsim.kernels.copying import copy
from pimsim.kernels.decisions import list_marked
from pimsim.kernels.drop import Drop, lost, n_input_blocks, new_profile, weights
from pimsim.kernels.ladder import line_currents
from pimsim.kernels.portable import (
    add_rows,
    begin_sums,
    new_sums,
    signed_rows,
    sum_rows,
    switch_rows,
)


class LadderRows(NamedTuple):
    """Cells of a tile whose columns are solved as ladders.

    Attributes
    ----------
    plus, minus : (1 or n_chips, n_rows, n_columns) int32
        Currents of the cells of both sides [quanta], in the order of their places along the
        lines; rows that are always on come last.
    start : (1 or n_chips, n_columns) int32
        The amplifiers' offsets, with their signs turned [quanta].
    n_always_on : int
    place : (n_rows,) int64
        Place of each row with an input.
    bit, source, length, bit_twice, source_twice
        As of a `Ladder`, whose place it takes.
    """

    plus: NDArray[np.int32]
    minus: NDArray[np.int32]
    start: NDArray[np.int32]
    n_always_on: int
    place: NDArray[np.int64]
    bit: NDArray[np.float64]
    source: NDArray[np.float64]
    length: int
    bit_twice: bool
    source_twice: bool


@new_sums.register(LadderRows)
def _new_ladder_sums(tile):  # type: ignore[no-untyped-def]
    n_rows, n_columns = tile.plus.shape[1:]
    return (
        np.empty(n_columns, np.int32),
        np.empty(n_rows, np.int64),
        np.empty((5, n_columns)),
        np.empty((2, n_columns)),
    )


@sum_rows.register(LadderRows)
def _sum_ladder_rows(tile, drawn, rows, n, sums):  # type: ignore[no-untyped-def]
    distances, on, parts, currents = sums
    n_rows = tile.plus.shape[1]
    for i in range(n):
        on[i] = tile.place[rows[i]]
    on[:n].sort()
    for i in range(tile.n_always_on):
        on[n + i] = n_rows - tile.n_always_on + i
    n += tile.n_always_on
    line_currents(tile.plus[drawn], on, n, tile, parts, currents[0])
    line_currents(tile.minus[drawn], on, n, tile, parts, currents[1])
    for column in range(distances.shape[0]):
        found = np.floor(currents[0, column] - currents[1, column] + 0.5)
        distances[column] = np.int32(found) + tile.start[drawn, column]


@begin_sums.register(LadderRows)
def _begin_ladder_sums(tile, drawn, sums):  # type: ignore[no-untyped-def]
    pass  # every read begins anew


@switch_rows.register(LadderRows)
def _switch_ladder_rows(tile, drawn, lines, driven, mask, words, rows, sums):  # type: ignore[no-untyped-def]
    for row in range(lines.shape[0]):
        mask[row] = driven[row] = lines[row]
    sum_rows(tile, drawn, rows, list_marked(mask, words, rows), sums)


def drop_rows(drop: Drop, *, fits_16_bits: bool) -> Drop:
    """Lay cells out by rows, as `signed_rows` does."""
    rows = signed_rows(drop.sums, drop.start, fits_16_bits=fits_16_bits)
    return drop._replace(sums=rows.cells, start=rows.start)


@new_sums.register(Drop)
def _new_drop_sums(tile):  # type: ignore[no-untyped-def]
    n_columns, kind = tile.sums.shape[2], tile.sums.dtype
    n_blocks = n_input_blocks(tile)
    return (
        np.empty(n_columns, kind),
        np.empty((n_blocks, n_columns), kind),
        np.empty((n_blocks, 1), np.int64),
        np.empty(tile.block_rows + 8, np.int64),
        new_profile(tile, 1),
        np.empty((tile.places.shape[0], 1), np.int32),
        np.empty(n_columns, np.int64),
    )


@begin_sums.register(Drop)
def _begin_drop_sums(tile, drawn, sums):  # type: ignore[no-untyped-def]
    blocks, loads = sums[1], sums[2]
    for block in range(blocks.shape[0]):
        loads[block, 0] = 0
        for column in range(blocks.shape[1]):
            blocks[block, column] = 0


@sum_rows.register(Drop)
def _sum_drop_rows(tile, drawn, rows, n, sums):  # type: ignore[no-untyped-def]
    begin_sums(tile, drawn, sums)
    _add_blocks(tile, drawn, rows, n, sums)
    _lose(tile, drawn, sums)


@switch_rows.register(Drop)
def _switch_drop_rows(tile, drawn, lines, driven, mask, words, rows, sums):  # type: ignore[no-untyped-def]
    n_rows = lines.shape[0]
    for row in range(n_rows):
        mask[row] = lines[row] ^ driven[row]
    n = list_marked(mask, words, rows)
    for i in range(n):
        rows[i] += (n_rows + 1) * np.int64(driven[rows[i]])
    _add_blocks(tile, drawn, rows, n, sums)
    for row in range(n_rows):
        driven[row] = lines[row]
    _lose(tile, drawn, sums)


@njit(cache=True)
def _add_blocks(tile, drawn, rows, n, sums):  # type: ignore[no-untyped-def]
    """Add rows, or take them off, to and from the sums and loads of their blocks."""
    blocks, loads, own = sums[1], sums[2], sums[3]
    conductance, block_rows = tile.conductance[drawn], tile.block_rows
    n_rows = conductance.shape[0]
    for block in range(blocks.shape[0]):
        n_own, load = 0, np.int64(0)
        for i in range(n):
            row = rows[i] % (n_rows + 1)
            if tile.place[row] // block_rows == block:
                own[n_own] = rows[i]
                load += conductance[row] if rows[i] < n_rows else -np.int64(conductance[row])
                n_own += 1
        loads[block, 0] += load
        if n_own:
            add_rows(tile.sums[drawn], own, n_own, n_rows, blocks[block])


@njit(cache=True)
def _lose(tile, drawn, sums):  # type: ignore[no-untyped-def]
    """Distances from the sums of all blocks, less their losses."""
    distances, blocks, loads, _, profile, found, loss = sums
    kind = tile.sums.dtype.type
    weights(tile, drawn, loads, profile, found)
    copy(tile.start[drawn], distances)
    n_blocks, always_on = blocks.shape[0], tile.always_on[drawn]
    of_always = np.int64(found[n_blocks, 0]) if found.shape[0] > n_blocks else np.int64(0)
    for column in range(distances.shape[0]):
        loss[column] = of_always * always_on[column]
    for block in range(n_blocks):
        weight, own = np.int64(found[block, 0]), blocks[block]
        for column in range(distances.shape[0]):
            distances[column] += own[column]
            loss[column] += weight * own[column]
    for column in range(distances.shape[0]):
        distances[column] = kind(distances[column] - lost(loss[column], tile.scale[drawn, column]))
