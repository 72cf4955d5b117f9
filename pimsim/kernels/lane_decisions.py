"""One-bit decisions of 128 sequences side by side, before draws.

A decision is a comparison that gives one bit for each sequence.  `pimsim.kernels.lane_draws`
corrects those that a draw can change.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pimsim.kernels import registers
from pimsim.kernels.registers import LANES, WORDS

LARGEST_SUM = 2**15 - 1


@njit(cache=True)
def reach_of(tables):  # type: ignore[no-untyped-def]
    """Reach of each column (n_columns,) int64, within 16 bits; -1 for none."""
    reach = np.empty(tables.reach.shape[0], np.int64)
    for column in range(reach.shape[0]):
        reach[column] = min(tables.reach[column], LARGEST_SUM)
    return reach


@njit(cache=True, inline="always")
def within(value, limit):  # type: ignore[no-untyped-def]
    """Lanes whose value is at most `limit`, of either sign; no lanes for a limit of -1."""
    above = registers.greater(value, registers.in_all(limit))
    below = registers.greater(registers.in_all(-limit), value)
    return registers.invert(registers.either(above, below))


@njit(cache=True)
def decide(sums, reach, valid, masks, decided):  # type: ignore[no-untyped-def]
    """Decide without noise, and mark the decisions that a draw can change.

    Parameters
    ----------
    sums : (n_columns LANES,) int16
    reach : (n_columns,) int64
        From `reach_of`.  Its length is the true number of columns; tables are padded to four.
    valid : (WORDS,) uint64
        Mask of sequences that exist.
    masks : (n_columns WORDS,) uint64
        Marks, overwritten.
    decided : (n_columns WORDS,) uint64
        Overwritten.
    """
    exist = registers.load_mask(valid, 0)
    for column in range(reach.shape[0]):
        value = registers.load_lanes(sums, column * LANES)
        bits = registers.greater(value, registers.in_all(0))
        registers.store_mask(decided, column * WORDS, bits)
        mask = registers.both(exist, within(value, reach[column]))
        registers.store_mask(masks, column * WORDS, mask)
