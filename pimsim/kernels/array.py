"""Array MACs with one-bit read-out, and the GRU around them: portable kernels.

All currents are integers [quanta], so a sum is exact in any order.  Parallel over chips: a chip
is one thread's work from end to end.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from pimsim.kernels.copying import copy
from pimsim.kernels.decisions import (
    draw,
    find_near,
    leave_out,
    list_marked,
    multiplex,
    new_mask,
    room_for,
)


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


@njit(cache=True, parallel=True)
def read_layer(cells, start, bits, chances, streams, out, rows_driven):  # type: ignore[no-untyped-def]
    """Read one matrix for many inputs on many chips.

    Parameters
    ----------
    cells : (1 or n_chips, n_rows, n_columns) int16 or int32
        Differential cell currents I+ - I- [quanta], as wide as their sums.
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
        sums = np.empty(n_columns, cells.dtype)
        room = room_for(chances)
        for sequence in range(bits.shape[1]):
            for position in range(bits.shape[2]):
                copy(bits[source, sequence, position], lines)
                n_active = list_marked(lines, line_words, rows)
                for i in range(n_active):
                    rows_driven[chip, rows[i]] += 1
                copy(start[own], sums)
                add_rows(cells[own], rows, n_active, sums)
                where = (streams.chips[chip], streams.samples[sequence], position)
                fired = out[chip, sequence, position]
                find_near(sums, chances.limit, room.low, room.mask, fired)
                draw(sums, chances, where, streams, room, fired)


@njit(cache=True, parallel=True)
def run_gru(  # type: ignore[no-untyped-def]
    cells, start, below, chances, streams, skip, hidden, trace, rows_driven, flips
):
    """One GRU layer over all time steps, for many sequences on many chips (eq. 7-11).

    Parameters
    ----------
    cells : (1 or n_chips, n_hidden + n_below, 2 n_hidden) int16 or int32
        Differential currents [quanta], gate columns first, then candidate columns.
    start : (1 or n_chips, 2 n_hidden) int32
        As in `read_layer`.
    below : (1 or n_chips, n_sequences, n_steps, n_below) uint8
        Bits of the layer below.
    chances : Chances
    streams : Streams
    skip : bool
        Leave out draws that no hidden bit can show; the trace then lacks them.
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
        sums = np.empty(n_columns, cells.dtype)
        room = room_for(chances)
        bits = np.empty(n_columns, np.uint8)
        flipped = 0
        for sequence in range(n_sequences):
            lines[:n_hidden] = 0
            driven[:] = 0
            copy(start[own], sums)
            for step in range(n_steps):
                copy(below[source, sequence, step], lines[n_hidden:])
                update_sums(cells[own], lines, driven, switched, switched_words, rows, sums)
                where = (streams.chips[chip], streams.samples[sequence], step)
                find_near(sums, chances.limit, room.low, room.mask, bits)
                if skip:
                    leave_out(bits, lines[:n_hidden], room.mask)
                draw(sums, chances, where, streams, room, bits)
                for row in range(n_rows):
                    rows_driven[chip, row] += lines[row]
                flipped += multiplex(bits, lines, hidden[chip, sequence, step])
                if trace.size:
                    copy(bits, trace[chip, sequence, step])
        flips[chip] += flipped
