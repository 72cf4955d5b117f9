"""Array reads through ADCs: bits of input codes to sums of lines, to ADC codes, to sums of weights.

Inputs are applied one bit at a time.  The code of every line and bit is shifted and added, and the
sum of each output is looked up in its activation.  Parallel over chips and sequences.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from pimsim.kernels.copying import copy
from pimsim.kernels.logic import step_codes
from pimsim.kernels.memory import aligned, aligned_row
from pimsim.kernels.philox import philox_blocks

# random words are cut in two, and each half picks an entry of the noise table
HALVES = 2**16
# x (1 - x^2) reaches 1 / CUBIC: differential ADCs bend as odd functions
CUBIC = 1.5 * 3**0.5
# rows that are added in one pass
ROWS_AT_ONCE = 8


class Lines(NamedTuple):
    """Bit lines (or pairs of them) of a tile, and the weights of their codes.

    Attributes
    ----------
    cells : (1 or n_chips, n_blocks, block_rows + 1, n_lines) float32
        Whole numbers of quanta, whose sums are exact in float32.  Blocks of rows are converted
        apart; rows beyond the matrix, and the last of each block, are zero.
    weight : (n_blocks, n_lines) int64
        Weight of a line's code for the lowest input bit.
    sum_index : (n_lines,) int64
        Sum that a line's codes are added to; those of reference columns come last.
    reference : (n_outputs,) int64
        Sum of each output's reference column; n_lines for the count of the active rows, which is
        exact; -1 for none.
    reference_weight : (n_blocks, n_outputs) float64
        Weight of that sum in each output.
    """

    cells: NDArray[np.float32]
    weight: NDArray[np.int64]
    sum_index: NDArray[np.int64]
    reference: NDArray[np.int64]
    reference_weight: NDArray[np.float64]


class Adcs(NamedTuple):
    """ADCs of a tile: of one kind, with errors of their own for every block of rows.

    Attributes
    ----------
    code_quanta : (n_lines,) float64
        Current of one code [quanta], a whole number: matrices have ranges of their own.
    low, top : float
        Smallest code and largest; whole numbers.
    noise : (2^16,) float64
        Dynamic noise of a conversion for every 16-bit word [quanta]; empty for none.
    noise_share : (n_lines,) float64
        Noise of a line over that of the table; zeros fill the last eight.
    offset, gain, bow : (1 or n_chips, n_blocks, n_lines) float64
        Static errors of the ADC that a line goes to: [quanta], relative, [quanta].
    is_plain : bool
        Whether there are no static errors.
    """

    code_quanta: NDArray[np.float64]
    low: float
    top: float
    noise: NDArray[np.float64]
    noise_share: NDArray[np.float64]
    offset: NDArray[np.float64]
    gain: NDArray[np.float64]
    bow: NDArray[np.float64]
    is_plain: bool


class Activations(NamedTuple):
    """Activation units: from the sums of outputs to codes.

    Attributes
    ----------
    input_bits : int
        Bits of a code.
    scale : (n_outputs,) float64
        Factor applied to a sum before it is compared with `thresholds`.
    thresholds : (n_outputs, top) float64
        Ascending; the code is the number of thresholds that the scaled sum reaches.
    gate_top : int
        Largest code of the first matrix: of a recurrent tile, the gate of 1.
    zero : int
        Code of the state before the first step.
    """

    input_bits: int
    scale: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    gate_top: int
    zero: int


def row_blocks(cells: NDArray[np.int32], block_rows: int) -> NDArray[np.float32]:
    """Cut cells (n_chips, n_rows, n_lines) into blocks of rows, as `Lines.cells` has them."""
    n_chips, n_rows, n_lines = cells.shape
    block_rows = min(block_rows, n_rows)
    n_blocks = -(-n_rows // block_rows)
    # aligned: a vector register of a row is then loaded from one line of the cache
    blocks = aligned((n_chips, n_blocks, block_rows + 1, n_lines), np.float32)
    blocks[...] = 0
    for block in range(n_blocks):
        own = cells[:, block * block_rows : (block + 1) * block_rows]
        blocks[:, block, : own.shape[1]] = own
    return blocks


@njit(cache=True, parallel=True, nogil=True)
def read(lines, adcs, activations, codes, wiring, streams, out, rows_driven):  # type: ignore[no-untyped-def]
    """Read a tile at every position of its inputs, for many sequences on many chips.

    Parameters
    ----------
    lines : Lines
    adcs : Adcs
    activations : Activations
    codes : (1 or n_chips, n_sequences, n_codes) uint8
        Input codes, the same for all chips or one set for each.
    wiring : (n_positions, n_rows) uint64
        Code that drives each word line; n_codes where no code does.
    streams : Streams
    out : (n_chips, n_sequences, n_positions, n_outputs) uint8
        Codes, overwritten.
    rows_driven : (n_chips, n_sequences, n_rows) int64
        Counts of pulses on each word line, over all input bits, added to.
    """
    for job in prange(out.shape[0] * out.shape[1]):
        # job is unsigned here: without the cast everything below is compiled twice
        _read_sequence(np.int64(job), lines, adcs, activations, codes, wiring, streams, out,
                       rows_driven)  # fmt: skip


@njit(cache=True)
def _read_sequence(  # type: ignore[no-untyped-def]
    job, lines, adcs, activations, codes, wiring, streams, out, rows_driven
):
    chip, sequence = job // out.shape[1], job % out.shape[1]
    (n_positions, n_rows), n_codes = wiring.shape, codes.shape[2]
    inputs = np.zeros(n_codes + 1, np.uint8)
    copy(codes[chip if codes.shape[0] > 1 else 0, sequence], inputs)
    rows = np.empty(n_rows, np.uint8)
    scratch = new_scratch(lines, streams.tag)
    for position in range(n_positions):
        for row in range(n_rows):
            rows[row] = inputs[wiring[position, row]]
        count_pulses(rows, activations.input_bits, rows_driven[chip, sequence])
        convert_all(rows, (chip, sequence, position), lines, adcs, activations, streams, scratch,
                    out[chip, sequence, position])  # fmt: skip


@njit(cache=True, parallel=True, nogil=True)
def recur(lines, adcs, activations, below, streams, logic, outputs):  # type: ignore[no-untyped-def]
    """Run a recurrent tile through all time steps, for many sequences on many chips.

    Word lines are the state, then the inputs; the state begins with zeros.

    Parameters
    ----------
    lines, adcs, activations, streams
        As in `read`.
    below : (1 or n_chips, n_sequences, n_steps, n_below) uint8
        Input codes.
    logic : one of `pimsim.kernels.logic`
    outputs : Outputs
        With `state` (n_chips, n_sequences, n_steps, n_state) uint8, `trace` (..., n_outputs) uint8,
        `rows_driven` (n_chips, n_sequences, n_rows), `flips` (n_chips, n_sequences).
    """
    for job in prange(outputs.state.shape[0] * outputs.state.shape[1]):
        _recur_sequence(np.int64(job), lines, adcs, activations, below, streams, logic, outputs)


@njit
def _recur_sequence(  # type: ignore[no-untyped-def]
    job, lines, adcs, activations, below, streams, logic, outputs
):
    n_sequences, n_steps, n_state = outputs.state.shape[1:]
    chip, sequence = job // n_sequences, job % n_sequences
    inputs = below[chip if below.shape[0] > 1 else 0, sequence]
    scratch = new_scratch(lines, streams.tag)
    rows = np.full(n_state + inputs.shape[1], np.uint8(activations.zero))
    memory = np.zeros(logic.n_memory, np.int64)
    decided = np.empty(activations.scale.shape[0], np.uint8)
    flipped = 0
    for step in range(n_steps):
        copy(inputs[step], rows[n_state:])
        count_pulses(rows, activations.input_bits, outputs.rows_driven[chip, sequence])
        convert_all(rows, (chip, sequence, step), lines, adcs, activations, streams, scratch,
                    decided)  # fmt: skip
        flipped += step_codes(
            logic, activations.gate_top, decided, rows, memory, outputs.state[chip, sequence, step]
        )
        if outputs.trace.size:
            copy(decided, outputs.trace[chip, sequence, step])
    outputs.flips[chip, sequence] += flipped


class Scratch(NamedTuple):
    """Scratch memory of a thread.

    Attributes
    ----------
    rows : (block_rows + 1 + ROWS_AT_ONCE,) int64
        Numbers of the rows that are on.
    tags : (n_draws,) uint64
        Counter 3 of the draws, each of which serves eight lines.
    words : (4, n_draws) uint64
        Random words.
    sums : (n_lines,) float32
        Currents of the lines.
    values : (8 n_draws,) float64
        The same with noise.
    totals : (n_lines,) float64
        Codes of the lines, summed over input bits.
    block_sums : (n_lines + 1,) float64
        Sums of a block of rows; the last is the sum of its codes.
    outputs : (n_outputs,) float64
        Sums of outputs.
    """

    rows: NDArray[np.int64]
    tags: NDArray[np.uint64]
    words: NDArray[np.uint64]
    sums: NDArray[np.float32]
    values: NDArray[np.float64]
    totals: NDArray[np.float64]
    block_sums: NDArray[np.float64]
    outputs: NDArray[np.float64]


@njit(cache=True)
def new_scratch(lines, tag):  # type: ignore[no-untyped-def]
    """Make a `Scratch` for a tile."""
    block_rows, n_lines = lines.cells.shape[2:]
    tags = np.empty((n_lines + 7) // 8, np.uint64)
    for block in range(len(tags)):
        tags[block] = tag | np.uint64(block)
    return Scratch(
        np.empty(block_rows + ROWS_AT_ONCE, np.int64),
        tags,
        np.empty((4, len(tags)), np.uint64),
        aligned_row(n_lines, np.float32),
        aligned_row(8 * len(tags), np.float64),
        aligned_row(n_lines, np.float64),
        aligned_row(n_lines + 1, np.float64),
        np.empty(lines.reference.shape[0]),
    )


@njit(cache=True)
def count_pulses(codes, input_bits, rows_driven):  # type: ignore[no-untyped-def]
    """Add to (n_rows,) the number of ones among the bits of each row's code."""
    for row in range(len(codes)):
        for bit in range(input_bits):
            rows_driven[row] += (codes[row] >> np.uint8(bit)) & 1


@njit(cache=True)
def convert_all(  # type: ignore[no-untyped-def]
    codes, place, lines, adcs, activations, streams, scratch, out
):
    """Read the tile once: every block of rows bit by bit, shift and add, activation.

    Parameters
    ----------
    codes : (n_rows,) uint8
        Codes on the word lines.
    place : (chip, sequence, position)
        Indices into `streams`, and the time step or position; they key the noise.
    lines, adcs, activations, streams
        As in `read`.
    scratch : Scratch
    out : (n_outputs,) uint8
        Codes, overwritten.
    """
    chip, sequence, position = place
    cells = lines.cells[chip if lines.cells.shape[0] > 1 else 0]
    drawn = chip if adcs.offset.shape[0] > 1 else 0
    offset, gain, bow = adcs.offset[drawn], adcs.gain[drawn], adcs.bow[drawn]
    n_blocks, block_rows, n_bits = len(cells), cells.shape[1] - 1, activations.input_bits
    n_lines, n_outputs = cells.shape[2], len(scratch.outputs)
    values, totals, sums = scratch.values, scratch.totals, scratch.block_sums
    scratch.outputs[:] = 0
    for block in range(n_blocks):
        block_codes = codes[block * block_rows : (block + 1) * block_rows]
        totals[:] = 0
        for bit in range(n_bits):
            _sum_rows(block_codes, np.uint8(bit), cells[block], scratch.rows, scratch.sums)
            for line in range(n_lines):
                values[line] = scratch.sums[line]
            if adcs.noise.shape[0] > 0:
                philox_blocks(
                    np.uint64(streams.chips[chip]),
                    np.uint64(streams.samples[sequence]),
                    np.uint64((position * n_blocks + block) * n_bits + bit),
                    scratch.tags,
                    streams.key[0],
                    streams.key[1],
                    scratch.words,
                )
                add_noise(scratch.words, adcs.noise, adcs.noise_share, values)
            weight = float(1 << bit)
            if adcs.is_plain:
                convert_plain(values, weight, adcs, totals)
            else:
                convert(values, weight, adcs, offset[block], gain[block], bow[block], totals)
        sums[:] = 0
        for line in range(n_lines):
            sums[lines.sum_index[line]] += totals[line] * lines.weight[block, line]
        for row in range(len(block_codes)):
            # the active rows of each bit, times its weight
            sums[n_lines] += block_codes[row]
        for output in range(n_outputs):
            scratch.outputs[output] += sums[output]
            if lines.reference[output] >= 0:
                correction = sums[lines.reference[output]] * lines.reference_weight[block, output]
                scratch.outputs[output] += correction
    for output in range(n_outputs):
        value = scratch.outputs[output] * activations.scale[output]
        out[output] = _count_reached(activations.thresholds[output], value)


@njit(cache=True)
def convert_plain(values, weight, adcs, totals):  # type: ignore[no-untyped-def]
    """Add the codes of values (n_lines or more,), times a weight, to totals (n_lines,)."""
    code_quanta, low, top = adcs.code_quanta, adcs.low, adcs.top
    for line in range(len(totals)):
        code = np.floor(values[line] / code_quanta[line] + 0.5)
        totals[line] += min(top, max(low, code)) * weight


@njit(cache=True)
def convert(values, weight, adcs, offset, gain, bow, totals):  # type: ignore[no-untyped-def]
    """Do the same for ADCs with static errors (n_lines,), which come before rounding."""
    code_quanta, low, top = adcs.code_quanta, adcs.low, adcs.top
    for line in range(len(totals)):
        value = values[line]
        share = min(1.0, max(-1.0, value / (code_quanta[line] * top)))
        value = value * (1.0 + gain[line]) + offset[line]
        value += bow[line] * CUBIC * share * (1.0 - share * share)
        code = np.floor(value / code_quanta[line] + 0.5)
        totals[line] += min(top, max(low, code)) * weight


@njit(cache=True)
def _sum_rows(codes, bit, cells, rows, sums):  # type: ignore[no-untyped-def]
    """Sum the cells of the rows whose code has a bit; `rows` is scratch memory."""
    n_lines, n_on = len(sums), 0
    for row in range(len(codes)):
        rows[n_on] = row
        n_on += (codes[row] >> bit) & 1
    # a row of zeros fills the last pass
    for index in range(n_on, n_on + ROWS_AT_ONCE):
        rows[index] = len(cells) - 1
    sums[:] = 0
    for first in range(0, n_on, ROWS_AT_ONCE):
        a, b = cells[rows[first]], cells[rows[first + 1]]
        c, d = cells[rows[first + 2]], cells[rows[first + 3]]
        e, f = cells[rows[first + 4]], cells[rows[first + 5]]
        g, h = cells[rows[first + 6]], cells[rows[first + 7]]
        for line in range(n_lines):
            upper = (a[line] + b[line]) + (c[line] + d[line])
            lower = (e[line] + f[line]) + (g[line] + h[line])
            sums[line] += upper + lower


@njit(cache=True)
def add_noise(words, noise, share, values):  # type: ignore[no-untyped-def]
    """Add shares of the table's entry for each half of the random words, eight to a block."""
    half = np.uint64(HALVES - 1)
    for word in range(4):
        for block in range(words.shape[1]):
            found = words[word, block]
            line = 8 * block + 2 * word
            values[line] += noise[found & half] * share[line]
            values[line + 1] += noise[(found >> np.uint64(16)) & half] * share[line + 1]


@njit(cache=True)
def _count_reached(thresholds, value):  # type: ignore[no-untyped-def]
    """Count the ascending thresholds that a value reaches."""
    low, count = 0, len(thresholds)
    while count > 0:
        half = (count + 1) // 2
        if thresholds[low + half - 1] <= value:
            low += half
            count -= half
        else:
            count = half - 1
    return low
