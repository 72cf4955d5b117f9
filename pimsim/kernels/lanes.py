"""Array MACs with sequences in the lanes of vector registers.

Sums come from tables (`pimsim.kernels.lane_sums`) and are of 16 bits: for chips on which no sum
leaves them (`ProgrammedTile.fits_16_bits`), and then they are the numbers of
`pimsim.kernels.array`.  On chips on which no cell strays they are in level units.

Bits of 128 sequences are two words of 64, `(..., WORDS)` uint64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from pimsim.kernels.copying import copy
from pimsim.kernels.lane_decisions import decide, decide_gru, leave_out_gates, multiplex
from pimsim.kernels.lane_draws import draw, room_for
from pimsim.kernels.lane_sums import add_up, rows_of, select
from pimsim.kernels.memory import aligned_row
from pimsim.kernels.registers import LANES, WORDS
from pimsim.kernels.bits import count_bits

# bits that are packed at once: their words fit the first-level cache
PACKED = 1024


class Block(NamedTuple):
    """Sequences of the blocks of a batch.

    Attributes
    ----------
    samples : (n_blocks, LANES) uint32
        Index of each sequence in its data set; counter 1 of its draws.
    valid : (n_blocks, WORDS) uint64
        Sequences that there are: the last block may have room left.
    """

    samples: NDArray[np.uint32]
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
def read_layer(  # type: ignore[no-untyped-def]
    tables, bits, wiring, limits, chances, streams, block, out, rows_driven
):
    """Read one matrix for many inputs on many chips.

    Parameters
    ----------
    tables : Tables
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
    n_rows, n_groups = wiring.shape[1], tables.sums.shape[2]
    for job in prange(n_chips * n_blocks):
        chip, b = job // n_blocks, job % n_blocks
        inputs = bits[chip if bits.shape[0] > 1 else 0, b]
        own = chip if tables.sums.shape[0] > 1 else 0
        table = tables.sums[own].reshape(-1)
        lines = np.zeros((n_groups * rows_of(tables.sums.shape[4]), WORDS), np.uint64)
        selectors = aligned_row(n_groups * LANES, tables.sums.dtype)
        sums = aligned_row((tables.start.shape[1] + 1) * LANES, np.int16)
        near = room_for(limits.shape[0])
        for position in range(n_positions):
            for row in range(n_rows):
                for word in range(WORDS):
                    lines[row, word] = inputs[wiring[position, row], word]
            count_rows(lines, rows_driven[job])
            select(lines.reshape(-1), selectors)
            add_up(table, tables.at_once, tables.start[own], selectors, sums)
            fired = out[chip, b, position].reshape(-1)
            decide(sums, limits, block.valid[b], near.masks, fired)
            where = (streams.chips[chip], position)
            every = (0, limits.shape[0])
            draw(every, sums, limits, chances, where, block.samples[b], streams, near, fired)
            for column in range(limits.shape[0]):
                for word in range(WORDS):
                    fired[column * WORDS + word] &= block.valid[b, word]


@njit(cache=True, parallel=True)
def run_gru(  # type: ignore[no-untyped-def]
    tables, below, limits, chances, streams, block, skip, hidden, trace, rows_driven, flips
):
    """One GRU layer over all time steps, for many sequences on many chips (eq. 7-11).

    Parameters
    ----------
    tables, limits, chances, streams, block
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
    n_groups = tables.sums.shape[2]
    for job in prange(n_chips * n_blocks):
        chip, b = job // n_blocks, job % n_blocks
        inputs = below[chip if below.shape[0] > 1 else 0, b]
        own = chip if tables.sums.shape[0] > 1 else 0
        table = tables.sums[own].reshape(-1)
        lines = np.zeros((n_groups * rows_of(tables.sums.shape[4]), WORDS), np.uint64)
        selectors = aligned_row(n_groups * LANES, tables.sums.dtype)
        sums = aligned_row((tables.start.shape[1] + 1) * LANES, np.int16)
        fired = np.empty((2 * n_hidden, WORDS), np.uint64)
        near = room_for(2 * n_hidden)
        valid, samples = block.valid[b], block.samples[b]
        for step in range(n_steps):
            copy(inputs[step].reshape(-1), lines[n_hidden:].reshape(-1))
            count_rows(lines, rows_driven[job])
            select(lines.reshape(-1), selectors)
            add_up(table, tables.at_once, tables.start[own], selectors, sums)
            bits = fired.reshape(-1)
            decide_gru(sums, limits, valid, skip, near.masks, bits)
            where = (streams.chips[chip], step)
            # candidates first: most of them are the old bit again, and then no gate shows
            for columns in ((n_hidden, 2 * n_hidden), (0, n_hidden)):
                if skip and columns[0] == 0:
                    leave_out_gates(bits, lines.reshape(-1), near.masks)
                draw(columns, sums, limits, chances, where, samples, streams, near, bits)
            flips[job] += multiplex(fired, valid, lines, hidden[chip, b, step])
            if trace.size:
                copy(bits, trace[chip, b, step].reshape(-1))


@njit(cache=True)
def count_rows(lines, rows_driven):  # type: ignore[no-untyped-def]
    """Add to (n_rows,) how many sequences drive each row."""
    for row in range(rows_driven.shape[0]):
        for word in range(WORDS):
            rows_driven[row] += np.int64(count_bits(lines[row, word]))
