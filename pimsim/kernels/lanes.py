"""Array MACs with sequences in the lanes of 512-bit registers.

Word lines are bits, so five rows of a column have 32 possible sums.  They fill a register, and
one look-up adds the five rows for the sequences of another register.  Sums are of 16 bits: for
chips on which no sum leaves them (`ProgrammedTile.fits_16_bits`), and then they are the numbers
of `pimsim.kernels.array`.

Bits of 128 sequences are two words of 64, `(..., WORDS)` uint64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from pimsim.kernels import registers
from pimsim.kernels.copying import copy
from pimsim.kernels.lane_decisions import decide, decide_gru, draw, multiplex, room_for
from pimsim.kernels.registers import ENTRIES, LANES, ROWS, WORDS
from pimsim.kernels.sliced import count_bits

# columns whose tables stand side by side: their sums share a look-up's selectors
SIDE_BY_SIDE = 4
# bits that are packed at once: their words fit the first-level cache
PACKED = 1024


class Block(NamedTuple):
    """Sequences of the blocks of a batch.

    Attributes
    ----------
    samples : (n_blocks, LANES) uint64
        Index of each sequence in its data set; counter 1 of its draws.
    valid : (n_blocks, WORDS) uint64
        Sequences that there are: the last block may have room left.
    """

    samples: NDArray[np.uint64]
    valid: NDArray[np.uint64]


@njit(cache=True, parallel=True)
def pack_blocks(bits, words):  # type: ignore[no-untyped-def]
    """Put sequences side by side.

    Parameters
    ----------
    bits : (k, n, n_bits) uint8
    words : (k, n_blocks, n_bits, WORDS) uint64
        Overwritten: bit i of word w is sequence 64 w + i of its block; 0 beyond the last one.
    """
    n, n_bits = bits.shape[1:]
    n_blocks = words.shape[1]
    for job in prange(bits.shape[0] * n_blocks * WORDS):
        k, block, word = job // (n_blocks * WORDS), job // WORDS % n_blocks, job % WORDS
        first = block * LANES + word * 64
        column = np.empty(PACKED, np.uint64)
        for begin in range(0, n_bits, PACKED):
            size = min(PACKED, n_bits - begin)
            column[:] = np.uint64(0)
            for i in range(max(0, min(64, n - first))):
                own = bits[k, first + i, begin : begin + size]
                for j in range(size):
                    column[j] |= np.uint64(own[j]) << np.uint64(i)
            for j in range(size):
                words[k, block, begin + j, word] = column[j]


@njit(cache=True, parallel=True)
def build_tables(cells, tables):  # type: ignore[no-untyped-def]
    """Sums of all choices of five rows.

    Parameters
    ----------
    cells : (n_chips, n_rows, n_columns) int32
        Differential currents [quanta].
    tables : (n_chips, n_columns / 4, n_groups, 4, 32) int16
        Entry e of group g has the rows 5 g + r for which bit r of e is 1.  Columns are rounded up
        to whole fours and rows to whole groups, with currents of 0.
    """
    n_chips, n_rows, n_columns = cells.shape
    for job in prange(n_chips * tables.shape[1]):
        chip, four = job // tables.shape[1], job % tables.shape[1]
        for group in range(tables.shape[2]):
            for place in range(SIDE_BY_SIDE):
                column = SIDE_BY_SIDE * four + place
                table = tables[chip, four, group, place]
                table[0] = 0
                for r in range(ROWS):
                    row, size = ROWS * group + r, 1 << r
                    current = 0
                    if row < n_rows and column < n_columns:
                        current = cells[chip, row, column]
                    for entry in range(size):
                        table[size + entry] = table[entry] + current


@njit(cache=True)
def select(lines, selectors):  # type: ignore[no-untyped-def]
    """What `look_up` takes: for every five rows and sequence, which of them are on.

    Parameters
    ----------
    lines : (5 n_groups WORDS,) uint64
        Word lines of a block, row by row.
    selectors : (n_groups LANES,) int16
        Overwritten.
    """
    for group in range(selectors.shape[0] // LANES):
        chosen = registers.in_all(registers.SELECTOR_BASE)
        for r in range(ROWS):
            on = registers.load_mask(lines, (ROWS * group + r) * WORDS)
            step = registers.in_all(registers.SELECTOR_STEP << r)
            chosen = registers.add(chosen, registers.where(on, step))
        registers.store_lanes(selectors, group * LANES, chosen)


@njit(cache=True)
def add_up(tables, start, selectors, sums):  # type: ignore[no-untyped-def]
    """Kirchhoff's current law for 128 sequences.

    Parameters
    ----------
    tables : (n_columns / 4 x n_groups x 4 x 32,) int16
        One chip's, from `build_tables`.
    start : (n_columns,) int32
        Current of the rows that are always on, less the offset [quanta].
    selectors : (n_groups LANES,) int16
    sums : (n_columns LANES,) int16
        Overwritten [quanta].
    """
    n_groups = selectors.shape[0] // LANES
    for four in range(start.shape[0] // SIDE_BY_SIDE):
        column = SIDE_BY_SIDE * four
        a = registers.in_all(np.int64(start[column]))
        b = registers.in_all(np.int64(start[column + 1]))
        c = registers.in_all(np.int64(start[column + 2]))
        d = registers.in_all(np.int64(start[column + 3]))
        for group in range(n_groups):
            table = (four * n_groups + group) * SIDE_BY_SIDE * ENTRIES
            which = registers.load_lanes(selectors, group * LANES)
            first = registers.load_table(tables, table)
            second = registers.load_table(tables, table + ENTRIES)
            third = registers.load_table(tables, table + 2 * ENTRIES)
            fourth = registers.load_table(tables, table + 3 * ENTRIES)
            a = registers.add(a, registers.look_up(first, which))
            b = registers.add(b, registers.look_up(second, which))
            c = registers.add(c, registers.look_up(third, which))
            d = registers.add(d, registers.look_up(fourth, which))
        registers.store_lanes(sums, column * LANES, a)
        registers.store_lanes(sums, (column + 1) * LANES, b)
        registers.store_lanes(sums, (column + 2) * LANES, c)
        registers.store_lanes(sums, (column + 3) * LANES, d)


@njit(cache=True, parallel=True)
def read_layer(  # type: ignore[no-untyped-def]
    tables, start, bits, wiring, limits, chances, streams, block, out, rows_driven
):
    """Read one matrix for many inputs on many chips.

    Parameters
    ----------
    tables : (1 or n_chips, n_columns / 4, n_groups, 4, 32) int16
    start : (1 or n_chips, n_columns) int32
        Columns rounded up to whole fours.
    bits : (1 or n_chips, n_blocks, n_bits + 1, WORDS) uint64
        One set for all chips, or one for each; the last bit is 0 for padding.
    wiring : (n_positions, n_rows) int64
        Which bit drives each word line.
    limits : (n_columns,) int64
        As in `decide`; columns that there are.
    chances : Chances
    streams : Streams
    block : Block
    out : (n_chips, n_blocks, n_positions, n_columns, WORDS) uint64
        Decisions, overwritten.
    rows_driven : (n_chips n_blocks, n_rows) int64
        How often each word line was on, added to.
    """
    n_chips, n_blocks, n_positions = out.shape[:3]
    n_rows, n_groups = wiring.shape[1], tables.shape[2]
    for job in prange(n_chips * n_blocks):
        chip, b = job // n_blocks, job % n_blocks
        inputs = bits[chip if bits.shape[0] > 1 else 0, b]
        own = chip if tables.shape[0] > 1 else 0
        table = tables[own].reshape(-1)
        lines = np.zeros((n_groups * ROWS, WORDS), np.uint64)
        selectors = np.empty(n_groups * LANES, np.int16)
        sums = np.empty(start.shape[1] * LANES, np.int16)
        near = room_for(limits.shape[0])
        for position in range(n_positions):
            for row in range(n_rows):
                for word in range(WORDS):
                    lines[row, word] = inputs[wiring[position, row], word]
            count_rows(lines, rows_driven[job])
            select(lines.reshape(-1), selectors)
            add_up(table, start[own], selectors, sums)
            fired = out[chip, b, position].reshape(-1)
            n = decide(sums, limits, block.valid[b], near, fired)
            where = (streams.chips[chip], position)
            draw(near, n, chances, where, block.samples[b], streams, fired)
            for column in range(limits.shape[0]):
                for word in range(WORDS):
                    fired[column * WORDS + word] &= block.valid[b, word]


@njit(cache=True, parallel=True)
def run_gru(  # type: ignore[no-untyped-def]
    tables, start, below, limits, chances, streams, block, skip, hidden, trace, rows_driven, flips
):
    """One GRU layer over all time steps, for many sequences on many chips (eq. 7-11).

    Parameters
    ----------
    tables, start, limits, chances, streams, block
        As in `read_layer`; gate columns first, then candidate columns.
    below : (1 or n_chips, n_blocks, n_steps, n_below, WORDS) uint64
        Bits of the layer below.
    skip : bool
        Leave out draws that no hidden bit can show; the trace then lacks them.
    hidden : (n_chips, n_blocks, n_steps, n_hidden, WORDS) uint64
        Hidden bits, overwritten.
    trace : (n_chips, n_blocks, n_steps, 2 n_hidden, WORDS) uint64, or of size 0
        Gate and candidate bits, overwritten where there is room for them.
    rows_driven : (n_chips n_blocks, n_rows) int64
        How often each word line was on, added to.
    flips : (n_chips n_blocks,) int64
        Register bits flipped, added to.
    """
    n_chips, n_blocks, n_steps, n_hidden = hidden.shape[:4]
    n_groups = tables.shape[2]
    for job in prange(n_chips * n_blocks):
        chip, b = job // n_blocks, job % n_blocks
        inputs = below[chip if below.shape[0] > 1 else 0, b]
        own = chip if tables.shape[0] > 1 else 0
        table = tables[own].reshape(-1)
        lines = np.zeros((n_groups * ROWS, WORDS), np.uint64)
        selectors = np.empty(n_groups * LANES, np.int16)
        sums = np.empty(start.shape[1] * LANES, np.int16)
        fired = np.empty((2 * n_hidden, WORDS), np.uint64)
        near = room_for(2 * n_hidden)
        valid = block.valid[b]
        for step in range(n_steps):
            copy(inputs[step].reshape(-1), lines[n_hidden:].reshape(-1))
            count_rows(lines, rows_driven[job])
            select(lines.reshape(-1), selectors)
            add_up(table, start[own], selectors, sums)
            bits = fired.reshape(-1)
            n = decide_gru(sums, limits, lines.reshape(-1), valid, skip, near, bits)
            draw(near, n, chances, (streams.chips[chip], step), block.samples[b], streams, bits)
            flips[job] += multiplex(fired, valid, lines, hidden[chip, b, step])
            if trace.size:
                copy(bits, trace[chip, b, step].reshape(-1))


@njit(cache=True)
def count_rows(lines, rows_driven):  # type: ignore[no-untyped-def]
    """Add to (n_rows,) how many sequences drive each row."""
    for row in range(rows_driven.shape[0]):
        for word in range(WORDS):
            rows_driven[row] += np.int64(count_bits(lines[row, word]))
