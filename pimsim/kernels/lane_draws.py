"""Draws for decisions of 128 sequences side by side.

Draws and chances are those of `pimsim.kernels.decisions`, and so the bits.  A draw gives words to
four columns.  Where many of those decisions draw and a column's chances fit a register, all four
are decided for 128 sequences at once; the others are packed into a list, and 32 of them draw at
once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pimsim.kernels import register_draws, registers
from pimsim.kernels.philox import MULTIPLIER_0, MULTIPLIER_1, WEYL_0, WEYL_1
from pimsim.kernels.register_draws import DRAWS, RUNGS
from pimsim.kernels.registers import LANES, WORDS
from pimsim.kernels.bits import count_bits

_LOW_HALF, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
LANE_NUMBERS = np.arange(LANES, dtype=np.int16)
# columns of a draw
COLUMNS = 4
# with more decisions of its columns near their thresholds, all that a draw can give are decided
MANY = 64


class Near(NamedTuple):
    """Decisions whose bit a draw can change, and room to draw.

    Attributes
    ----------
    masks : (n_columns WORDS,) uint64
        Which sequences of each column.
    columns : (n,) uint16
    lanes : (n,) int16
        Those in the list: column and sequence.
    products, rests : (LANES,) uint64
        From `first_rounds`.
    """

    masks: NDArray[np.uint64]
    columns: NDArray[np.uint16]
    lanes: NDArray[np.int16]
    products: NDArray[np.uint64]
    rests: NDArray[np.uint64]


@njit(cache=True)
def room_for(n_columns):  # type: ignore[no-untyped-def]
    """A `Near` for all decisions of a block; whole registers are written beyond the last one."""
    n = n_columns * LANES + LANES
    return Near(
        np.zeros(n_columns * WORDS, np.uint64),
        np.empty(n, np.uint16),
        np.empty(n, np.int16),
        np.empty(LANES, np.uint64),
        np.empty(LANES, np.uint64),
    )


@njit(cache=True)
def draw(columns, sums, limits, chances, where, samples, streams, near, fired):  # type: ignore[no-untyped-def]
    """Draw for the decisions near their thresholds, and correct their bits.

    Parameters
    ----------
    columns : (begin, end)
        Of these alone.
    sums : (n_columns LANES + 1 or more,) int16
    limits : (n_columns,) int64
        As in `decide`.
    chances : Chances
        Room for half a ladder at both ends of the table.
    where : (chip, step)
        Counters 0 and 2.
    samples : (LANES,) uint32
        Counter 1 of each sequence.
    streams : Streams
    near : Near
        Its masks say which.
    fired : (n_columns WORDS,) uint64
        Bits as they are without noise; corrected.
    """
    begin, end = columns
    listed, started = 0, False
    c0, c2 = np.uint64(where[0]), np.uint64(where[1])
    masks, bits = near.masks.view(np.uint32), fired.view(np.uint32)
    for block in range(begin // COLUMNS, (end + COLUMNS - 1) // COLUMNS):
        first, last = max(COLUMNS * block, begin), min(COLUMNS * block + COLUMNS, end)
        n_near, reach = np.int64(0), np.int64(0)
        for word in range(first * WORDS, last * WORDS):
            n_near += np.int64(count_bits(near.masks[word]))
        for column in range(first, last):
            reach = max(reach, limits[column])
        if n_near <= MANY or 2 * reach >= RUNGS:
            if n_near:
                for column in range(first, last):
                    listed = _note(column, near, listed)
            continue
        if not started:
            first_rounds(c0, samples, c2, streams.key, near.products, near.rests)
            started = True
        shared = _first_rounds_of_block(c0, c2, streams.tag | np.uint64(block), streams.key)
        for part in range(LANES // DRAWS):
            product = register_draws.load_draws(near.products, part * DRAWS)
            rest = register_draws.load_draws(near.rests, part * DRAWS)
            drawn = _last_rounds(product, rest, shared, streams.key)
            for i, word in enumerate(drawn):
                column = COLUMNS * block + i
                if first <= column < last:
                    ladder = register_draws.load_ladder(chances.table, chances.middle[column])
                    value = register_draws.load_few(sums, column * LANES + part * DRAWS)
                    now = register_draws.below(
                        register_draws.low_words(word), register_draws.look_up(ladder, value)
                    )
                    place = column * (LANES // DRAWS) + part
                    bits[place] ^= (bits[place] ^ now) & masks[place]
    if listed:
        _draw_listed(listed, sums, chances, where, samples, streams, near, fired)


@njit(cache=True)
def _note_packed(column, near, n):  # type: ignore[no-untyped-def]
    """Add the masked sequences of a column to the list; returns how many are in it now."""
    registers.store_lanes(near.columns, n, registers.in_all(column))
    mask = registers.load_mask(near.masks, column * WORDS)
    return registers.append(registers.load_lanes(LANE_NUMBERS, 0), mask, near.lanes, n)


@njit(cache=True)
def _note_each(column, near, n):  # type: ignore[no-untyped-def]
    """The same where registers cannot be packed."""
    for word in range(WORDS):
        left = near.masks[column * WORDS + word]
        while left:
            near.columns[n] = column
            near.lanes[n] = 64 * word + np.int64(count_bits((left - np.uint64(1)) & ~left))
            left &= left - np.uint64(1)
            n += 1
    return n


_note = _note_packed if registers.wide else _note_each


@njit(cache=True)
def _draw_listed(n, sums, chances, where, samples, streams, near, fired):  # type: ignore[no-untyped-def]
    """Draw for the decisions in the list; only bits that flip are gone through one by one."""
    # the last draws may have nothing to decide: they are those of the first column and sequence
    registers.store_lanes(near.columns, n, registers.in_all(0))
    registers.store_lanes(near.lanes, n, registers.in_all(0))
    c0 = register_draws.in_draws(np.uint64(where[0]))
    c2 = register_draws.in_draws(np.uint64(where[1]))
    tag = register_draws.in_draws(streams.tag)
    for first in range(0, n, DRAWS):
        columns = register_draws.numbers_of(register_draws.load_few(near.columns, first))
        lanes = register_draws.numbers_of(register_draws.load_few(near.lanes, first))
        c1 = register_draws.draws_of(register_draws.gather(samples, lanes))
        c3 = register_draws.toggle(tag, register_draws.draws_of(register_draws.quarter(columns)))
        a, b, c, d = philox_rounds(c0, c1, c2, c3, streams.key[0], streams.key[1], 10)
        word = register_draws.pick_words(columns, a, b, c, d)
        place = register_draws.add(register_draws.times_lanes(columns), lanes)
        value = register_draws.gather_short(sums, place)
        middle = register_draws.gather(chances.middle, columns)
        chance = register_draws.gather(chances.table, register_draws.add(middle, value))
        flips = np.uint64(register_draws.below(word, chance) ^ register_draws.positive(value))
        if n - first < DRAWS:
            flips &= (np.uint64(1) << np.uint64(n - first)) - np.uint64(1)
        while flips:
            i = first + np.int64(count_bits((flips - np.uint64(1)) & ~flips))
            flips &= flips - np.uint64(1)
            lane = near.lanes[i]
            place_of = np.int64(near.columns[i]) * WORDS + (lane >> 6)
            fired[place_of] ^= np.uint64(1) << np.uint64(lane & 63)


@njit(cache=True, inline="always")
def philox_rounds(a, b, c, d, k0, k1, n):  # type: ignore[no-untyped-def]
    """So many rounds of Philox 4x32 on four `Draws`, from the round that key k0, k1 is of.

    Words are the low halves of 64 bits; what stands above them is never read.
    """
    for _ in range(n):
        p0 = register_draws.multiply(register_draws.in_draws(MULTIPLIER_0), a)
        p1 = register_draws.multiply(register_draws.in_draws(MULTIPLIER_1), c)
        with_b = register_draws.toggle(b, register_draws.in_draws(k0))
        with_d = register_draws.toggle(d, register_draws.in_draws(k1))
        a, b = register_draws.toggle(register_draws.high_half(p1), with_b), p1
        c, d = register_draws.toggle(register_draws.high_half(p0), with_d), p0
        k0 = (k0 + WEYL_0) & _LOW_HALF
        k1 = (k1 + WEYL_1) & _LOW_HALF
    return a, b, c, d


# Of a step's counters (c0, c1, c2, c3) only c1 differs between sequences, only c3 between blocks
# of four columns.  Up to the products of the third round each number depends on one of the two.


@njit(cache=True)
def first_rounds(c0, samples, c2, key, products, rests):  # type: ignore[no-untyped-def]
    """What the first three rounds make of every sequence: products and rests (LANES,) uint64."""
    p0, p1 = MULTIPLIER_0 * c0, MULTIPLIER_1 * c2
    high, low = p1 >> _HALF, p0 & _LOW_HALF
    k1 = (key[1] + WEYL_1) & _LOW_HALF
    for lane in range(LANES):
        second = MULTIPLIER_0 * (high ^ np.uint64(samples[lane]) ^ key[0])
        products[lane] = MULTIPLIER_1 * ((second >> _HALF) ^ low ^ k1)
        rests[lane] = second & _LOW_HALF


@njit(cache=True, inline="always")
def _first_rounds_of_block(c0, c2, c3, key):  # type: ignore[no-untyped-def]
    """What they make of a block of columns: what a, c and d of the fourth round take."""
    p0, p1 = MULTIPLIER_0 * c0, MULTIPLIER_1 * c2
    second = MULTIPLIER_1 * ((p0 >> _HALF) ^ c3 ^ key[1])
    k0 = (key[0] + WEYL_0) & _LOW_HALF
    third = MULTIPLIER_0 * ((second >> _HALF) ^ (p1 & _LOW_HALF) ^ k0)
    k0, k1 = (k0 + WEYL_0) & _LOW_HALF, (key[1] + WEYL_1 + WEYL_1) & _LOW_HALF
    return (second & _LOW_HALF) ^ k0, (third >> _HALF) ^ k1, third & _LOW_HALF


@njit(cache=True, inline="always")
def _last_rounds(product, rest, block, key):  # type: ignore[no-untyped-def]
    """The other rounds, of 32 sequences and a block of columns."""
    a = register_draws.toggle(register_draws.high_half(product), register_draws.in_draws(block[0]))
    c = register_draws.toggle(rest, register_draws.in_draws(block[1]))
    d = register_draws.in_draws(block[2])
    k0 = (key[0] + np.uint64(3) * WEYL_0) & _LOW_HALF
    k1 = (key[1] + np.uint64(3) * WEYL_1) & _LOW_HALF
    return philox_rounds(a, product, c, d, k0, k1, 7)
