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
def add_rows(cells, rows, n, blank, sums):  # type: ignore[no-untyped-def]
    """Kirchhoff's current law: add rows to `sums` (n_columns,), of the cells' type.

    Parameters
    ----------
    cells : (n_rows, n_columns) int16 or int32
    rows : (n + 3 or more,) int64
        The n to be added; those after them are overwritten.
    blank : int
        A row without current.
    """
    kind = cells.dtype.type
    rows[n : n + 3] = blank
    # four rows at a time: the sums are loaded and stored once for four additions
    for i in range(0, n, 4):
        a, b, c, d = cells[rows[i]], cells[rows[i + 1]], cells[rows[i + 2]], cells[rows[i + 3]]
        for j in range(sums.shape[0]):
            sums[j] = kind(sums[j] + kind(kind(a[j] + b[j]) + kind(c[j] + d[j])))


@njit(cache=True)
def update_sums(cells, lines, driven, mask, words, rows, sums):  # type: ignore[no-untyped-def]
    """Bring the sums of the `driven` word lines up to date for `lines`.

    Most bits of a recurrent network stay as they are from step to step, so only
    rows that were switched are added or taken off.  Integer sums make this equal
    to summing all active rows anew.

    Parameters
    ----------
    cells : (2 n_rows + 1, n_columns) int16 or int32
        Of the rows, of none, and of the rows with their signs turned.
    lines : (n_rows,) uint8
        Word lines to be driven.
    driven : (n_rows,) uint8
        Word lines that `sums` stands for; becomes `lines`.
    mask, words, rows
        Room for `list_marked`.
    sums : (n_columns,) int16 or int32
        Updated.
    """
    n_rows = lines.shape[0]
    for row in range(n_rows):
        mask[row] = lines[row] ^ driven[row]
    n = list_marked(mask, words, rows)
    for i in range(n):
        rows[i] += (n_rows + 1) * np.int64(driven[rows[i]])
    add_rows(cells, rows, n, n_rows, sums)
    for row in range(n_rows):
        driven[row] = lines[row]


@njit(cache=True, parallel=True)
def read_layer(cells, start, bits, chances, streams, out, rows_driven):  # type: ignore[no-untyped-def]
    """Read one matrix for many inputs on many chips.

    Parameters
    ----------
    cells : (1 or n_chips, n_rows + 1 or more, n_columns) int16 or int32
        Differential cell currents I+ - I- [quanta], as wide as their sums, and a row without.
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
    n_rows, n_columns = bits.shape[3], cells.shape[2]
    for chip in prange(streams.chips.shape[0]):
        source = np.int64(chip) if bits.shape[0] > 1 else 0
        own = np.int64(chip) if cells.shape[0] > 1 else 0
        lines, line_words = new_mask(n_rows)
        rows = np.empty(lines.shape[0] + 8, np.int64)
        sums = np.empty(n_columns, cells.dtype)
        room = room_for(chances, sums)
        for sequence in range(bits.shape[1]):
            for position in range(bits.shape[2]):
                copy(bits[source, sequence, position], lines)
                n_active = list_marked(lines, line_words, rows)
                for i in range(n_active):
                    rows_driven[chip, rows[i]] += 1
                copy(start[own], sums)
                add_rows(cells[own], rows, n_active, n_rows, sums)
                where = (streams.chips[chip], streams.samples[sequence], position)
                fired = out[chip, sequence, position]
                find_near(sums, room.high, room.low, room.mask, fired)
                draw(sums, chances, where, streams, room, fired)


@njit(cache=True, parallel=True)
def run_gru(  # type: ignore[no-untyped-def]
    cells, start, below, chances, streams, skip, hidden, trace, rows_driven, flips
):
    """One GRU layer over all time steps, for many sequences on many chips (eq. 7-11).

    Parameters
    ----------
    cells : (1 or n_chips, 2 (n_hidden + n_below) + 1, 2 n_hidden) int16 or int32
        Differential currents [quanta], gate columns first, then candidate columns; rows as in
        `update_sums`.
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
    n_columns, n_hidden = cells.shape[2], hidden.shape[3]
    n_rows = n_hidden + below.shape[3]
    n_sequences, n_steps = below.shape[1], below.shape[2]
    for chip in prange(streams.chips.shape[0]):
        source = np.int64(chip) if below.shape[0] > 1 else 0
        own = np.int64(chip) if cells.shape[0] > 1 else 0
        lines = np.empty(n_rows, np.uint8)
        driven = np.empty(n_rows, np.uint8)
        switched, switched_words = new_mask(n_rows)
        rows = np.empty(switched.shape[0] + 8, np.int64)
        sums = np.empty(n_columns, cells.dtype)
        room = room_for(chances, sums)
        bits = np.empty(n_columns, np.uint8)
        often = np.zeros(n_rows, np.uint32)  # in a sequence: narrow numbers are added faster
        flipped = 0
        for sequence in range(n_sequences):
            lines[:n_hidden] = 0
            driven[:] = 0
            often[:] = 0
            copy(start[own], sums)
            for step in range(n_steps):
                copy(below[source, sequence, step], lines[n_hidden:])
                update_sums(cells[own], lines, driven, switched, switched_words, rows, sums)
                where = (streams.chips[chip], streams.samples[sequence], step)
                find_near(sums, room.high, room.low, room.mask, bits)
                if skip:
                    leave_out(bits, lines[:n_hidden], room.mask)
                draw(sums, chances, where, streams, room, bits)
                for row in range(n_rows):
                    often[row] += lines[row]
                flipped += multiplex(bits, lines, hidden[chip, sequence, step])
                if trace.size:
                    copy(bits, trace[chip, sequence, step])
            for row in range(n_rows):
                rows_driven[chip, row] += often[row]
        flips[chip] += flipped
