"""Array reads with one-bit read-out, with sequences in the lanes of vector registers.

Sums come from tables (`pimsim.kernels.lane_sums`) and have 16 bits: for chips on which no sum
leaves them (`ProgrammedTile.fits_16_bits`), and then they are the numbers of
`pimsim.kernels.portable`.  On chips without cell variation they are in level units.

Bits of 128 sequences are two words of 64, `(..., WORDS)` uint64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from pimsim.kernels.bits import count_bits
from pimsim.kernels.copying import copy
from pimsim.kernels.lane_decisions import decide, reach_of
from pimsim.kernels.lane_draws import draw, new_scratch
from pimsim.kernels.lane_sums import add_lines, new_memory, rows_of
from pimsim.kernels.logic import leave_out_words, step_words
from pimsim.kernels.memory import aligned_row
from pimsim.kernels.registers import LANES, WORDS

# bits that are packed at once: their words fit the first-level cache
PACKED = 1024


class Blocks(NamedTuple):
    """Sequences of a batch in blocks of 128.

    Attributes
    ----------
    samples : (n_blocks, LANES) uint32
        Index of each sequence in its data set; counter 1 of its draws.
    valid : (n_blocks, WORDS) uint64
        Mask of sequences that exist: the last block may not be full.
    """

    samples: NDArray[np.uint32]
    valid: NDArray[np.uint64]


def n_blocks(n: int) -> int:
    """Number of blocks that hold n sequences."""
    return -(-n // LANES)


def blocks_of(samples: NDArray[np.int64]) -> Blocks:
    """`Blocks` of the sequences with these indices (n,)."""
    n = len(samples)
    padded = np.zeros((n_blocks(n), LANES), np.uint32)
    padded.ravel()[:n] = samples
    return Blocks(padded, pack(np.ones((1, n, 1), np.uint8)).reshape(-1, WORDS))


def pack(bits: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Bytes (k, n, ...) as words (k, n_blocks, ..., WORDS)."""
    k, n = bits.shape[:2]
    words = np.empty((k, n_blocks(n), *bits.shape[2:], WORDS), np.uint64)
    flat = np.ascontiguousarray(bits).reshape(k, n, -1)
    pack_blocks(flat, words.reshape(k, -1, flat.shape[2], WORDS))
    return words


def unpack(words: NDArray[np.uint64], n: int) -> NDArray[np.uint8]:
    """Inverse of `pack`, for the first n sequences."""
    octets = np.ascontiguousarray(words).astype("<u8", copy=False).view(np.uint8)
    bits = np.moveaxis(np.unpackbits(octets, axis=-1, bitorder="little"), -1, 2)
    whole = bits.reshape(len(words), words.shape[1] * LANES, *words.shape[2:-1])
    return np.ascontiguousarray(whole[:, :n])


@njit(cache=True, parallel=True, nogil=True)
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
                of_sequence = bits[k, first + i, begin : begin + size]
                for j in range(size):
                    column[j] |= np.uint64(of_sequence[j]) << np.uint64(i)
            for j in range(size):
                words[k, block, begin + j, word] = column[j]


@njit(cache=True, parallel=True, nogil=True)
def read(tile, tables, bits, wiring, streams, blocks, out, rows_driven):  # type: ignore[no-untyped-def]
    """Read a tile at every position of its inputs, for many sequences on many chips.

    Parameters
    ----------
    tile : LaneTables, or the class of `pimsim.kernels.wired_lanes`
    tables : ProbabilityTables
        Reach of the columns that exist; columns of `tile` are padded to a multiple of four.
    bits : (1 or n_chips, n_blocks, n_bits + 1, WORDS) uint64
        Input bits, the same for all chips or one set for each; the last one is 0.
    wiring : (n_positions, n_rows) uint64
        Bit that drives each word line; n_bits where no bit does.
    streams : Streams
    blocks : Blocks
    out : (n_chips, n_blocks, n_positions, n_columns, WORDS) uint64
        Decisions, overwritten.
    rows_driven : (n_chips n_blocks, n_rows) int64
        Counts of reads in which each word line is on, added to.
    """
    for job in prange(out.shape[0] * out.shape[1]):
        # job is unsigned here: without the cast everything below is compiled twice
        _read_block(np.int64(job), tile, tables, bits, wiring, streams, blocks, out, rows_driven)


@njit
def _read_block(  # type: ignore[no-untyped-def]
    job, tile, tables, bits, wiring, streams, blocks, out, rows_driven
):
    n_blocks, n_columns = out.shape[1], out.shape[3]
    chip, block = job // n_blocks, job % n_blocks
    inputs = bits[chip if bits.shape[0] > 1 else 0, block]
    drawn, n_groups = chip if tile.sums.shape[0] > 1 else 0, tile.sums.shape[2]
    lines = np.zeros((n_groups * rows_of(tile.sums.shape[4]), WORDS), np.uint64)
    selectors = aligned_row(n_groups * LANES, tile.sums.dtype)
    add_memory = new_memory(tile)
    sums = aligned_row((tile.start.shape[1] + 1) * LANES, np.int16)
    scratch, reach = new_scratch(n_columns), reach_of(tables)
    valid = blocks.valid[block]
    for position in range(wiring.shape[0]):
        for row in range(wiring.shape[1]):
            for word in range(WORDS):
                lines[row, word] = inputs[wiring[position, row], word]
        count_rows(lines, rows_driven[job])
        add_lines(tile, drawn, lines, selectors, add_memory, sums)
        decided = out[chip, block, position].reshape(-1)
        decide(sums, reach, valid, scratch.masks, decided)
        counters = (streams.chips[chip], position)
        draw((0, n_columns), sums, reach, tables, counters, blocks.samples[block], streams,
             scratch, decided)  # fmt: skip
        for column in range(n_columns):
            for word in range(WORDS):
                decided[column * WORDS + word] &= valid[word]


@njit(cache=True, parallel=True, nogil=True)
def recur(tile, tables, below, streams, blocks, logic, skip, outputs):  # type: ignore[no-untyped-def]
    """Run a recurrent tile through all time steps, for many sequences on many chips.

    Word lines are the state, then the inputs; the state begins with zeros.

    Parameters
    ----------
    tile, tables, streams, blocks
        As in `read`.
    below : (1 or n_chips, n_blocks, n_steps, n_below, WORDS) uint64
        Input bits.
    logic : one of `pimsim.kernels.logic`
    skip : bool
        Leave out draws that no state bit can show; the trace then lacks them.
    outputs : Outputs
        With `state` (n_chips, n_blocks, n_steps, n_state, WORDS) uint64, `trace`
        (..., n_columns, WORDS) uint64, `rows_driven` (n_chips n_blocks, n_rows), `flips`
        (n_chips n_blocks,).
    """
    for job in prange(outputs.state.shape[0] * outputs.state.shape[1]):
        _recur_block(np.int64(job), tile, tables, below, streams, blocks, logic, skip, outputs)


@njit
def _recur_block(  # type: ignore[no-untyped-def]
    job, tile, tables, below, streams, blocks, logic, skip, outputs
):
    n_blocks, n_steps, n_state = outputs.state.shape[1:4]
    n_columns = tables.reach.shape[0]
    chip, block = job // n_blocks, job % n_blocks
    inputs = below[chip if below.shape[0] > 1 else 0, block]
    drawn, n_groups = chip if tile.sums.shape[0] > 1 else 0, tile.sums.shape[2]
    lines = np.zeros((n_groups * rows_of(tile.sums.shape[4]), WORDS), np.uint64)
    memory = np.zeros((logic.n_memory, WORDS), np.uint64)
    selectors = aligned_row(n_groups * LANES, tile.sums.dtype)
    add_memory = new_memory(tile)
    sums = aligned_row((tile.start.shape[1] + 1) * LANES, np.int16)
    decided = np.empty((n_columns, WORDS), np.uint64)
    flat = decided.reshape(-1)
    scratch, reach = new_scratch(n_columns), reach_of(tables)
    masks = scratch.masks.reshape(n_columns, WORDS)
    valid, samples = blocks.valid[block], blocks.samples[block]
    for step in range(n_steps):
        copy(inputs[step].reshape(-1), lines[n_state:].reshape(-1))
        count_rows(lines, outputs.rows_driven[job])
        add_lines(tile, drawn, lines, selectors, add_memory, sums)
        decide(sums, reach, valid, scratch.masks, flat)
        counters, turn = (streams.chips[chip], step), 0
        columns = (0, n_columns)
        if skip:
            columns = leave_out_words(logic, turn, decided, lines, memory, masks)
        while columns[0] < columns[1]:
            draw(columns, sums, reach, tables, counters, samples, streams, scratch, flat)
            turn += 1
            columns = (0, 0)
            if skip:
                columns = leave_out_words(logic, turn, decided, lines, memory, masks)
        new = outputs.state[chip, block, step]
        outputs.flips[job] += step_words(logic, decided, valid, lines, memory, new)
        if outputs.trace.size:
            copy(flat, outputs.trace[chip, block, step].reshape(-1))


@njit(cache=True)
def count_rows(lines, rows_driven):  # type: ignore[no-untyped-def]
    """Add to (n_rows,) how many sequences drive each row."""
    for row in range(rows_driven.shape[0]):
        for word in range(WORDS):
            rows_driven[row] += np.int64(count_bits(lines[row, word]))
