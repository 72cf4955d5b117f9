"""Sums of rows for 128 sequences side by side, less what pairs lose along their wires.

Tables are those of `pimsim.kernels.lane_sums` with 16-bit sums of five rows; losses are the numbers
of `pimsim.kernels.wired_rows`.  The running sum of a column is kept after every block of rows: the
loss is the sum of these times differences of the blocks' weights, which all columns share.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pimsim.kernels import register_losses as losses
from pimsim.kernels import registers
from pimsim.kernels.drop import Drop, n_input_blocks, new_profile, weights
from pimsim.kernels.half_sums import SIDE_BY_SIDE
from pimsim.kernels.lane_sums import add_lines, lane_tables, new_memory, select
from pimsim.kernels.memory import aligned_row
from pimsim.kernels.registers import ENTRIES, LANES, ROWS, WORDS


def drop_tables(drop: Drop) -> Drop | None:
    """Lay cells out as tables of 16-bit sums.

    Rows stand in the order of places, and columns are rounded up to whole fours. None where
    currents of rows that are always on do not fit 16 bits.
    """
    if drop.always_on.size and abs(drop.always_on).max() >= 2**15:
        return None
    order = np.argsort(drop.place)
    tables = lane_tables(drop.sums[:, order], drop.start)
    more = ((0, 0), (0, tables.start.shape[1] - drop.scale.shape[1]))
    return drop._replace(
        sums=tables.sums,
        start=tables.start,
        conductance=np.ascontiguousarray(drop.conductance[:, order]),
        always_on=np.pad(drop.always_on, more),
        scale=np.pad(drop.scale, more),
    )


@new_memory.register(Drop)
def _new_memory(tile):  # type: ignore[no-untyped-def]
    n_blocks, n_places = n_input_blocks(tile), tile.places.shape[0]
    # rows that are always on are one more block, whether or not there are any
    n_pairs = (n_blocks + 2) // 2
    running = aligned_row(2 * n_pairs * SIDE_BY_SIDE * LANES, np.int16)
    for i in range(running.shape[0]):
        running[i] = 0
    return (
        # word lines in the order of places, in whole groups
        np.zeros(tile.sums.shape[2] * ROWS * WORDS, np.uint64),
        aligned_row(n_blocks * LANES, np.int16),
        new_profile(tile, LANES),
        np.zeros((max(n_places, n_blocks + 1), LANES), np.int32),
        aligned_row(2 * LANES, np.int16),
        aligned_row(n_pairs * losses.PAIR, np.int16),
        running,
    )


@add_lines.register(Drop)
def _add_lines(tile, drawn, lines, selectors, memory, sums):  # type: ignore[no-untyped-def]
    placed, loads, profile, found, steps, pairs, running = memory
    n_blocks, n_pairs = loads.shape[0] // LANES, pairs.shape[0] // losses.PAIR
    for row in range(tile.place.shape[0]):
        for word in range(WORDS):
            placed[tile.place[row] * WORDS + word] = lines[row, word]
    select(placed, selectors)
    _add_loads(placed, tile.conductance[drawn], tile.block_rows, loads)
    of_places = found[: tile.places.shape[0]]
    weights(tile, drawn, loads.reshape(n_blocks, LANES), profile, of_places)
    for pair in range(n_pairs):
        for side in range(2):
            block = 2 * pair + side
            for lane in range(LANES):
                step = found[block, lane] if block <= n_blocks else np.int32(0)
                if block + 1 < n_blocks:
                    step -= found[block + 1, lane]
                steps[side * LANES + lane] = step
        losses.store_pairs(
            pairs,
            pair * losses.PAIR,
            registers.load_lanes(steps, 0),
            registers.load_lanes(steps, LANES),
        )
    table, start = tile.sums[drawn].reshape(-1), tile.start[drawn]
    scale, always_on = tile.scale[drawn], tile.always_on[drawn]
    for four in range(start.shape[0] // SIDE_BY_SIDE):
        _add_blocks(table, four, tile.block_rows // ROWS, n_blocks, selectors, running)
        for index in range(SIDE_BY_SIDE):
            column = SIDE_BY_SIDE * four + index
            own = index * LANES
            always = registers.in_all(np.int64(always_on[column]))
            registers.store_lanes(running, n_blocks * SIDE_BY_SIDE * LANES + own, always)
            loss = losses.no_losses()
            for pair in range(n_pairs):
                place = 2 * pair * SIDE_BY_SIDE * LANES + own
                loss = losses.add_products(
                    loss,
                    registers.load_lanes(running, place),
                    registers.load_lanes(running, place + SIDE_BY_SIDE * LANES),
                    pairs,
                    pair * losses.PAIR,
                )
            whole = registers.load_lanes(running, (n_blocks - 1) * SIDE_BY_SIDE * LANES + own)
            whole = registers.add(whole, registers.in_all(np.int64(start[column])))
            lost = losses.lost(loss, scale[column])
            registers.store_lanes(sums, column * LANES, losses.subtract(whole, lost))


@njit(cache=True)
def _add_loads(lines, conductance, block_rows, loads):  # type: ignore[no-untyped-def]
    """Sums (n_blocks LANES,) int16 of the conductances of the rows that are on, block by block."""
    n_rows = conductance.shape[0]
    for block in range(loads.shape[0] // LANES):
        load = registers.in_all(0)
        for row in range(block * block_rows, min((block + 1) * block_rows, n_rows)):
            on = registers.load_mask(lines, row * WORDS)
            own = registers.in_all(np.int64(conductance[row]))
            load = registers.add(load, registers.where(on, own))
        registers.store_lanes(loads, block * LANES, load)


@njit(cache=True)
def _add_blocks(tables, four, groups_of_block, n_blocks, selectors, running):  # type: ignore[no-untyped-def]
    """Running sums (n_blocks or more, 4, LANES) of four columns after each block of groups."""
    n_groups = selectors.shape[0] // LANES
    a = b = c = d = registers.in_all(0)
    for block in range(n_blocks):
        first = block * groups_of_block
        for group in range(first, min(first + groups_of_block, n_groups)):
            table = (four * n_groups + group) * SIDE_BY_SIDE * ENTRIES
            which = registers.load_lanes(selectors, group * LANES)
            one = registers.load_table(tables, table)
            two = registers.load_table(tables, table + ENTRIES)
            three = registers.load_table(tables, table + 2 * ENTRIES)
            four_ = registers.load_table(tables, table + 3 * ENTRIES)
            a = registers.add(a, registers.look_up(one, which))
            b = registers.add(b, registers.look_up(two, which))
            c = registers.add(c, registers.look_up(three, which))
            d = registers.add(d, registers.look_up(four_, which))
        place = block * SIDE_BY_SIDE * LANES
        registers.store_lanes(running, place, a)
        registers.store_lanes(running, place + LANES, b)
        registers.store_lanes(running, place + 2 * LANES, c)
        registers.store_lanes(running, place + 3 * LANES, d)
