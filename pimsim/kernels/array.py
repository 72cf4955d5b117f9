"""Array MACs with one-bit read-out, and the GRU around them: portable kernels.

All currents are integers [quanta], so a sum is exact in any order.  A decision
compares a Philox word with the chance of a 1 at its distance from the threshold
(`pimsim.streams.decision_table`), and draws only where that chance is neither 0
nor 1.  Parallel over chips: a chip is one thread's work from end to end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from pimsim.kernels.philox import philox


class Streams(NamedTuple):
    """Counters of the decisions' random words.

    Attributes
    ----------
    key : (2,) uint64
        Key words.
    tag : int
        Purpose and layer, top bits of counter 3.
    chips : (n_chips,) int64
        Index of each chip in the run.
    samples : (n_sequences,) int64
        Index of each sequence in its data set.
    """

    key: NDArray[np.uint64]
    tag: np.uint64
    chips: NDArray[np.int64]
    samples: NDArray[np.int64]


class Chances(NamedTuple):
    """Decision tables of a tile's columns, one after the other.

    Attributes
    ----------
    table : (n,) uint64
        Chance of a 1 in units of 2^-32.
    middle : (n_columns,) int64
        Where in the table a column's distance of 0 stands.
    limit : (n_columns,) int32
        Largest distance that a column's table holds; beyond it a bit is certain.
    """

    table: NDArray[np.uint64]
    middle: NDArray[np.int64]
    limit: NDArray[np.int32]


@njit(cache=True)
def new_mask(n):  # type: ignore[no-untyped-def]
    """A byte per item, n rounded up to whole words, and the same memory as 64-bit words."""
    mask = np.zeros((n + 7) // 8 * 8, np.uint8)
    return mask, mask.view(np.uint64)


@njit(cache=True)
def list_marked(mask, words, items):  # type: ignore[no-untyped-def]
    """List the items whose mask byte is 1; most are 0, and whole words of 0 are skipped.

    Parameters
    ----------
    mask : (n,) uint8, words : (n / 8,) uint64
        From `new_mask`: one memory, seen twice.
    items : (n + 1,) int64
        Their numbers, overwritten.

    Returns
    -------
    int
        How many.
    """
    n_items = 0
    for word in range(words.shape[0]):
        if words[word]:
            for item in range(8 * word, 8 * word + 8):
                items[n_items] = item
                n_items += mask[item]
    return n_items


@njit(cache=True)
def add_rows(cells, rows, n_active, sums):  # type: ignore[no-untyped-def]
    """Kirchhoff's current law: add the rows that are on to `sums` (n_columns,) int32."""
    n_columns = sums.shape[0]
    whole = n_active - n_active % 8
    # eight rows at a time: the sums are loaded and stored once for eight additions
    for i in range(0, whole, 8):
        a, b, c, d = cells[rows[i]], cells[rows[i + 1]], cells[rows[i + 2]], cells[rows[i + 3]]
        e, f, g, h = cells[rows[i + 4]], cells[rows[i + 5]], cells[rows[i + 6]], cells[rows[i + 7]]
        for j in range(n_columns):
            sums[j] += (a[j] + b[j]) + (c[j] + d[j]) + (e[j] + f[j]) + (g[j] + h[j])
    for i in range(whole, n_active):
        a = cells[rows[i]]
        for j in range(n_columns):
            sums[j] += a[j]


@njit(cache=True)
def subtract_rows(cells, rows, n_active, sums):  # type: ignore[no-untyped-def]
    """Take rows off `sums` again: the inverse of `add_rows`, exact since currents are integers."""
    n_columns = sums.shape[0]
    whole = n_active - n_active % 4
    for i in range(0, whole, 4):
        a, b, c, d = cells[rows[i]], cells[rows[i + 1]], cells[rows[i + 2]], cells[rows[i + 3]]
        for j in range(n_columns):
            sums[j] -= (a[j] + b[j]) + (c[j] + d[j])
    for i in range(whole, n_active):
        a = cells[rows[i]]
        for j in range(n_columns):
            sums[j] -= a[j]


@njit(cache=True)
def update_sums(cells, lines, driven, mask, words, rows, sums):  # type: ignore[no-untyped-def]
    """Bring the sums of the `driven` word lines up to date for `lines`.

    Most bits of a recurrent network stay as they are from step to step, so only
    rows that were switched are added or taken off.  Integer sums make this equal
    to summing all active rows anew.

    Parameters
    ----------
    cells : (n_rows, n_columns) int32
    lines : (n_rows,) uint8
        Word lines to be driven.
    driven : (n_rows,) uint8
        Word lines that `sums` stands for; becomes `lines`.
    mask, words, rows
        Room for `list_marked`.
    sums : (n_columns,) int32
        Updated.
    """
    n_rows = lines.shape[0]
    for row in range(n_rows):
        mask[row] = lines[row] > driven[row]
    add_rows(cells, rows, list_marked(mask, words, rows), sums)
    for row in range(n_rows):
        mask[row] = lines[row] < driven[row]
    subtract_rows(cells, rows, list_marked(mask, words, rows), sums)
    for row in range(n_rows):
        driven[row] = lines[row]


@njit(cache=True)
def philox_block(where, block, streams):  # type: ignore[no-untyped-def]
    """The four random words of columns 4 block ... 4 block + 3.

    The tag holds purpose and layer in its top 12 bits (see `pimsim.streams`); the low
    20 bits take the block.
    """
    return philox(
        np.uint64(where[0]),
        np.uint64(where[1]),
        np.uint64(where[2]),
        streams.tag | np.uint64(block),
        streams.key[0],
        streams.key[1],
    )


@njit(cache=True)
def decide(distances, chances, where, streams, room, bits):  # type: ignore[no-untyped-def]
    """Decisions of all columns of a tile: 1 where distance + noise > 0.

    Parameters
    ----------
    distances : (n_columns,) int32
        Differential current less offset [quanta].
    chances : Chances
    where : (chip, sample, step)
        Counters of the draw.
    streams : Streams
    room : (mask, words, near)
        Room for `list_marked`: the columns whose bit a draw can change.
    bits : (n_columns,) uint8
        Overwritten.
    """
    mask, words, near = room
    for column in range(distances.shape[0]):
        bits[column] = distances[column] > 0
    for column in range(distances.shape[0]):
        limit = chances.limit[column]
        mask[column] = (distances[column] <= limit) & (distances[column] >= -limit)
    drawn = np.int64(-1)
    block = (np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0))
    for i in range(list_marked(mask, words, near)):
        column = near[i]
        if column >> 2 != drawn:
            # four neighbouring columns share a counter
            drawn = column >> 2
            block = philox_block(where, drawn, streams)
        lane = column & 3
        word = block[0] if lane == 0 else block[1] if lane == 1 else block[2]
        word = block[3] if lane == 3 else word
        bits[column] = word < chances.table[chances.middle[column] + distances[column]]


@njit(cache=True, parallel=True)
def read_layer(cells, start, bits, chances, streams, out, rows_driven):  # type: ignore[no-untyped-def]
    """Read one matrix for many inputs on many chips.

    Parameters
    ----------
    cells : (1 or n_chips, n_rows, n_columns) int32
        Differential cell currents I+ - I- [quanta].
    start : (1 or n_chips, n_columns) int32
        Current of the rows that are always on, less the sense amplifier's offset [quanta].
    bits : (1 or n_chips, n_sequences, n_positions, n_rows) uint8
        Word lines driven; one set for all chips, or one for each.
    chances : Chances
    streams : Streams
    out : (n_chips, n_sequences, n_positions, n_columns) uint8
        Decisions, overwritten.
    rows_driven : (n_chips, n_rows) int64
        How often each word line was on, added to.
    """
    n_rows, n_columns = cells.shape[1:]
    for chip in prange(streams.chips.shape[0]):
        source = np.int64(chip) if bits.shape[0] > 1 else 0
        own = np.int64(chip) if cells.shape[0] > 1 else 0
        lines, line_words = new_mask(n_rows)
        rows = np.empty(lines.shape[0] + 1, np.int64)
        sums = np.empty(n_columns, np.int32)
        mask, words = new_mask(n_columns)
        room = (mask, words, np.empty(mask.shape[0] + 1, np.int64))
        for sequence in range(bits.shape[1]):
            for position in range(bits.shape[2]):
                lines[:n_rows] = bits[source, sequence, position]
                n_active = list_marked(lines, line_words, rows)
                for i in range(n_active):
                    rows_driven[chip, rows[i]] += 1
                sums[:] = start[own]
                add_rows(cells[own], rows, n_active, sums)
                where = (streams.chips[chip], streams.samples[sequence], position)
                decide(sums, chances, where, streams, room, out[chip, sequence, position])


@njit(cache=True, parallel=True)
def run_gru(  # type: ignore[no-untyped-def]
    cells, start, below, chances, streams, hidden, trace, rows_driven, flips
):
    """One GRU layer over all time steps, for many sequences on many chips (eq. 7-11).

    Parameters
    ----------
    cells : (1 or n_chips, n_hidden + n_below, 2 n_hidden) int32
        Differential currents [quanta], gate columns first, then candidate columns.
    start : (1 or n_chips, 2 n_hidden) int32
        As in `read_layer`.
    below : (1 or n_chips, n_sequences, n_steps, n_below) uint8
        Bits of the layer below.
    chances : Chances
    streams : Streams
    hidden : (n_chips, n_sequences, n_steps, n_hidden) uint8
        Hidden bits, overwritten.
    trace : (n_chips, n_sequences, n_steps, 2 n_hidden) uint8, or of size 0
        Gate and candidate bits, overwritten where there is room for them.
    rows_driven : (n_chips, n_rows) int64
        How often each word line was on, added to.
    flips : (n_chips,) int64
        Register bits flipped, added to.
    """
    n_rows, n_columns = cells.shape[1:]
    n_hidden = n_columns // 2
    n_sequences, n_steps = below.shape[1], below.shape[2]
    for chip in prange(streams.chips.shape[0]):
        source = np.int64(chip) if below.shape[0] > 1 else 0
        own = np.int64(chip) if cells.shape[0] > 1 else 0
        lines = np.empty(n_rows, np.uint8)
        driven = np.empty(n_rows, np.uint8)
        switched, switched_words = new_mask(n_rows)
        rows = np.empty(switched.shape[0] + 1, np.int64)
        sums = np.empty(n_columns, np.int32)
        mask, words = new_mask(n_columns)
        room = (mask, words, np.empty(mask.shape[0] + 1, np.int64))
        bits = np.empty(n_columns, np.uint8)
        gate, candidate = bits[:n_hidden], bits[n_hidden:]
        flipped = 0
        for sequence in range(n_sequences):
            lines[:n_hidden] = 0
            driven[:] = 0
            sums[:] = start[own]
            for step in range(n_steps):
                lines[n_hidden:] = below[source, sequence, step]
                update_sums(cells[own], lines, driven, switched, switched_words, rows, sums)
                where = (streams.chips[chip], streams.samples[sequence], step)
                decide(sums, chances, where, streams, room, bits)
                for row in range(n_rows):
                    rows_driven[chip, row] += lines[row]
                new = hidden[chip, sequence, step]
                for unit in range(n_hidden):
                    old = lines[unit]
                    # the multiplexer: a gate bit of 1 keeps the old hidden bit
                    new[unit] = (gate[unit] & old) | (~gate[unit] & candidate[unit])
                    flipped += new[unit] ^ old
                    lines[unit] = new[unit]
                if trace.size:
                    trace[chip, sequence, step] = bits
        flips[chip] += flipped
