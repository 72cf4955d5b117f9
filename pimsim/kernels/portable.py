"""Array reads with one-bit read-out, on any CPU: sums of rows, one sequence after the other.

All currents are integers [quanta], so a sum is exact in any order.  Parallel over chips: one
thread computes a chip from end to end.

The class of a tile chooses how rows become distances from the threshold: `SignedRows` adds them;
tiles whose lines have wires stand in `pimsim.kernels.wired_rows`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from pimsim.kernels.by_class import by_class
from pimsim.kernels.copying import copy
from pimsim.kernels.decisions import decide, draw, list_marked, new_mask, new_scratch
from pimsim.kernels.logic import leave_out_bits, step_bits


class SignedRows(NamedTuple):
    """Cells of a tile, by rows.

    Attributes
    ----------
    cells : (1 or n_chips, 2 n_rows + 1, n_columns) int16 or int32
        Differential cell currents I+ - I- [quanta], of the type of their sums: the rows, a row
        without current, and the rows with their signs turned.
    start : (1 or n_chips, n_columns) int32
        Current of the rows that are always on, less the sense amplifier's offset [quanta].
    """

    cells: NDArray[np.integer[Any]]
    start: NDArray[np.int32]


def signed_rows(
    cells: NDArray[np.int32], start: NDArray[np.integer[Any]], *, fits_16_bits: bool
) -> SignedRows:
    """Make `SignedRows` of cells (1 or n_chips, n_rows, n_columns).

    With `fits_16_bits` no sum of rows may leave 16 bits: twice as many of them fill a register.
    """
    kind: Any = np.int16 if fits_16_bits else np.int32
    narrow: NDArray[Any] = cells.astype(kind)
    signed = np.concatenate([narrow, np.zeros_like(narrow[:, :1]), -narrow], axis=1)
    return SignedRows(signed, start.astype(np.int32))


@njit(cache=True)
def add_rows(cells, rows, n, blank, sums):  # type: ignore[no-untyped-def]
    """Kirchhoff's current law: add rows to `sums` (n_columns,), of the cells' type.

    Parameters
    ----------
    cells : (n_rows, n_columns) int16 or int32
    rows : (n + 3 or more,) int64
        The n rows to be added; the numbers after them are overwritten.
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
    """Update the sums from the word lines `driven` before to the word lines `lines`.

    Most bits of a recurrent network stay as they are from step to step, so only
    rows that were switched are added or taken off.  Integer sums make this equal
    to summing all active rows anew.

    Parameters
    ----------
    cells : (2 n_rows + 1, n_columns) int16 or int32
        As in `SignedRows`.
    lines : (n_rows,) uint8
        Word lines to be driven.
    driven : (n_rows,) uint8
        Word lines that `sums` belongs to; becomes `lines`.
    mask, words, rows
        Scratch memory for `list_marked`.
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


@by_class
def new_sums(tile: Any) -> Any:
    """Make memory for the sums of one read: distances from the threshold first, then scratch.

    Parameters
    ----------
    tile : SignedRows, or a class of `pimsim.kernels.wired_rows`
    """
    raise NotImplementedError(type(tile))


@by_class
def sum_rows(tile: Any, drawn: Any, rows: Any, n: Any, sums: Any) -> None:
    """Compute the distances of all columns for the n rows that are on.

    Parameters
    ----------
    tile : as in `new_sums`
    drawn : int
        Index of the chip in the tile.
    rows : (n + 3 or more,) int64
        The n rows in ascending order; the numbers after them may be overwritten.
    sums : from `new_sums`
    """
    raise NotImplementedError(type(tile))


@by_class
def begin_sums(tile: Any, drawn: Any, sums: Any) -> None:
    """Bring the sums to where no row is on, before a sequence."""
    raise NotImplementedError(type(tile))


@by_class
def switch_rows(
    tile: Any, drawn: Any, lines: Any, driven: Any, mask: Any, words: Any, rows: Any, sums: Any
) -> None:
    """Compute the distances for the word lines `lines` after those for `driven`.

    Parameters
    ----------
    tile, drawn, sums
        As in `sum_rows`.
    lines, driven : (n_rows,) uint8
        `driven` becomes `lines`.
    mask, words, rows
        Scratch memory for `list_marked`.
    """
    raise NotImplementedError(type(tile))


@new_sums.register(SignedRows)
def _new_sums(tile):  # type: ignore[no-untyped-def]
    return (np.empty(tile.cells.shape[2], tile.cells.dtype),)


@sum_rows.register(SignedRows)
def _sum_rows(tile, drawn, rows, n, sums):  # type: ignore[no-untyped-def]
    copy(tile.start[drawn], sums[0])
    add_rows(tile.cells[drawn], rows, n, tile.cells.shape[1] // 2, sums[0])


@begin_sums.register(SignedRows)
def _begin_sums(tile, drawn, sums):  # type: ignore[no-untyped-def]
    copy(tile.start[drawn], sums[0])


@switch_rows.register(SignedRows)
def _switch_rows(tile, drawn, lines, driven, mask, words, rows, sums):  # type: ignore[no-untyped-def]
    update_sums(tile.cells[drawn], lines, driven, mask, words, rows, sums[0])


@njit(cache=True)
def distances(tile, lines, out):  # type: ignore[no-untyped-def]
    """Distances from the threshold of one chip's columns, before noise.

    Parameters
    ----------
    tile : as in `new_sums`, of one chip
    lines : (n_reads, n_rows) uint8
        Word lines of each read.
    out : (n_reads, n_columns) int64
        Overwritten [quanta].
    """
    mask, words = new_mask(lines.shape[1])
    rows, sums = np.empty(mask.shape[0] + 8, np.int64), new_sums(tile)
    for index in range(lines.shape[0]):
        for row in range(lines.shape[1]):
            mask[row] = lines[index, row]
        sum_rows(tile, 0, rows, list_marked(mask, words, rows), sums)
        copy(sums[0], out[index])


@njit(cache=True, parallel=True, nogil=True)
def read(tile, tables, bits, wiring, streams, out, rows_driven):  # type: ignore[no-untyped-def]
    """Read a tile at every position of its inputs, for many sequences on many chips.

    Parameters
    ----------
    tile : SignedRows, or a class of `pimsim.kernels.wired_rows`
    tables : ProbabilityTables
    bits : (1 or n_chips, n_sequences, n_bits) uint8
        Input bits, the same for all chips or one set for each.
    wiring : (n_positions, n_rows) uint64
        Bit that drives each word line; n_bits where no bit does.
    streams : Streams
    out : (n_chips, n_sequences, n_positions, n_columns) uint8
        Decisions, overwritten.
    rows_driven : (n_chips, n_rows) int64
        Counts of reads in which each word line is on, added to.
    """
    for chip in prange(streams.chips.shape[0]):
        # chip is unsigned here: without the cast everything below is compiled twice
        _read_chip(np.int64(chip), tile, tables, bits, wiring, streams, out, rows_driven)


@njit
def _read_chip(chip, tile, tables, bits, wiring, streams, out, rows_driven):  # type: ignore[no-untyped-def]
    (n_positions, n_rows), n_bits = wiring.shape, bits.shape[2]
    source = chip if bits.shape[0] > 1 else 0
    drawn = chip if tile.start.shape[0] > 1 else 0
    inputs = np.zeros(n_bits + 1, np.uint8)
    lines, line_words = new_mask(n_rows)
    rows = np.empty(lines.shape[0] + 8, np.int64)
    sums = new_sums(tile)
    distances = sums[0]
    scratch = new_scratch(tables, distances)
    for sequence in range(bits.shape[1]):
        copy(bits[source, sequence], inputs)
        for position in range(n_positions):
            for row in range(n_rows):
                lines[row] = inputs[wiring[position, row]]
            n_active = list_marked(lines, line_words, rows)
            for i in range(n_active):
                rows_driven[chip, rows[i]] += 1
            sum_rows(tile, drawn, rows, n_active, sums)
            counters = (streams.chips[chip], streams.samples[sequence], position)
            decided = out[chip, sequence, position]
            decide(distances, scratch.high, scratch.low, scratch.mask, decided)
            draw(distances, tables, counters, streams, scratch, decided)


@njit(cache=True, parallel=True, nogil=True)
def recur(tile, tables, below, streams, logic, skip, outputs):  # type: ignore[no-untyped-def]
    """Run a recurrent tile through all time steps, for many sequences on many chips.

    Word lines are the state, then the inputs; the state begins with zeros.

    Parameters
    ----------
    tile : as in `read`
    tables : ProbabilityTables
    below : (1 or n_chips, n_sequences, n_steps, n_below) uint8
        Input bits.
    streams : Streams
    logic : one of `pimsim.kernels.logic`
    skip : bool
        Leave out draws that no state bit can show; the trace then lacks them.
    outputs : Outputs
        With `state` (n_chips, n_sequences, n_steps, n_state) uint8, `trace` (..., n_columns) uint8,
        `rows_driven` (n_chips, n_rows), `flips` (n_chips,).
    """
    for chip in prange(streams.chips.shape[0]):
        _recur_chip(np.int64(chip), tile, tables, below, streams, logic, skip, outputs)


@njit
def _recur_chip(chip, tile, tables, below, streams, logic, skip, outputs):  # type: ignore[no-untyped-def]
    n_sequences, n_steps, n_below = below.shape[1:]
    n_state = outputs.state.shape[3]
    n_rows = n_state + n_below
    source = chip if below.shape[0] > 1 else 0
    drawn = chip if tile.start.shape[0] > 1 else 0
    lines = np.empty(n_rows, np.uint8)
    driven = np.empty(n_rows, np.uint8)
    memory = np.empty(logic.n_memory, np.uint8)
    switched, switched_words = new_mask(n_rows)
    rows = np.empty(switched.shape[0] + 8, np.int64)
    sums = new_sums(tile)
    distances = sums[0]
    decided = np.empty(distances.shape[0], np.uint8)
    scratch = new_scratch(tables, distances)
    counted = np.zeros(n_rows, np.uint32)  # in a sequence: narrow numbers are added faster
    flipped = 0
    for sequence in range(n_sequences):
        lines[:n_state] = 0
        driven[:] = 0
        memory[:] = 0
        counted[:] = 0
        begin_sums(tile, drawn, sums)
        for step in range(n_steps):
            copy(below[source, sequence, step], lines[n_state:])
            switch_rows(tile, drawn, lines, driven, switched, switched_words, rows, sums)
            counters = (streams.chips[chip], streams.samples[sequence], step)
            decide(distances, scratch.high, scratch.low, scratch.mask, decided)
            if skip:
                leave_out_bits(logic, decided, lines, memory, scratch.mask)
            draw(distances, tables, counters, streams, scratch, decided)
            for row in range(n_rows):
                counted[row] += lines[row]
            new = outputs.state[chip, sequence, step]
            flipped += step_bits(logic, decided, lines, memory, new)
            if outputs.trace.size:
                copy(decided, outputs.trace[chip, sequence, step])
        for row in range(n_rows):
            outputs.rows_driven[chip, row] += counted[row]
    outputs.flips[chip] += flipped
