"""Array reads through ADCs: pulses of input codes to sums of lines, to ADC codes, to whole sums.

Inputs are applied one bit at a time, or as levels of their lines.  The code of every line and pulse
is shifted and added, and the sum of each output is looked up in its activation.  Parallel over
chips and sequences.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from pimsim.kernels.conversions import add_noise, convert, convert_plain
from pimsim.kernels.copying import copy
from pimsim.kernels.line_sums import ROWS_AT_ONCE, sum_levels, sum_rows
from pimsim.kernels.logic import step_codes
from pimsim.kernels.memory import aligned, aligned_row
from pimsim.kernels.philox import philox_blocks


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


class Pulses(NamedTuple):
    """Pulses in which codes come to word lines.

    Attributes
    ----------
    weight : (n_pulses,) float64
        Weight of the codes of a pulse.
    levels : (n_pulses, 1 or n_chips, n_rows, n_codes) float64
        Level of each row's line for every code: multiples of 2^-6, so that sums are exact below
        2^47 quanta.  Empty where pulse i drives the rows whose code has bit i.
    subtracted : (n_rows,) int64
        Code of each row that is subtracted before it becomes a level.
    """

    weight: NDArray[np.float64]
    levels: NDArray[np.float64]
    subtracted: NDArray[np.int64]


class Activations(NamedTuple):
    """Activation units: from the sums of outputs to codes.

    Attributes
    ----------
    scale : (n_outputs,) float64
        Factor applied to a sum before it is compared with `thresholds`.
    thresholds : (n_outputs, top) float64
        Ascending; the code is the number of thresholds that the scaled sum reaches.
    gate_top : int
        Largest code of the first matrix: of a recurrent tile, the gate of 1.
    zero : int
        Code of the state before the first step.
    """

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
def read(  # type: ignore[no-untyped-def]
    lines, pulses, adcs, activations, codes, wiring, streams, out, rows_driven, clipped
):
    """Read a tile at every position of its inputs, for many sequences on many chips.

    Parameters
    ----------
    lines : Lines
    pulses : Pulses
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
        Counts of pulses on each word line, or sums of its levels, added to.
    clipped : (n_chips, n_sequences, n_lines) int64
        Counts of conversions beyond the range of codes, added to.
    """
    for job in prange(out.shape[0] * out.shape[1]):
        # job is unsigned here: without the cast everything below is compiled twice
        _read_sequence(np.int64(job), lines, pulses, adcs, activations, codes, wiring, streams, out,
                       rows_driven, clipped)  # fmt: skip


@njit(cache=True)
def _read_sequence(  # type: ignore[no-untyped-def]
    job, lines, pulses, adcs, activations, codes, wiring, streams, out, rows_driven, clipped
):
    chip, sequence = job // out.shape[1], job % out.shape[1]
    (n_positions, n_rows), n_codes = wiring.shape, codes.shape[2]
    inputs = np.zeros(n_codes + 1, np.uint8)
    copy(codes[chip if codes.shape[0] > 1 else 0, sequence], inputs)
    rows = np.empty(n_rows, np.uint8)
    scratch = new_scratch(lines, streams.tag, adcs.after_tag)
    for position in range(n_positions):
        for row in range(n_rows):
            rows[row] = inputs[wiring[position, row]]
        count_pulses(rows, pulses, rows_driven[chip, sequence])
        convert_all(rows, (chip, sequence, position), lines, pulses, adcs, activations, streams,
                    scratch, out[chip, sequence, position], clipped[chip, sequence])  # fmt: skip


@njit(cache=True, parallel=True, nogil=True)
def recur(  # type: ignore[no-untyped-def]
    lines, pulses, adcs, activations, below, streams, logic, outputs, clipped
):
    """Run a recurrent tile through all time steps, for many sequences on many chips.

    Word lines are the state, then the inputs; the state begins with zeros.

    Parameters
    ----------
    lines, pulses, adcs, activations, streams, clipped
        As in `read`.
    below : (1 or n_chips, n_sequences, n_steps, n_below) uint8
        Input codes.
    logic : one of `pimsim.kernels.logic`
    outputs : Outputs
        With `state` (n_chips, n_sequences, n_steps, n_state) uint8, `trace` (..., n_outputs) uint8,
        `rows_driven` (n_chips, n_sequences, n_rows), `flips` (n_chips, n_sequences).
    """
    for job in prange(outputs.state.shape[0] * outputs.state.shape[1]):
        _recur_sequence(np.int64(job), lines, pulses, adcs, activations, below, streams, logic,
                        outputs, clipped)  # fmt: skip


@njit
def _recur_sequence(  # type: ignore[no-untyped-def]
    job, lines, pulses, adcs, activations, below, streams, logic, outputs, clipped
):
    n_sequences, n_steps, n_state = outputs.state.shape[1:]
    chip, sequence = job // n_sequences, job % n_sequences
    inputs = below[chip if below.shape[0] > 1 else 0, sequence]
    scratch = new_scratch(lines, streams.tag, adcs.after_tag)
    rows = np.full(n_state + inputs.shape[1], np.uint8(activations.zero))
    memory = np.zeros(logic.n_memory, np.int64)
    decided = np.empty(activations.scale.shape[0], np.uint8)
    flipped = 0
    for step in range(n_steps):
        copy(inputs[step], rows[n_state:])
        count_pulses(rows, pulses, outputs.rows_driven[chip, sequence])
        convert_all(rows, (chip, sequence, step), lines, pulses, adcs, activations, streams,
                    scratch, decided, clipped[chip, sequence])  # fmt: skip
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
    levels : (block_rows + ROWS_AT_ONCE,) float64
        Their levels.
    tags, after_tags : (n_draws,) uint64
        Counter 3 of the draws, each of which serves eight lines.
    words : (4, n_draws) uint64
        Random words.
    sums : (n_lines,) float32
        Currents of the lines.
    values : (8 n_draws,) float64
        The same with noise, then their codes.
    totals : (n_lines,) float64
        Codes of the lines, summed over pulses.
    block_sums : (n_lines + 1,) float64
        Sums of a block of rows; the last is the sum of its codes.
    outputs : (n_outputs,) float64
        Sums of outputs.
    """

    rows: NDArray[np.int64]
    levels: NDArray[np.float64]
    tags: NDArray[np.uint64]
    after_tags: NDArray[np.uint64]
    words: NDArray[np.uint64]
    sums: NDArray[np.float32]
    values: NDArray[np.float64]
    totals: NDArray[np.float64]
    block_sums: NDArray[np.float64]
    outputs: NDArray[np.float64]


@njit(cache=True)
def new_scratch(lines, tag, after_tag):  # type: ignore[no-untyped-def]
    """Make a `Scratch` for a tile."""
    block_rows, n_lines = lines.cells.shape[2:]
    tags = np.empty((n_lines + 7) // 8, np.uint64)
    after_tags = np.empty_like(tags)
    for block in range(len(tags)):
        tags[block] = tag | np.uint64(block)
        after_tags[block] = after_tag | np.uint64(block)
    return Scratch(
        np.empty(block_rows + ROWS_AT_ONCE, np.int64),
        np.empty(block_rows + ROWS_AT_ONCE, np.float64),
        tags,
        after_tags,
        np.empty((4, len(tags)), np.uint64),
        aligned_row(n_lines, np.float32),
        aligned_row(8 * len(tags), np.float64),
        aligned_row(n_lines, np.float64),
        aligned_row(n_lines + 1, np.float64),
        np.empty(lines.reference.shape[0]),
    )


@njit(cache=True)
def count_pulses(codes, pulses, rows_driven):  # type: ignore[no-untyped-def]
    """Add to (n_rows,) the number of ones among the bits of each row's code, or its level."""
    if pulses.levels.shape[0] > 0:
        for row in range(len(codes)):
            rows_driven[row] += abs(np.int64(codes[row]) - pulses.subtracted[row])
        return
    for row in range(len(codes)):
        for bit in range(len(pulses.weight)):
            rows_driven[row] += (codes[row] >> np.uint8(bit)) & 1


@njit(cache=True)
def convert_all(  # type: ignore[no-untyped-def]
    codes, place, lines, pulses, adcs, activations, streams, scratch, out, clipped
):
    """Read the tile once: every block of rows pulse by pulse, shift and add, activation.

    Parameters
    ----------
    codes : (n_rows,) uint8
        Codes on the word lines.
    place : (chip, sequence, position)
        Indices into `streams`, and the time step or position; they key the noise.
    lines, pulses, adcs, activations, streams
        As in `read`.
    scratch : Scratch
    out : (n_outputs,) uint8
        Codes, overwritten.
    clipped : (n_lines,) int64
        Counts of conversions beyond the range of codes, added to.
    """
    chip, sequence, position = place
    cells = lines.cells[chip if lines.cells.shape[0] > 1 else 0]
    drawn = chip if adcs.offset.shape[0] > 1 else 0
    offset, gain, bow = adcs.offset[drawn], adcs.gain[drawn], adcs.bow[drawn]
    n_blocks, block_rows, n_pulses = len(cells), cells.shape[1] - 1, len(pulses.weight)
    n_lines, n_outputs = cells.shape[2], len(scratch.outputs)
    values, totals, sums = scratch.values, scratch.totals, scratch.block_sums
    scratch.outputs[:] = 0
    for block in range(n_blocks):
        first = block * block_rows
        block_codes = codes[first : first + block_rows]
        totals[:] = 0
        for pulse in range(n_pulses):
            if pulses.levels.shape[0] > 0:
                of_pulse = pulses.levels[pulse, chip if pulses.levels.shape[1] > 1 else 0]
                sum_levels(block_codes, of_pulse[first:], cells[block], scratch.rows,
                           scratch.levels, values, n_lines)  # fmt: skip
            else:
                sum_rows(block_codes, np.uint8(pulse), cells[block], scratch.rows, scratch.sums)
                for line in range(n_lines):
                    values[line] = scratch.sums[line]
            draw = np.uint64((position * n_blocks + block) * n_pulses + pulse)
            if adcs.noise.shape[0] > 0:
                philox_blocks(
                    np.uint64(streams.chips[chip]),
                    np.uint64(streams.samples[sequence]),
                    draw,
                    scratch.tags,
                    streams.key[0],
                    streams.key[1],
                    scratch.words,
                )
                add_noise(scratch.words, adcs.noise, adcs.noise_share, values)
            if adcs.is_plain:
                convert_plain(values, adcs, clipped)
            else:
                convert(values, adcs, offset[block], gain[block], bow[block], clipped)
            if adcs.after.shape[0] > 0:
                philox_blocks(
                    np.uint64(streams.chips[chip]),
                    np.uint64(streams.samples[sequence]),
                    draw,
                    scratch.after_tags,
                    streams.key[0],
                    streams.key[1],
                    scratch.words,
                )
                add_noise(scratch.words, adcs.after, adcs.after_share, values)
            weight = pulses.weight[pulse]
            for line in range(n_lines):
                totals[line] += values[line] * weight
        sums[:] = 0
        for line in range(n_lines):
            sums[lines.sum_index[line]] += totals[line] * lines.weight[block, line]
        for row in range(len(block_codes)):
            # the active rows of each bit, times its weight
            sums[n_lines] += np.int64(block_codes[row]) - pulses.subtracted[first + row]
        for output in range(n_outputs):
            scratch.outputs[output] += sums[output]
            if lines.reference[output] >= 0:
                correction = sums[lines.reference[output]] * lines.reference_weight[block, output]
                scratch.outputs[output] += correction
    for output in range(n_outputs):
        value = scratch.outputs[output] * activations.scale[output]
        out[output] = _count_reached(activations.thresholds[output], value)


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
