"""Array MACs with sequences in the lanes of 512-bit registers.

Word lines are bits, so five rows of a column have 32 possible sums.  They fill a register, and
one look-up adds the five rows for the sequences of another register.  Sums are of 16 bits: for
chips on which no sum leaves them (`ProgrammedTile.fits_16_bits`), and then they are the numbers
of `pimsim.kernels.array`, as are the draws and so the bits.

Bits of 128 sequences are two words of 64, `(..., WORDS)` uint64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from pimsim.kernels import registers
from pimsim.kernels.philox import MULTIPLIER_0, MULTIPLIER_1, WEYL_0, WEYL_1
from pimsim.kernels.registers import DRAWS, ENTRIES, LANES, ROWS, WORDS
from pimsim.kernels.sliced import count_bits

# columns whose tables stand side by side: their sums share a look-up's selectors
SIDE_BY_SIDE = 4
_LOW_HALF = np.uint64(0xFFFFFFFF)
LANE_NUMBERS = np.arange(LANES, dtype=np.int16)


class Near(NamedTuple):
    """Decisions whose bit a draw can change, and room to draw.

    Attributes
    ----------
    columns : (n,) int32
    lanes, sums : (n,) int16
        Which column and sequence, and its distance from the threshold.
    samples, tags : (n,) uint64
        Counters 1 and 3 of the draws.
    words : (4 DRAWS,) uint64
        Words of the draws, the four of each apart.
    """

    columns: NDArray[np.int32]
    lanes: NDArray[np.int16]
    sums: NDArray[np.int16]
    samples: NDArray[np.uint64]
    tags: NDArray[np.uint64]
    words: NDArray[np.uint64]


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


@njit(cache=True)
def room_for(n_columns):  # type: ignore[no-untyped-def]
    """A `Near` for all decisions of a block; `append` writes a register beyond the last one."""
    n = n_columns * LANES + ENTRIES
    return Near(
        np.empty(n, np.int32),
        np.empty(n, np.int16),
        np.empty(n, np.int16),
        np.empty(n, np.uint64),
        np.empty(n, np.uint64),
        np.empty(4 * DRAWS, np.uint64),
    )


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


@njit(cache=True)
def within(value, limit):  # type: ignore[no-untyped-def]
    """Lanes of at most `limit`, of either sign; -1 for none."""
    above = registers.greater(value, registers.in_all(limit))
    below = registers.greater(registers.in_all(-limit), value)
    return registers.invert(registers.either(above, below))


@njit(cache=True)
def note(near, n, mask, column, value, numbers):  # type: ignore[no-untyped-def]
    """Add the masked sequences of a column to the decisions that draw; returns how many now."""
    registers.append(numbers, mask, near.lanes, n)
    after = registers.append(value, mask, near.sums, n)
    for i in range(n, after):
        near.columns[i] = column
    return after


@njit(cache=True)
def decide(sums, limits, valid, near, fired):  # type: ignore[no-untyped-def]
    """Decisions without noise, and which of them draw.

    Parameters
    ----------
    sums : (n_columns LANES,) int16
    limits : (n_columns,) int64
        Largest distance at which a draw can change a column's bit; -1 for none.
    valid : (WORDS,) uint64
        Sequences that there are.
    near : Near
        Filled.
    fired : (n_columns WORDS,) uint64
        Overwritten.

    Returns
    -------
    int
        How many draw.
    """
    n = 0
    numbers = registers.load_lanes(LANE_NUMBERS, 0)
    exist = registers.load_mask(valid, 0)
    for column in range(limits.shape[0]):
        value = registers.load_lanes(sums, column * LANES)
        bits = registers.greater(value, registers.in_all(0))
        registers.store_mask(fired, column * WORDS, bits)
        mask = registers.both(exist, within(value, limits[column]))
        n = note(near, n, mask, column, value, numbers)
    return n


@njit(cache=True)
def decide_gru(sums, limits, hidden, valid, skip, near, fired):  # type: ignore[no-untyped-def]
    """As `decide` for gates, then candidates; leaves out draws that no hidden bit can show.

    A candidate counts only where the gate may be 0; a gate only where the candidate may differ
    from the old hidden bit, `hidden` (n_hidden WORDS,) uint64.  Without `skip` all draw whose
    own bit may change.
    """
    n, n_hidden = 0, limits.shape[0] // 2
    numbers = registers.load_lanes(LANE_NUMBERS, 0)
    exist = registers.load_mask(valid, 0)
    for unit in range(n_hidden):
        other = n_hidden + unit
        gate = registers.load_lanes(sums, unit * LANES)
        candidate = registers.load_lanes(sums, other * LANES)
        keeps = registers.greater(gate, registers.in_all(0))
        new = registers.greater(candidate, registers.in_all(0))
        registers.store_mask(fired, unit * WORDS, keeps)
        registers.store_mask(fired, other * WORDS, new)
        gate_near = registers.both(exist, within(gate, limits[unit]))
        new_near = registers.both(exist, within(candidate, limits[other]))
        if skip:
            may_take = registers.either(registers.invert(keeps), gate_near)
            new_near = registers.both(new_near, may_take)
            old = registers.load_mask(hidden, unit * WORDS)
            may_differ = registers.either(registers.differ(new, old), new_near)
            gate_near = registers.both(gate_near, may_differ)
        n = note(near, n, gate_near, unit, gate, numbers)
        n = note(near, n, new_near, other, candidate, numbers)
    return n


@njit(cache=True)
def philox_words(c0, c1, c2, c3, key, words):  # type: ignore[no-untyped-def]
    """Philox 4x32-10 of 32 counters (c0, c1, c2, c3), of which c1 and c3 are `Draws`.

    Parameters
    ----------
    words : (4 DRAWS,) uint64
        Overwritten: word i of all counters from i DRAWS on.
    """
    a, b, c, d = registers.in_draws(c0), c1, registers.in_draws(c2), c3
    k0, k1 = key[0], key[1]
    for _ in range(10):
        p0 = registers.multiply(registers.in_draws(MULTIPLIER_0), a)
        p1 = registers.multiply(registers.in_draws(MULTIPLIER_1), c)
        a = registers.toggle(registers.toggle(registers.high_half(p1), b), registers.in_draws(k0))
        b = registers.low_half(p1)
        c = registers.toggle(registers.toggle(registers.high_half(p0), d), registers.in_draws(k1))
        d = registers.low_half(p0)
        k0 = (k0 + WEYL_0) & _LOW_HALF
        k1 = (k1 + WEYL_1) & _LOW_HALF
    registers.store_draws(words, 0, a)
    registers.store_draws(words, DRAWS, b)
    registers.store_draws(words, 2 * DRAWS, c)
    registers.store_draws(words, 3 * DRAWS, d)


@njit(cache=True)
def draw(near, n, chances, where, samples, streams, fired):  # type: ignore[no-untyped-def]
    """Draw for the decisions near their thresholds, and correct their bits.

    Parameters
    ----------
    near : Near
        `n` decisions.
    chances : Chances
    where : (chip, step)
        Counters 0 and 2.
    samples : (LANES,) uint64
        Counter 1 of each sequence.
    streams : Streams
    fired : (n_columns WORDS,) uint64
        Bits as they are without noise; corrected.
    """
    for i in range(n):
        near.samples[i] = samples[near.lanes[i]]
        near.tags[i] = streams.tag | np.uint64(near.columns[i] >> 2)
    for first in range(0, n, DRAWS):
        philox_words(
            np.uint64(where[0]),
            registers.load_draws(near.samples, first),
            np.uint64(where[1]),
            registers.load_draws(near.tags, first),
            streams.key,
            near.words,
        )
        for i in range(first, min(n, first + DRAWS)):
            column, lane, value = near.columns[i], near.lanes[i], near.sums[i]
            word = near.words[(column & 3) * DRAWS + i - first]
            bit = word < chances.table[chances.middle[column] + value]
            flip = np.uint64(bit != (value > 0))
            fired[column * WORDS + (lane >> 6)] ^= flip << np.uint64(lane & 63)


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
                lines[row] = inputs[wiring[position, row]]
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
    n_below, n_groups = below.shape[3], tables.shape[2]
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
            lines[n_hidden : n_hidden + n_below] = inputs[step]
            count_rows(lines, rows_driven[job])
            select(lines.reshape(-1), selectors)
            add_up(table, start[own], selectors, sums)
            bits = fired.reshape(-1)
            n = decide_gru(sums, limits, lines.reshape(-1), valid, skip, near, bits)
            draw(near, n, chances, (streams.chips[chip], step), block.samples[b], streams, bits)
            flips[job] += multiplex(fired, valid, lines, hidden[chip, b, step])
            if trace.size:
                trace[chip, b, step] = fired


@njit(cache=True)
def multiplex(fired, valid, lines, hidden):  # type: ignore[no-untyped-def]
    """New hidden bits, on the lines and in `hidden`: a gate bit of 1 keeps the old one.

    Returns the register bits that flip.
    """
    n_hidden = hidden.shape[0]
    flipped = np.int64(0)
    for unit in range(n_hidden):
        for word in range(WORDS):
            gate, candidate = fired[unit, word], fired[n_hidden + unit, word]
            old = lines[unit, word]
            new = ((gate & old) | (~gate & candidate)) & valid[word]
            flipped += np.int64(count_bits(new ^ old))
            lines[unit, word] = new
            hidden[unit, word] = new
    return flipped


@njit(cache=True)
def count_rows(lines, rows_driven):  # type: ignore[no-untyped-def]
    """Add to (n_rows,) how many sequences drive each row."""
    for row in range(rows_driven.shape[0]):
        for word in range(WORDS):
            rows_driven[row] += np.int64(count_bits(lines[row, word]))
