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

from pimsim.kernels.philox import philox_word


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


@njit(cache=True)
def active_rows(bits, rows):  # type: ignore[no-untyped-def]
    """List the word lines that are on: `rows` (n_rows,) gets their numbers; returns how many."""
    n_active = 0
    for row in range(bits.shape[0]):
        rows[n_active] = row
        n_active += bits[row]
    return n_active


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
def update_sums(cells, lines, driven, on, off, sums):  # type: ignore[no-untyped-def]
    """Bring the sums of the `driven` word lines up to date for `lines`; returns how many are on.

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
    on, off : (n_rows + 1,) int64
        Room for row numbers.
    sums : (n_columns,) int32
        Updated.
    """
    n_on = n_off = n_active = 0
    for row in range(lines.shape[0]):
        on[n_on] = row
        off[n_off] = row
        n_on += lines[row] & ~driven[row]
        n_off += driven[row] & ~lines[row]
        n_active += lines[row]
        driven[row] = lines[row]
    add_rows(cells, on, n_on, sums)
    subtract_rows(cells, off, n_off, sums)
    return n_active


@njit(cache=True)
def decide(distances, chances, first, where, streams, near, bits):  # type: ignore[no-untyped-def]
    """Decisions of neighbouring columns: 1 where distance + noise > 0.

    Parameters
    ----------
    distances : (n,) int32
        Differential current less offset [quanta].
    chances : (2 limit + 1,) uint64
        Decision table.
    first : int
        Column number of the first of them within its layer.
    where : (chip, sample, step)
        Counters of the draw.
    streams : Streams
    near : (n,) int64
        Room for the columns whose bit a draw can change.
    bits : (n,) uint8
        Overwritten.
    """
    limit = (chances.shape[0] - 1) // 2
    n_near = 0
    # two loops, since the first one then compiles to wide registers
    for column in range(distances.shape[0]):
        bits[column] = distances[column] > 0
    for column in range(distances.shape[0]):
        near[n_near] = column
        n_near += (distances[column] <= limit) & (distances[column] >= -limit)
    for i in range(n_near):
        column = near[i]
        word = philox_word(
            np.uint64(where[0]),
            np.uint64(where[1]),
            np.uint64(where[2]),
            np.uint64(first + column),
            streams.tag,
            streams.key[0],
            streams.key[1],
        )
        bits[column] = word < chances[distances[column] + limit]


@njit(cache=True, parallel=True)
def read_layer(cells, start, bits, chances, streams, out, rows_driven):  # type: ignore[no-untyped-def]
    """Read one matrix for many inputs on many chips.

    Parameters
    ----------
    cells : (n_chips, n_rows, n_columns) int32
        Differential cell currents I+ - I- [quanta].
    start : (n_chips, n_columns) int32
        Current of the rows that are always on, less the sense amplifier's offset [quanta].
    bits : (1 or n_chips, n_sequences, n_positions, n_rows) uint8
        Word lines driven; one set for all chips, or one for each.
    chances : (2 limit + 1,) uint64
        Decision table.
    streams : Streams
    out : (n_chips, n_sequences, n_positions, n_columns) uint8
        Decisions, overwritten.
    rows_driven : (n_chips,) int64
        Added to.
    """
    n_chips, n_rows, n_columns = cells.shape
    for chip in prange(n_chips):
        source = np.int64(chip) if bits.shape[0] > 1 else 0
        rows = np.empty(n_rows + 1, np.int64)
        sums = np.empty(n_columns, np.int32)
        near = np.empty(n_columns + 1, np.int64)
        driven = 0
        for sequence in range(bits.shape[1]):
            for position in range(bits.shape[2]):
                n_active = active_rows(bits[source, sequence, position], rows)
                driven += n_active
                sums[:] = start[chip]
                add_rows(cells[chip], rows, n_active, sums)
                where = (streams.chips[chip], streams.samples[sequence], position)
                decide(sums, chances, 0, where, streams, near, out[chip, sequence, position])
        rows_driven[chip] += driven


@njit(cache=True, parallel=True)
def run_gru(  # type: ignore[no-untyped-def]
    cells, start, below, gate_chances, candidate_chances, streams, hidden, trace, counts
):
    """One GRU layer over all time steps, for many sequences on many chips (eq. 7-11).

    Parameters
    ----------
    cells : (n_chips, n_hidden + n_below, 2 n_hidden) int32
        Differential currents [quanta], gate columns first, then candidate columns.
    start : (n_chips, 2 n_hidden) int32
        As in `read_layer`.
    below : (1 or n_chips, n_sequences, n_steps, n_below) uint8
        Bits of the layer below.
    gate_chances, candidate_chances : (2 limit + 1,) uint64
        Decision tables.
    streams : Streams
    hidden : (n_chips, n_sequences, n_steps, n_hidden) uint8
        Hidden bits, overwritten.
    trace : (n_chips, n_sequences, n_steps, 2 n_hidden) uint8, or of size 0
        Gate and candidate bits, overwritten where there is room for them.
    counts : (n_chips, 2) int64
        Rows driven and register bits flipped, added to.
    """
    n_chips, n_rows, n_columns = cells.shape
    n_hidden = n_columns // 2
    n_sequences, n_steps = below.shape[1], below.shape[2]
    for chip in prange(n_chips):
        source = np.int64(chip) if below.shape[0] > 1 else 0
        lines = np.empty(n_rows, np.uint8)
        driven = np.empty(n_rows, np.uint8)
        on, off = np.empty(n_rows + 1, np.int64), np.empty(n_rows + 1, np.int64)
        sums = np.empty(n_columns, np.int32)
        near = np.empty(n_columns + 1, np.int64)
        bits = np.empty(n_columns, np.uint8)
        gate, candidate = bits[:n_hidden], bits[n_hidden:]
        n_driven = 0
        flips = 0
        for sequence in range(n_sequences):
            lines[:n_hidden] = 0
            driven[:] = 0
            sums[:] = start[chip]
            for step in range(n_steps):
                lines[n_hidden:] = below[source, sequence, step]
                n_driven += update_sums(cells[chip], lines, driven, on, off, sums)
                where = (streams.chips[chip], streams.samples[sequence], step)
                decide(sums[:n_hidden], gate_chances, 0, where, streams, near, gate)
                decide(
                    sums[n_hidden:], candidate_chances, n_hidden, where, streams, near, candidate
                )
                new = hidden[chip, sequence, step]
                for unit in range(n_hidden):
                    old = lines[unit]
                    # the multiplexer: a gate bit of 1 keeps the old hidden bit
                    new[unit] = (gate[unit] & old) | (~gate[unit] & candidate[unit])
                    flips += new[unit] ^ old
                    lines[unit] = new[unit]
                if trace.size:
                    trace[chip, sequence, step] = bits
        counts[chip, 0] += n_driven
        counts[chip, 1] += flips
