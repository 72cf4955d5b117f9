"""One-bit decisions: which of them a draw can change, and the draws.

A decision compares a Philox word with the probability of a 1 at its distance from the threshold
(`pimsim.streams.decision_table`), and draws only where that probability is neither 0 nor 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pimsim.kernels.philox import COUNTERS_AT_ONCE, philox_blocks
from pimsim.kernels.register_draws import LOOKUP_SUMS


class Streams(NamedTuple):
    """Counters that key the random words of a tile's reads.

    Attributes
    ----------
    key : (2,) uint64
        Key words.
    tag : uint64
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


class ProbabilityTables(NamedTuple):
    """Probability of a 1 by distance from the threshold, for the columns of a tile.

    Attributes
    ----------
    table : (n,) uint32
        Tables of the matrices, one after the other, in units of 2^-32.
    zero_index : (n_columns,) int32
        Entry of a column's distance 0.
    reach : (n_columns,) int32
        Largest distance at which a draw can change a column's bit; -1 for none.
    """

    table: NDArray[np.uint32]
    zero_index: NDArray[np.int32]
    reach: NDArray[np.int32]


def join_tables(
    tables: Sequence[NDArray[np.uint64]],
    widths: Sequence[int],
    steps: Sequence[int] | None = None,
) -> ProbabilityTables:
    """Join the decision tables of the matrices of a tile.

    Parameters
    ----------
    tables : (2 reach + 1,) uint64 each
        From `pimsim.streams.decision_table`, one for each matrix.
    widths
        Columns of each matrix.
    steps
        Quanta to a unit of sums, for each matrix: only multiples of it are kept.  None for 1.
    """
    reaches = [len(table) // 2 for table in tables]
    if steps is not None:
        tables = [t[n % step :: step] for t, n, step in zip(tables, reaches, steps, strict=True)]
        reaches = [len(table) // 2 for table in tables]
    # where a table is 0 or 1 throughout, no draw can change a bit
    reach = [n if table[n] else -1 for table, n in zip(tables, reaches, strict=True)]
    # kernels load whole rows of entries around each sum
    margin = np.zeros(LOOKUP_SUMS // 2, np.uint64)
    first = len(margin) + np.cumsum([0] + [len(table) for table in tables[:-1]])
    return ProbabilityTables(
        table=np.concatenate([margin, *tables, margin]).astype(np.uint32),
        zero_index=np.repeat(first + reaches, widths).astype(np.int32),
        reach=np.repeat(reach, widths).astype(np.int32),
    )


@njit(cache=True)
def new_mask(n):  # type: ignore[no-untyped-def]
    """Make a mask of n bytes, rounded up to whole words, and a view of it as 64-bit words."""
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
        Numbers of the marked items, overwritten.

    Returns
    -------
    int
        Number of marked items.
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


class Scratch(NamedTuple):
    """Scratch memory for the decisions of a tile.

    Attributes
    ----------
    low, high : (n_columns,) of the sums' type
        Least and largest distance at which a draw can change a bit.
    mask, words
        From `new_mask`: columns whose bit a draw can change.
    columns : (n,) int64
        Numbers of these columns.
    tags : (n,) uint64
        Counter 3 of their draws.
    drawn : (4, n) uint64
        Random words.
    """

    low: NDArray[np.int16]
    high: NDArray[np.int16]
    mask: NDArray[np.uint8]
    words: NDArray[np.uint64]
    columns: NDArray[np.int64]
    tags: NDArray[np.uint64]
    drawn: NDArray[np.uint64]


@njit(cache=True)
def new_scratch(tables, sums):  # type: ignore[no-untyped-def]
    """Make a `Scratch` for sums; bounds of their type let twice as many 16-bit sums be compared."""
    low, high = np.empty_like(sums), np.empty_like(sums)
    largest = (1 << (8 * sums.itemsize - 1)) - 1
    for column in range(sums.shape[0]):
        high[column] = min(tables.reach[column], largest)
        low[column] = -high[column]
    mask, words = new_mask(low.shape[0])
    n = (mask.shape[0] // COUNTERS_AT_ONCE + 1) * COUNTERS_AT_ONCE
    columns, tags = np.empty(n, np.int64), np.empty(n, np.uint64)
    return Scratch(low, high, mask, words, columns, tags, np.empty((4, n), np.uint64))


@njit(cache=True)
def decide(distances, high, low, mask, bits):  # type: ignore[no-untyped-def]
    """Decide without noise, and mark the decisions that a draw can change.

    Parameters
    ----------
    distances : (n_columns,) int16 or int32
        Differential current less offset [quanta].
    high, low : (n_columns,) of the same type
        Bounds of the distances at which a draw can change a bit.
    mask : (n,) uint8
        1 at columns within these bounds, overwritten.
    bits : (n_columns,) uint8
        Overwritten.
    """
    for column in range(distances.shape[0]):
        bits[column] = distances[column] > 0
    for column in range(distances.shape[0]):
        mask[column] = (distances[column] <= high[column]) & (distances[column] >= low[column])


@njit(cache=True)
def draw(distances, tables, counters, streams, scratch, bits):  # type: ignore[no-untyped-def]
    """Draw for the masked decisions: 1 where distance + noise > 0.

    Parameters
    ----------
    distances : (n_columns,) int16 or int32
    tables : ProbabilityTables
    counters : (chip, sample, step)
        Counters 0 to 2 of the draw.
    streams : Streams
    scratch : Scratch
        Its mask marks the decisions.
    bits : (n_columns,) uint8
        Overwritten for the masked columns.
    """
    n = list_marked(scratch.mask, scratch.words, scratch.columns)
    if n == 0:
        return
    whole = (n + COUNTERS_AT_ONCE - 1) // COUNTERS_AT_ONCE * COUNTERS_AT_ONCE
    scratch.columns[n:whole] = 0
    # the tag holds purpose and layer in its top 12 bits, and takes the block of four columns
    for i in range(whole):
        scratch.tags[i] = streams.tag | np.uint64(scratch.columns[i] >> 2)
    philox_blocks(
        np.uint64(counters[0]),
        np.uint64(counters[1]),
        np.uint64(counters[2]),
        scratch.tags[:whole],
        streams.key[0],
        streams.key[1],
        scratch.drawn,
    )
    for marked in range(n):
        index, column = np.uint64(marked), np.uint64(scratch.columns[marked])
        word = scratch.drawn[column & np.uint64(3), index]
        entry = np.uint64(tables.zero_index[column] + distances[column])
        bits[column] = word < tables.table[entry]
