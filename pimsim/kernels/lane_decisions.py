"""Decisions of 128 sequences side by side: without noise, which a draw can change, multiplexer.

A decision is a comparison that gives one bit for each sequence.  `pimsim.kernels.lane_draws`
corrects those that a draw can change.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pimsim.kernels import registers
from pimsim.kernels.registers import LANES, WORDS
from pimsim.kernels.bits import count_bits


@njit(cache=True, inline="always")
def within(value, limit):  # type: ignore[no-untyped-def]
    """Lanes of at most `limit`, of either sign; -1 for none."""
    above = registers.greater(value, registers.in_all(limit))
    below = registers.greater(registers.in_all(-limit), value)
    return registers.invert(registers.either(above, below))


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
    near : (n_columns WORDS,) uint64
        Overwritten: those that draw.
    fired : (n_columns WORDS,) uint64
        Overwritten.
    """
    exist = registers.load_mask(valid, 0)
    for column in range(limits.shape[0]):
        value = registers.load_lanes(sums, column * LANES)
        bits = registers.greater(value, registers.in_all(0))
        registers.store_mask(fired, column * WORDS, bits)
        mask = registers.both(exist, within(value, limits[column]))
        registers.store_mask(near, column * WORDS, mask)


@njit(cache=True)
def decide_gru(sums, limits, valid, skip, near, fired):  # type: ignore[no-untyped-def]
    """As `decide` for gates, then candidates.

    With `skip` only those candidates draw whose gate may be 0: no hidden bit shows the others.
    """
    n_hidden = limits.shape[0] // 2
    exist = registers.load_mask(valid, 0)
    for unit in range(n_hidden):
        other = n_hidden + unit
        gate = registers.load_lanes(sums, unit * LANES)
        candidate = registers.load_lanes(sums, other * LANES)
        keeps = registers.greater(gate, registers.in_all(0))
        registers.store_mask(fired, unit * WORDS, keeps)
        new = registers.greater(candidate, registers.in_all(0))
        registers.store_mask(fired, other * WORDS, new)
        gate_near = registers.both(exist, within(gate, limits[unit]))
        new_near = registers.both(exist, within(candidate, limits[other]))
        if skip:
            may_take = registers.either(registers.invert(keeps), gate_near)
            new_near = registers.both(new_near, may_take)
        registers.store_mask(near, unit * WORDS, gate_near)
        registers.store_mask(near, other * WORDS, new_near)


@njit(cache=True)
def leave_out_gates(fired, lines, near):  # type: ignore[no-untyped-def]
    """Let only those gates draw whose candidate, now drawn, differs from the old hidden bit.

    Parameters
    ----------
    fired : (2 n_hidden WORDS,) uint64
    lines : (n_hidden WORDS or more,) uint64
        Old hidden bits.
    near : (2 n_hidden WORDS,) uint64
        Gates' part corrected.
    """
    n_words = fired.shape[0] // 2
    for word in range(n_words):
        near[word] &= fired[n_words + word] ^ lines[word]


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
