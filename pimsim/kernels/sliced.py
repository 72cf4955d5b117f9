"""Array MACs where no cell strays: weights as bit planes, sums by counting bits.

Chips that differ in nothing but the noise of their decisions share their weights, so a
column's current is a sum of integer levels.  With 64 word lines in one machine word,
sum(k x) = sum_p 2^p count(x & plane_p) - L count(x), where plane p holds bit p of k + L.
The sums, the draws and so the bits are those of `pimsim.kernels.array`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import config, njit, prange, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from pimsim.kernels.copying import copy
from pimsim.kernels.philox import philox_blocks

# machine words are counted in groups of so many; planes are padded to whole groups
GROUP = 4


class Planes(NamedTuple):
    """The weights of a tile in bit planes, and what its decisions come to.

    Attributes
    ----------
    planes : (n_planes, n_words, n_columns) uint64
        Bit r of word w is bit p of k + L in row 64 w + r.
    low : (n_columns,) int64
        L.
    standing : (n_columns,) int64
        Sum of the rows that are always on [level units].
    chance : (n,) uint64
        Chance of a 1 in units of 2^-32, by sum.
    middle : (n_columns,) int64
        Where in `chance` a column's sum of 0 stands.
    """

    planes: NDArray[np.uint64]
    low: NDArray[np.int64]
    standing: NDArray[np.int64]
    chance: NDArray[np.uint64]
    middle: NDArray[np.int64]


@intrinsic
def _count_bits(context: Any, word: Any) -> Any:
    """How many bits of a uint64 are 1."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), build


def _count_uncompiled(word: np.uint64) -> np.uint64:
    return np.uint64(int(word).bit_count())


count_bits: Any = _count_uncompiled if config.DISABLE_JIT else _count_bits  # type: ignore[attr-defined]


@njit(cache=True)
def pack(bits, words):  # type: ignore[no-untyped-def]
    """Write (n,) uint8 bits into (n_words,) uint64 words, bit r of word w first row 64 w + r."""
    for w in range(words.shape[0]):
        word = np.uint64(0)
        for r in range(min(64, bits.shape[0] - 64 * w)):
            word |= np.uint64(bits[64 * w + r]) << np.uint64(r)
        words[w] = word


@njit(cache=True)
def add_up(words, tile, sums):  # type: ignore[no-untyped-def]
    """Sums of all columns for the word lines that are on.

    Parameters
    ----------
    words : (n_words,) uint64
    tile : Planes
    sums : (n_columns,) int64
        Overwritten [level units].

    Returns
    -------
    int
        Word lines that are on.
    """
    n_active = np.uint64(0)
    for w in range(words.shape[0]):
        n_active += count_bits(words[w])
    n_on = np.int64(n_active)
    for column in range(sums.shape[0]):
        sums[column] = tile.standing[column] - n_on * tile.low[column]
    for p in range(tile.planes.shape[0]):
        plane = tile.planes[p]
        for w in range(0, words.shape[0], GROUP):
            # four words at a time: sums are loaded and stored once for four counts
            x0, x1, x2, x3 = words[w], words[w + 1], words[w + 2], words[w + 3]
            p0, p1, p2, p3 = plane[w], plane[w + 1], plane[w + 2], plane[w + 3]
            for column in range(sums.shape[0]):
                first = count_bits(x0 & p0[column]) + count_bits(x1 & p1[column])
                second = count_bits(x2 & p2[column]) + count_bits(x3 & p3[column])
                sums[column] += np.int64((first + second) << np.uint64(p))
    return n_on


@njit(cache=True)
def block_tags(n_columns, streams):  # type: ignore[no-untyped-def]
    """Counter 3 of the draws of every four columns, and room for their words."""
    tags = np.empty((n_columns + 3) // 4, np.uint64)
    for block in range(tags.shape[0]):
        tags[block] = streams.tag | np.uint64(block)
    return tags, np.empty((4, tags.shape[0]), np.uint64)


@njit(cache=True)
def decide(sums, tile, where, streams, tags, words, bits):  # type: ignore[no-untyped-def]
    """Decisions of all columns: 1 where a random word is below the chance of the sum.

    Where noise cannot change a bit its chance is 0 or 2^32, so drawing there, too,
    changes nothing, and all words are drawn in one loop.

    Parameters
    ----------
    sums : (n_columns,) int64
    tile : Planes
    where : (chip, sample, step)
        Counters of the draw.
    streams : Streams
    tags : (n_blocks,) uint64
        From `block_tags`.
    words : (4, n_blocks) uint64
        Room: word i of block b is that of column 4 b + i.
    bits : (n_columns,) uint8
        Overwritten.
    """
    c0, c1, c2 = np.uint64(where[0]), np.uint64(where[1]), np.uint64(where[2])
    philox_blocks(c0, c1, c2, tags, streams.key[0], streams.key[1], words)
    for column in range(sums.shape[0]):
        word = words[column & 3, column >> 2]
        bits[column] = word < tile.chance[tile.middle[column] + sums[column]]


@njit(cache=True, parallel=True)
def read_layer(tile, bits, streams, out, rows_driven):  # type: ignore[no-untyped-def]
    """Twin of `pimsim.kernels.array.read_layer` for chips that share their weights.

    Parameters
    ----------
    tile : Planes
    bits : (1 or n_chips, n_sequences, n_positions, n_rows) uint8
    streams : Streams
    out : (n_chips, n_sequences, n_positions, n_columns) uint8
    rows_driven : (n_chips, n_rows) int64
    """
    n_columns = out.shape[3]
    for chip in prange(out.shape[0]):
        source = np.int64(chip) if bits.shape[0] > 1 else 0
        lines = np.empty(tile.planes.shape[1], np.uint64)
        sums = np.empty(n_columns, np.int64)
        tags, words = block_tags(n_columns, streams)
        for sequence in range(bits.shape[1]):
            for position in range(bits.shape[2]):
                on = bits[source, sequence, position]
                for row in range(on.shape[0]):
                    rows_driven[chip, row] += on[row]
                pack(on, lines)
                add_up(lines, tile, sums)
                where = (streams.chips[chip], streams.samples[sequence], position)
                bits_out = out[chip, sequence, position]
                decide(sums, tile, where, streams, tags, words, bits_out)


@njit(cache=True, parallel=True)
def run_gru(tile, below, streams, hidden, trace, rows_driven, flips):  # type: ignore[no-untyped-def]
    """Twin of `pimsim.kernels.array.run_gru` for chips that share their weights.

    Parameters
    ----------
    tile : Planes
    below : (1 or n_chips, n_sequences, n_steps, n_below) uint8
    streams : Streams
    hidden : (n_chips, n_sequences, n_steps, n_hidden) uint8
    trace : (n_chips, n_sequences, n_steps, 2 n_hidden) uint8, or of size 0
    rows_driven : (n_chips, n_rows) int64
    flips : (n_chips,) int64
    """
    n_chips, n_sequences, n_steps, n_hidden = hidden.shape
    for chip in prange(n_chips):
        source = np.int64(chip) if below.shape[0] > 1 else 0
        lines = np.zeros(n_hidden + below.shape[3], np.uint8)
        packed = np.empty(tile.planes.shape[1], np.uint64)
        sums = np.empty(2 * n_hidden, np.int64)
        tags, words = block_tags(2 * n_hidden, streams)
        bits = np.empty(2 * n_hidden, np.uint8)
        gate, candidate = bits[:n_hidden], bits[n_hidden:]
        flipped = 0
        for sequence in range(n_sequences):
            lines[:n_hidden] = 0
            for step in range(n_steps):
                copy(below[source, sequence, step], lines[n_hidden:])
                for row in range(lines.shape[0]):
                    rows_driven[chip, row] += lines[row]
                pack(lines, packed)
                add_up(packed, tile, sums)
                where = (streams.chips[chip], streams.samples[sequence], step)
                decide(sums, tile, where, streams, tags, words, bits)
                new = hidden[chip, sequence, step]
                for unit in range(n_hidden):
                    old = lines[unit]
                    # the multiplexer: a gate bit of 1 keeps the old hidden bit
                    now = (gate[unit] & old) | (~gate[unit] & candidate[unit])
                    flipped += now ^ old
                    new[unit] = now
                    lines[unit] = now
                if trace.size:
                    copy(bits, trace[chip, sequence, step])
        flips[chip] += flipped
