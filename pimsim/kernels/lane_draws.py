"""Draws for decisions of 128 sequences side by side.

Draws and probabilities are those of `pimsim.kernels.decisions`, and so are the bits.  A draw gives
words to four columns.  Where many decisions of the four draw, and the probabilities of a column fit
a register, all four are decided for 128 sequences at once; other decisions are packed into a list,
and 32 of them draw at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pimsim.kernels import register_draws, registers
from pimsim.kernels.bits import count_bits
from pimsim.kernels.philox import MULTIPLIER_0, MULTIPLIER_1, WEYL_0, WEYL_1
from pimsim.kernels.register_draws import DRAWS, LOOKUP_SUMS
from pimsim.kernels.registers import LANES, WORDS

_LOW_HALF, _HALF_BITS = np.uint64(0xFFFFFFFF), np.uint64(32)
LANE_NUMBERS = np.arange(LANES, dtype=np.int16)
# columns of a draw
COLUMNS = 4
# with more marked decisions among its columns, a draw decides all that it gives words to
MANY = 64


class LaneScratch(NamedTuple):
    """Scratch memory for the draws of a block of sequences.

    Attributes
    ----------
    masks : (n_columns WORDS,) uint64
        Marks of the decisions whose bit a draw can change.
    columns : (n,) uint16
    lanes : (n,) int16
        Column and sequence of the decisions in the list.
    products, rests : (LANES,) uint64
        From `first_rounds`.
    """

    masks: NDArray[np.uint64]
    columns: NDArray[np.uint16]
    lanes: NDArray[np.int16]
    products: NDArray[np.uint64]
    rests: NDArray[np.uint64]


@njit(cache=True)
def new_scratch(n_columns):  # type: ignore[no-untyped-def]
    """Make a `LaneScratch`; whole registers are written beyond the last decision."""
    n = n_columns * LANES + LANES
    return LaneScratch(
        np.zeros(n_columns * WORDS, np.uint64),
        np.empty(n, np.uint16),
        np.empty(n, np.int16),
        np.empty(LANES, np.uint64),
        np.empty(LANES, np.uint64),
    )


@njit(cache=True)
def draw(  # type: ignore[no-untyped-def]
    columns, sums, reach, tables, counters, samples, streams, scratch, decided
):
    """Draw for the marked decisions, and correct their bits.

    Parameters
    ----------
    columns : (begin, end)
        Only decisions of these columns draw.
    sums : (n_columns LANES + 1 or more,) int16
    reach : (n_columns,) int64
        As in `decide`.
    tables : ProbabilityTables
        With a margin of half a lookup row at both ends of the table.
    counters : (chip, step)
        Counters 0 and 2.
    samples : (LANES,) uint32
        Counter 1 of each sequence.
    streams : Streams
    scratch : LaneScratch
        Its masks mark the decisions.
    decided : (n_columns WORDS,) uint64
        Bits without noise; corrected.
    """
    begin, end = columns
    listed, started = 0, False
    c0, c2 = np.uint64(counters[0]), np.uint64(counters[1])
    masks, bits = scratch.masks.view(np.uint32), decided.view(np.uint32)
    for block in range(begin // COLUMNS, (end + COLUMNS - 1) // COLUMNS):
        first, last = max(COLUMNS * block, begin), min(COLUMNS * block + COLUMNS, end)
        n_marked, widest = np.int64(0), np.int64(0)
        for word in range(first * WORDS, last * WORDS):
            n_marked += np.int64(count_bits(scratch.masks[word]))
        for column in range(first, last):
            widest = max(widest, reach[column])
        if n_marked <= MANY or 2 * widest >= LOOKUP_SUMS:
            if n_marked:
                for column in range(first, last):
                    listed = _list(column, scratch, listed)
            continue
        if not started:
            first_rounds(c0, samples, c2, streams.key, scratch.products, scratch.rests)
            started = True
        shared = _first_rounds_of_block(c0, c2, streams.tag | np.uint64(block), streams.key)
        for part in range(LANES // DRAWS):
            product = register_draws.load_draws(scratch.products, part * DRAWS)
            rest = register_draws.load_draws(scratch.rests, part * DRAWS)
            drawn = _last_rounds(product, rest, shared, streams.key)
            for i, word in enumerate(drawn):
                column = COLUMNS * block + i
                if first <= column < last:
                    zero_index = tables.zero_index[column]
                    lookup_row = register_draws.load_lookup_row(tables.table, zero_index)
                    value = register_draws.load_few(sums, column * LANES + part * DRAWS)
                    now = register_draws.below(
                        register_draws.low_words(word), register_draws.look_up(lookup_row, value)
                    )
                    index = column * (LANES // DRAWS) + part
                    bits[index] ^= (bits[index] ^ now) & masks[index]
    if listed:
        _draw_listed(listed, sums, tables, counters, samples, streams, scratch, decided)


@njit(cache=True)
def _list_packed(column, scratch, n):  # type: ignore[no-untyped-def]
    """Add the marked sequences of a column to the list; returns its new length."""
    registers.store_lanes(scratch.columns, n, registers.in_all(column))
    mask = registers.load_mask(scratch.masks, column * WORDS)
    return registers.append(registers.load_lanes(LANE_NUMBERS, 0), mask, scratch.lanes, n)


@njit(cache=True)
def _list_each(column, scratch, n):  # type: ignore[no-untyped-def]
    """Do the same where registers cannot be packed."""
    for word in range(WORDS):
        left = scratch.masks[column * WORDS + word]
        while left:
            scratch.columns[n] = column
            scratch.lanes[n] = 64 * word + np.int64(count_bits((left - np.uint64(1)) & ~left))
            left &= left - np.uint64(1)
            n += 1
    return n


_list = _list_packed if registers.wide else _list_each


@njit(cache=True)
def _draw_listed(n, sums, tables, counters, samples, streams, scratch, decided):  # type: ignore[no-untyped-def]
    """Draw for the n decisions in the list; a scalar loop handles only the bits that flip."""
    # the last draws may have nothing to decide: they are those of the first column and sequence
    registers.store_lanes(scratch.columns, n, registers.in_all(0))
    registers.store_lanes(scratch.lanes, n, registers.in_all(0))
    c0 = register_draws.in_draws(np.uint64(counters[0]))
    c2 = register_draws.in_draws(np.uint64(counters[1]))
    tag = register_draws.in_draws(streams.tag)
    for first in range(0, n, DRAWS):
        columns = register_draws.numbers_of(register_draws.load_few(scratch.columns, first))
        lanes = register_draws.numbers_of(register_draws.load_few(scratch.lanes, first))
        c1 = register_draws.draws_of(register_draws.gather(samples, lanes))
        c3 = register_draws.toggle(tag, register_draws.draws_of(register_draws.quarter(columns)))
        a, b, c, d = philox_rounds(c0, c1, c2, c3, streams.key[0], streams.key[1], 10)
        word = register_draws.pick_words(columns, a, b, c, d)
        index = register_draws.add(register_draws.times_lanes(columns), lanes)
        value = register_draws.gather_short(sums, index)
        zero_index = register_draws.gather(tables.zero_index, columns)
        entry = register_draws.add(zero_index, value)
        probability = register_draws.gather(tables.table, entry)
        flips = np.uint64(register_draws.below(word, probability) ^ register_draws.positive(value))
        if n - first < DRAWS:
            flips &= (np.uint64(1) << np.uint64(n - first)) - np.uint64(1)
        while flips:
            i = first + np.int64(count_bits((flips - np.uint64(1)) & ~flips))
            flips &= flips - np.uint64(1)
            lane = scratch.lanes[i]
            word_index = np.int64(scratch.columns[i]) * WORDS + (lane >> 6)
            decided[word_index] ^= np.uint64(1) << np.uint64(lane & 63)


@njit(cache=True, inline="always")
def philox_rounds(a, b, c, d, k0, k1, n):  # type: ignore[no-untyped-def]
    """Compute n rounds of Philox 4x32 on four `Draws`; k0, k1 is the key of the first of them.

    Words are the low halves of 64 bits; the high halves are never read.
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
    """Compute the part of the first three rounds that depends on the sequence.

    `products` and `rests` (LANES,) uint64 are overwritten: what `_last_rounds` takes.
    """
    p0, p1 = MULTIPLIER_0 * c0, MULTIPLIER_1 * c2
    high, low = p1 >> _HALF_BITS, p0 & _LOW_HALF
    k1 = (key[1] + WEYL_1) & _LOW_HALF
    for lane in range(LANES):
        second = MULTIPLIER_0 * (high ^ np.uint64(samples[lane]) ^ key[0])
        products[lane] = MULTIPLIER_1 * ((second >> _HALF_BITS) ^ low ^ k1)
        rests[lane] = second & _LOW_HALF


@njit(cache=True, inline="always")
def _first_rounds_of_block(c0, c2, c3, key):  # type: ignore[no-untyped-def]
    """Compute the part that depends on the block of columns: for a, c and d of the fourth round."""
    p0, p1 = MULTIPLIER_0 * c0, MULTIPLIER_1 * c2
    second = MULTIPLIER_1 * ((p0 >> _HALF_BITS) ^ c3 ^ key[1])
    k0 = (key[0] + WEYL_0) & _LOW_HALF
    third = MULTIPLIER_0 * ((second >> _HALF_BITS) ^ (p1 & _LOW_HALF) ^ k0)
    k0, k1 = (k0 + WEYL_0) & _LOW_HALF, (key[1] + WEYL_1 + WEYL_1) & _LOW_HALF
    return (second & _LOW_HALF) ^ k0, (third >> _HALF_BITS) ^ k1, third & _LOW_HALF


@njit(cache=True, inline="always")
def _last_rounds(product, rest, block, key):  # type: ignore[no-untyped-def]
    """Compute the other rounds, for 32 sequences and a block of columns."""
    a = register_draws.toggle(register_draws.high_half(product), register_draws.in_draws(block[0]))
    c = register_draws.toggle(rest, register_draws.in_draws(block[1]))
    d = register_draws.in_draws(block[2])
    k0 = (key[0] + np.uint64(3) * WEYL_0) & _LOW_HALF
    k1 = (key[1] + np.uint64(3) * WEYL_1) & _LOW_HALF
    return philox_rounds(a, product, c, d, k0, k1, 7)
