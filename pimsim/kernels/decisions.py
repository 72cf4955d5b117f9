"""Decisions: which a draw can change, the draws, and the multiplexer of a GRU.

A decision compares a Philox word with the chance of a 1 at its distance from the threshold
(`pimsim.streams.decision_table`), and draws only where that chance is neither 0 nor 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pimsim.kernels.philox import AT_ONCE, philox_blocks


class Streams(NamedTuple):
    """Counters of the decisions' random words.

    Attributes
    ----------
    key : (2,) uint64
        Key words.
    tag : int
        Purpose and layer, top bits of counter 3.
    chips : (n_chips,) int64
        Index of each chip in the run.
    samples : (n_sequences,) int64
        Index of each sequence in its data set.
    """

    key: NDArray[np.uint64]
    tag: np.uint64
    chips: NDArray[np.int64]
    samples: NDArray[np.int64]


class Chances(NamedTuple):
    """Decision tables of a tile's columns, one after the other.

    Attributes
    ----------
    table : (n,) uint32
        Chance of a 1 in units of 2^-32.
    middle : (n_columns,) int32
        Where in the table a column's distance of 0 stands.
    limit : (n_columns,) int32
        Largest distance that a column's table holds; beyond it a bit is certain.
    """

    table: NDArray[np.uint32]
    middle: NDArray[np.int32]
    limit: NDArray[np.int32]


@njit(cache=True)
def new_mask(n):  # type: ignore[no-untyped-def]
    """A byte per item, n rounded up to whole words, and the same memory as 64-bit words."""
    mask = np.zeros((n + 7) // 8 * 8, np.uint8)
    return mask, mask.view(np.uint64)


@njit(cache=True)
def list_marked(mask, words, items):  # type: ignore[no-untyped-def]
    """List the items whose mask byte is 1; most are 0, and whole words of 0 are skipped.

    Parameters
    ----------
    mask : (n,) uint8, words : (n / 8,) uint64
        From `new_mask`: one memory, seen twice.
    items : (n + 1,) int64
        Their numbers, overwritten.

    Returns
    -------
    int
        How many.
    """
    # unsigned, so that nothing asks whether an index counts from the end
    n_items = np.uint64(0)
    for word in range(words.shape[0]):
        if words[word]:
            for i in range(8):
                item = np.uint64(8 * word + i)
                items[n_items] = item
                n_items += np.uint64(mask[item])
    return np.int64(n_items)


class Room(NamedTuple):
    """Room for the decisions of a tile.

    Attributes
    ----------
    low, high : (n_columns,) of the sums' type
        Least and largest distance at which a draw can change a bit.
    mask, words
        From `new_mask`: columns whose bit a draw can change.
    near : (n,) int64
        Their numbers.
    tags : (n,) uint64
        Counters 3 of their draws.
    drawn : (4, n) uint64
        Words that were drawn.
    """

    low: NDArray[np.int16]
    high: NDArray[np.int16]
    mask: NDArray[np.uint8]
    words: NDArray[np.uint64]
    near: NDArray[np.int64]
    tags: NDArray[np.uint64]
    drawn: NDArray[np.uint64]


@njit(cache=True)
def room_for(chances, sums):  # type: ignore[no-untyped-def]
    """A `Room` for such sums; bounds as wide as they are compare twice as many at once."""
    low, high = np.empty_like(sums), np.empty_like(sums)
    largest = (1 << (8 * sums.itemsize - 1)) - 1
    for column in range(sums.shape[0]):
        high[column] = min(chances.limit[column], largest)
        low[column] = -high[column]
    mask, words = new_mask(low.shape[0])
    n = (mask.shape[0] // AT_ONCE + 1) * AT_ONCE
    near, tags = np.empty(n, np.int64), np.empty(n, np.uint64)
    return Room(low, high, mask, words, near, tags, np.empty((4, n), np.uint64))


@njit(cache=True)
def find_near(distances, high, low, mask, bits):  # type: ignore[no-untyped-def]
    """Decisions without noise, and a mask byte of 1 where a draw can change them.

    Parameters
    ----------
    distances : (n_columns,) int16 or int32
        Differential current less offset [quanta].
    high, low : (n_columns,) of the same type
        Bounds of the distances at which one can.
    mask : (n,) uint8
    bits : (n_columns,) uint8
        Overwritten.
    """
    for column in range(distances.shape[0]):
        bits[column] = distances[column] > 0
    for column in range(distances.shape[0]):
        mask[column] = (distances[column] <= high[column]) & (distances[column] >= low[column])


@njit(cache=True)
def leave_out(bits, hidden, mask):  # type: ignore[no-untyped-def]
    """Take from the mask of a GRU's decisions those that no hidden bit can show.

    A candidate counts only where the gate may be 0, a gate only where the candidate may differ
    from the old hidden bit.
    """
    n_hidden = hidden.shape[0]
    gate, candidate = bits[:n_hidden], bits[n_hidden:]
    gate_near, candidate_near = mask[:n_hidden], mask[n_hidden : 2 * n_hidden]
    for unit in range(n_hidden):
        candidate_near[unit] &= (gate[unit] ^ 1) | gate_near[unit]
        gate_near[unit] &= (candidate[unit] ^ hidden[unit]) | candidate_near[unit]


@njit(cache=True)
def multiplex(bits, lines, hidden):  # type: ignore[no-untyped-def]
    """New hidden bits, on the lines and in `hidden`: a gate bit of 1 keeps the old one.

    Returns the register bits that flip.
    """
    n_hidden = hidden.shape[0]
    gate, candidate, old = bits[:n_hidden], bits[n_hidden:], lines[:n_hidden]
    for unit in range(n_hidden):
        hidden[unit] = candidate[unit] ^ ((candidate[unit] ^ old[unit]) & gate[unit])
    flipped = 0
    for unit in range(n_hidden):
        flipped += hidden[unit] ^ old[unit]
    for unit in range(n_hidden):
        old[unit] = hidden[unit]
    return flipped


@njit(cache=True)
def draw(distances, chances, where, streams, room, bits):  # type: ignore[no-untyped-def]
    """Draw for the masked decisions: 1 where distance + noise > 0.

    Parameters
    ----------
    where : (chip, sample, step)
        Counters of the draw.
    streams : Streams
    room : Room
        Its mask says which.
    bits : (n_columns,) uint8
        Overwritten for those.
    """
    n = list_marked(room.mask, room.words, room.near)
    if n == 0:
        return
    whole = (n + AT_ONCE - 1) // AT_ONCE * AT_ONCE
    room.near[n:whole] = 0
    # the tag holds purpose and layer in its top 12 bits, and takes the block of four columns
    for near in range(whole):
        room.tags[near] = streams.tag | np.uint64(room.near[near] >> 2)
    philox_blocks(
        np.uint64(where[0]),
        np.uint64(where[1]),
        np.uint64(where[2]),
        room.tags[:whole],
        streams.key[0],
        streams.key[1],
        room.drawn,
    )
    for near in range(n):
        i, column = np.uint64(near), np.uint64(room.near[near])
        word = room.drawn[column & np.uint64(3), i]
        bits[column] = word < chances.table[np.uint64(chances.middle[column] + distances[column])]
