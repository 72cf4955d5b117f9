"""Decisions of 128 sequences side by side: which a draw can change, the draws, the multiplexer.

A decision is a comparison that gives one bit for each sequence.  The few whose bit a draw can
change are packed into a list; 32 of them draw at once, and their bits are corrected.  Draws and
chances are those of `pimsim.kernels.decisions`, and so the bits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pimsim.kernels import registers
from pimsim.kernels.philox import MULTIPLIER_0, MULTIPLIER_1, WEYL_0, WEYL_1
from pimsim.kernels.registers import DRAWS, LANES, WORDS
from pimsim.kernels.sliced import count_bits

_LOW_HALF = np.uint64(0xFFFFFFFF)
LANE_NUMBERS = np.arange(LANES, dtype=np.int16)


class Near(NamedTuple):
    """Decisions whose bit a draw can change, and room to draw.

    Attributes
    ----------
    columns : (n,) uint16
    lanes, sums : (n,) int16
        Which column and sequence, and its distance from the threshold.
    samples, tags : (n,) uint64
        Counters 1 and 3 of the draws.
    words : (4 DRAWS,) uint64
        Words of the draws, the four of each apart.
    """

    columns: NDArray[np.uint16]
    lanes: NDArray[np.int16]
    sums: NDArray[np.int16]
    samples: NDArray[np.uint64]
    tags: NDArray[np.uint64]
    words: NDArray[np.uint64]


@njit(cache=True)
def room_for(n_columns):  # type: ignore[no-untyped-def]
    """A `Near` for all decisions of a block; whole registers are written beyond the last one."""
    n = n_columns * LANES + LANES
    return Near(
        np.empty(n, np.uint16),
        np.empty(n, np.int16),
        np.empty(n, np.int16),
        np.empty(n, np.uint64),
        np.empty(n, np.uint64),
        np.empty(4 * DRAWS, np.uint64),
    )


@njit(cache=True, inline="always")
def within(value, limit):  # type: ignore[no-untyped-def]
    """Lanes of at most `limit`, of either sign; -1 for none."""
    above = registers.greater(value, registers.in_all(limit))
    below = registers.greater(registers.in_all(-limit), value)
    return registers.invert(registers.either(above, below))


@njit(cache=True, inline="always")
def note(near, n, mask, column, value, numbers):  # type: ignore[no-untyped-def]
    """Add the masked sequences of a column to the decisions that draw; returns how many now."""
    registers.store_lanes(near.columns, n, registers.in_all(column))
    registers.append(numbers, mask, near.lanes, n)
    return registers.append(value, mask, near.sums, n)


@njit(cache=True)
def decide(sums, limits, valid, near, fired):  # type: ignore[no-untyped-def]
    """Decisions without noise, and which of them draw.

    Parameters
    ----------
    sums : (n_columns LANES,) int16
    limits : (n_columns,) int64
        Largest distance at which a draw can change a column's bit; -1 for none.
    valid : (WORDS,) uint64
        Sequences that there are.
    near : Near
        Filled.
    fired : (n_columns WORDS,) uint64
        Overwritten.

    Returns
    -------
    int
        How many draw.
    """
    n = 0
    numbers = registers.load_lanes(LANE_NUMBERS, 0)
    exist = registers.load_mask(valid, 0)
    for column in range(limits.shape[0]):
        value = registers.load_lanes(sums, column * LANES)
        bits = registers.greater(value, registers.in_all(0))
        registers.store_mask(fired, column * WORDS, bits)
        mask = registers.both(exist, within(value, limits[column]))
        n = note(near, n, mask, column, value, numbers)
    return n


@njit(cache=True)
def decide_gru(sums, limits, hidden, valid, skip, near, fired):  # type: ignore[no-untyped-def]
    """As `decide` for gates, then candidates; leaves out draws that no hidden bit can show.

    A candidate counts only where the gate may be 0; a gate only where the candidate may differ
    from the old hidden bit, `hidden` (n_hidden WORDS,) uint64.  Without `skip` all draw whose
    own bit may change.
    """
    n, n_hidden = 0, limits.shape[0] // 2
    numbers = registers.load_lanes(LANE_NUMBERS, 0)
    exist = registers.load_mask(valid, 0)
    for unit in range(n_hidden):
        other = n_hidden + unit
        gate = registers.load_lanes(sums, unit * LANES)
        candidate = registers.load_lanes(sums, other * LANES)
        keeps = registers.greater(gate, registers.in_all(0))
        new = registers.greater(candidate, registers.in_all(0))
        registers.store_mask(fired, unit * WORDS, keeps)
        registers.store_mask(fired, other * WORDS, new)
        gate_near = registers.both(exist, within(gate, limits[unit]))
        new_near = registers.both(exist, within(candidate, limits[other]))
        if skip:
            may_take = registers.either(registers.invert(keeps), gate_near)
            new_near = registers.both(new_near, may_take)
            old = registers.load_mask(hidden, unit * WORDS)
            may_differ = registers.either(registers.differ(new, old), new_near)
            gate_near = registers.both(gate_near, may_differ)
        n = note(near, n, gate_near, unit, gate, numbers)
        n = note(near, n, new_near, other, candidate, numbers)
    return n


@njit(cache=True, inline="always")
def philox_words(c0, c1, c2, c3, key, words):  # type: ignore[no-untyped-def]
    """Philox 4x32-10 of 32 counters (c0, c1, c2, c3), of which c1 and c3 are `Draws`.

    Parameters
    ----------
    words : (4 DRAWS,) uint64
        Overwritten: word i of all counters from i DRAWS on.
    """
    a, b, c, d = registers.in_draws(c0), c1, registers.in_draws(c2), c3
    k0, k1 = key[0], key[1]
    for _ in range(10):
        p0 = registers.multiply(registers.in_draws(MULTIPLIER_0), a)
        p1 = registers.multiply(registers.in_draws(MULTIPLIER_1), c)
        a = registers.toggle(registers.toggle(registers.high_half(p1), b), registers.in_draws(k0))
        b = registers.low_half(p1)
        c = registers.toggle(registers.toggle(registers.high_half(p0), d), registers.in_draws(k1))
        d = registers.low_half(p0)
        k0 = (k0 + WEYL_0) & _LOW_HALF
        k1 = (k1 + WEYL_1) & _LOW_HALF
    registers.store_draws(words, 0, a)
    registers.store_draws(words, DRAWS, b)
    registers.store_draws(words, 2 * DRAWS, c)
    registers.store_draws(words, 3 * DRAWS, d)


@njit(cache=True)
def draw(near, n, chances, where, samples, streams, fired):  # type: ignore[no-untyped-def]
    """Draw for the decisions near their thresholds, and correct their bits.

    Parameters
    ----------
    near : Near
        `n` decisions.
    chances : Chances
    where : (chip, step)
        Counters 0 and 2.
    samples : (LANES,) uint64
        Counter 1 of each sequence.
    streams : Streams
    fired : (n_columns WORDS,) uint64
        Bits as they are without noise; corrected.
    """
    for i in range(n):
        near.samples[i] = samples[near.lanes[i]]
        near.tags[i] = streams.tag | np.uint64(near.columns[i]) >> np.uint64(2)
    for first in range(0, n, DRAWS):
        philox_words(
            np.uint64(where[0]),
            registers.load_draws(near.samples, first),
            np.uint64(where[1]),
            registers.load_draws(near.tags, first),
            streams.key,
            near.words,
        )
        for i in range(first, min(n, first + DRAWS)):
            column, lane, value = near.columns[i], near.lanes[i], near.sums[i]
            word = near.words[(column & 3) * DRAWS + i - first]
            bit = word < chances.table[chances.middle[column] + value]
            flip = np.uint64(bit != (value > 0))
            fired[column * WORDS + (lane >> 6)] ^= flip << np.uint64(lane & 63)


@njit(cache=True)
def multiplex(fired, valid, lines, hidden):  # type: ignore[no-untyped-def]
    """New hidden bits, on the lines and in `hidden`: a gate bit of 1 keeps the old one.

    Returns the register bits that flip.
    """
    n_hidden = hidden.shape[0]
    flipped = np.int64(0)
    for unit in range(n_hidden):
        for word in range(WORDS):
            gate, candidate = fired[unit, word], fired[n_hidden + unit, word]
            old = lines[unit, word]
            new = ((gate & old) | (~gate & candidate)) & valid[word]
            flipped += np.int64(count_bits(new ^ old))
            lines[unit, word] = new
            hidden[unit, word] = new
    return flipped
