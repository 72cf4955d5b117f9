"""Arrays read out as numbers: bits of inputs to sums, to codes, to sums of whole weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from pimsim.kernels.philox import philox_blocks

# random words are cut in two, and each half picks an entry of the noise table
HALVES = 2**16
# x (1 - x^2) reaches 1 / CUBIC: differential converters bend as odd functions
CUBIC = 1.5 * 3**0.5
# rows that are added in one pass
AT_ONCE = 8


class Lines(NamedTuple):
    """Lines of a tile on one chip, and what their codes are worth.

    Attributes
    ----------
    cells : (n_blocks, block_rows + 1, n_lines) float32
        Whole numbers of quanta, whose sums are exact in float32.  Blocks of rows are converted
        apart; rows beyond the matrix, and the last of each block, are zero.
    worth : (n_blocks, n_lines) int64
        What a code of the lowest input bit is worth.
    owner : (n_lines,) int64
        Sum that a line's codes are added to; those of unit columns come last.
    per_active : (n_blocks, n_outputs) float64
        What the sum of a unit column is worth to each output.
    unit : (n_outputs,) int64
        Sum of each output's unit column; -1 for none.
    """

    cells: NDArray[np.float32]
    worth: NDArray[np.int64]
    owner: NDArray[np.int64]
    per_active: NDArray[np.float64]
    unit: NDArray[np.int64]


class Converters(NamedTuple):
    """Converters of a tile on one chip, the same for every block of rows.

    Attributes
    ----------
    code_quanta, low, top : float
        Current that a code stands for [quanta], the smallest code and the largest; whole numbers.
    noise : (2^16,) float64
        Dynamic noise of a conversion for every 16-bit word [quanta]; empty for none.
    offset, gain, bow : (n_lines,) float64
        Static errors of the converter that a line goes to: [quanta], relative, [quanta].
    is_plain : bool
        Whether there are no static errors.
    """

    code_quanta: float
    low: float
    top: float
    noise: NDArray[np.float64]
    offset: NDArray[np.float64]
    gain: NDArray[np.float64]
    bow: NDArray[np.float64]
    is_plain: bool


class Neurons(NamedTuple):
    """From the sums of outputs to codes.

    Attributes
    ----------
    input_bits : int
        Of a code.
    scale : (n_outputs,) float64
        Times which a sum is compared.
    limits : (n_outputs, top) float64
        Rising; how many of them a sum reaches is its code.
    """

    input_bits: int
    scale: NDArray[np.float64]
    limits: NDArray[np.float64]


class Streams(NamedTuple):
    """What the random words of conversions are keyed by; `samples` (n,) int64."""

    key0: np.uint64
    key1: np.uint64
    tag: np.uint64
    chip: np.uint64
    samples: NDArray[np.int64]


@njit(cache=True, parallel=True)
def read_layer(  # type: ignore[no-untyped-def]
    inputs, lines, converters, neurons, streams, out, driven
):
    """Read a tile once for each input.

    Parameters
    ----------
    inputs : (n, n_places, n_rows) uint8
        Codes: a time step or patch is a place, which keys the noise.
    lines, converters, neurons, streams
    out : (n, n_places, n_outputs) uint8
        Overwritten.
    driven : (n, n_rows) int64
        Added to: how often rows were on, over all input bits.
    """
    for item in prange(inputs.shape[0]):
        # item is unsigned here: without the cast everything below is compiled twice
        _read_item(np.int64(item), inputs, lines, converters, neurons, streams, out, driven)


@njit(cache=True)
def _read_item(  # type: ignore[no-untyped-def]
    item, inputs, lines, converters, neurons, streams, out, driven
):
    room = _room(lines, streams.tag)
    for place in range(inputs.shape[1]):
        _read(inputs[item, place], item, place, lines, converters, neurons, streams, room,
                  out[item, place], driven[item])  # fmt: skip


@njit(cache=True, parallel=True)
def run_gru(  # type: ignore[no-untyped-def]
    below, lines, converters, neurons, streams, hidden, driven
):
    """Run a GRU layer through all time steps.

    Parameters
    ----------
    below : (n, n_steps, n_below) uint8
    lines, converters, neurons, streams
        Of gate and candidate, in that order.
    hidden : (n, n_steps, n_hidden) uint8
        Overwritten: G H + (1 - G) C, rounded half up (eq. 11).
    driven : (n, n_rows) int64
        As of `read_layer`.
    """
    for item in prange(below.shape[0]):
        _run_item(np.int64(item), below, lines, converters, neurons, streams, hidden, driven)


@njit(cache=True)
def _run_item(  # type: ignore[no-untyped-def]
    item, below, lines, converters, neurons, streams, hidden, driven
):
    n_hidden = hidden.shape[2]
    top = (1 << neurons.input_bits) - 1
    room = _room(lines, streams.tag)
    rows = np.zeros(n_hidden + below.shape[2], np.uint8)
    fired = np.empty(2 * n_hidden, np.uint8)
    for step in range(below.shape[1]):
        for row in range(below.shape[2]):
            rows[n_hidden + row] = below[item, step, row]
        _read(rows, item, step, lines, converters, neurons, streams, room, fired, driven[item])
        for unit in range(n_hidden):
            gate = np.int64(fired[unit])
            mixed = gate * rows[unit] + (top - gate) * fired[n_hidden + unit]
            rows[unit] = hidden[item, step, unit] = (mixed + top // 2) // top


@njit(cache=True)
def _room(lines, tag):  # type: ignore[no-untyped-def]
    """Scratch of a thread: rows, counters, random words, sums, values, codes' totals, outputs."""
    n_lines = lines.cells.shape[2]
    # a block of random words serves eight lines
    tags = np.empty((n_lines + 7) // 8, np.uint64)
    for block in range(len(tags)):
        tags[block] = tag | np.uint64(block)
    return (
        np.empty(lines.cells.shape[1] + AT_ONCE, np.int64),
        tags,
        np.empty((4, len(tags)), np.uint64),
        np.empty(n_lines, np.float32),
        np.empty(8 * len(tags)),
        np.empty(n_lines),
        np.empty(n_lines),
        np.empty(lines.per_active.shape[1]),
    )


@njit(cache=True)
def _read(  # type: ignore[no-untyped-def]
    codes, item, place, lines, converters, neurons, streams, room, out, driven
):
    """One operation: every block of rows bit by bit, added up, and looked up."""
    rows, tags, words, sums, values, totals, of_block, whole = room
    n_blocks, block_rows, n_bits = len(lines.cells), lines.cells.shape[1] - 1, neurons.input_bits
    n_lines, n_outputs = lines.cells.shape[2], len(whole)
    whole[:] = 0
    for row in range(len(codes)):
        for bit in range(n_bits):
            driven[row] += (codes[row] >> np.uint8(bit)) & 1
    for block in range(n_blocks):
        own = codes[block * block_rows : (block + 1) * block_rows]
        totals[:] = 0
        for bit in range(n_bits):
            _sum_rows(own, np.uint8(bit), lines.cells[block], rows, sums)
            for line in range(n_lines):
                values[line] = sums[line]
            if converters.noise.shape[0] > 0:
                philox_blocks(
                    streams.chip,
                    np.uint64(streams.samples[item]),
                    np.uint64((place * n_blocks + block) * n_bits + bit),
                    tags,
                    streams.key0,
                    streams.key1,
                    words,
                )
                add_noise(words, converters.noise, values)
            convert(values, float(1 << bit), converters, totals)
        of_block[:] = 0
        for line in range(n_lines):
            of_block[lines.owner[line]] += totals[line] * lines.worth[block, line]
        for output in range(n_outputs):
            whole[output] += of_block[output]
            if lines.unit[output] >= 0:
                whole[output] += of_block[lines.unit[output]] * lines.per_active[block, output]
    for output in range(n_outputs):
        out[output] = _reached(neurons.limits[output], whole[output] * neurons.scale[output])


@njit(cache=True)
def convert(values, scale, converters, totals):  # type: ignore[no-untyped-def]
    """Add the codes of values (n_lines or more,), times scale, to totals (n_lines,)."""
    code_quanta, low, top = converters.code_quanta, converters.low, converters.top
    full = code_quanta * top
    if converters.is_plain:
        for line in range(len(totals)):
            code = np.floor(values[line] / code_quanta + 0.5)
            totals[line] += min(top, max(low, code)) * scale
        return
    offset, gain, bow = converters.offset, converters.gain, converters.bow
    for line in range(len(totals)):
        value = values[line]
        share = min(1.0, max(-1.0, value / full))
        value = value * (1.0 + gain[line]) + offset[line]
        value += bow[line] * CUBIC * share * (1.0 - share * share)
        code = np.floor(value / code_quanta + 0.5)
        totals[line] += min(top, max(low, code)) * scale


@njit(cache=True)
def _sum_rows(codes, bit, cells, rows, sums):  # type: ignore[no-untyped-def]
    """Sum the cells of the rows whose code has a bit; `rows` is room for their numbers."""
    n_lines, n_on = len(sums), 0
    for row in range(len(codes)):
        rows[n_on] = row
        n_on += (codes[row] >> bit) & 1
    # a row of zeros fills the last pass
    for place in range(n_on, n_on + AT_ONCE):
        rows[place] = len(cells) - 1
    sums[:] = 0
    for first in range(0, n_on, AT_ONCE):
        a, b = cells[rows[first]], cells[rows[first + 1]]
        c, d = cells[rows[first + 2]], cells[rows[first + 3]]
        e, f = cells[rows[first + 4]], cells[rows[first + 5]]
        g, h = cells[rows[first + 6]], cells[rows[first + 7]]
        for line in range(n_lines):
            upper = (a[line] + b[line]) + (c[line] + d[line])
            lower = (e[line] + f[line]) + (g[line] + h[line])
            sums[line] += upper + lower


@njit(cache=True)
def add_noise(words, noise, values):  # type: ignore[no-untyped-def]
    """Add the table's entry for each half of the random words, eight to a block."""
    half = np.uint64(HALVES - 1)
    for word in range(4):
        for block in range(words.shape[1]):
            found = words[word, block]
            line = 8 * block + 2 * word
            values[line] += noise[found & half]
            values[line + 1] += noise[(found >> np.uint64(16)) & half]


@njit(cache=True)
def _reached(limits, value):  # type: ignore[no-untyped-def]
    """How many of the rising limits a value reaches."""
    low, count = 0, len(limits)
    while count > 0:
        half = (count + 1) // 2
        if limits[low + half - 1] <= value:
            low += half
            count -= half
        else:
            count = half - 1
    return low
