"""Philox 4x32-10: random words as a pure function of a key and a counter.

Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_MASK = np.uint64(0xFFFFFFFF)
_HALF_BITS = np.uint64(32)
MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint64(0x9E3779B9)
WEYL_1 = np.uint64(0xBB67AE85)

# `philox_blocks` is vectors for whole multiples of so many counters
COUNTERS_AT_ONCE = 8


@njit(cache=True)
def philox(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Four 32-bit words of counter (c0..c3) under key (k0, k1), all held in uint64."""
    for _ in range(10):
        p0 = MULTIPLIER_0 * c0
        p1 = MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (
            (p1 >> _HALF_BITS) ^ c1 ^ k0,
            p1 & _MASK,
            (p0 >> _HALF_BITS) ^ c3 ^ k1,
            p0 & _MASK,
        )
        k0 = (k0 + WEYL_0) & _MASK
        k1 = (k1 + WEYL_1) & _MASK
    return c0, c1, c2, c3


@njit(cache=True)
def philox_blocks(c0, c1, c2, tags, k0, k1, words):  # type: ignore[no-untyped-def]
    """Words of the counters (c0, c1, c2, tag) for many tags.

    What the first three rounds make of c0, c1 and c2 is the same for all tags. The other seven
    are a short loop that the compiler unrolls, so that the loop of tags becomes vectors.

    Parameters
    ----------
    c0, c1, c2, k0, k1 : uint64
        32-bit words.
    tags : (n,) uint64
        Counter 3 of each.
    words : (4, n or more) uint64
        Overwritten: the four words of each.
    """
    p0, p1 = MULTIPLIER_0 * c0, MULTIPLIER_1 * c2
    high, low = p0 >> _HALF_BITS, p1 & _MASK
    k2, k3 = (k0 + WEYL_0) & _MASK, (k1 + WEYL_1) & _MASK
    k4, k5 = (k2 + WEYL_0) & _MASK, (k3 + WEYL_1) & _MASK
    second = MULTIPLIER_0 * ((p1 >> _HALF_BITS) ^ c1 ^ k0)
    third = MULTIPLIER_1 * ((second >> _HALF_BITS) ^ (p0 & _MASK) ^ k3)
    for i in range(tags.shape[0]):
        p1 = MULTIPLIER_1 * (high ^ tags[i] ^ k1)
        p0 = MULTIPLIER_0 * ((p1 >> _HALF_BITS) ^ low ^ k2)
        a, b = (third >> _HALF_BITS) ^ (p1 & _MASK) ^ k4, third & _MASK
        c, d = (p0 >> _HALF_BITS) ^ (second & _MASK) ^ k5, p0 & _MASK
        key_0, key_1 = k4, k5
        for _ in range(7):
            key_0, key_1 = (key_0 + WEYL_0) & _MASK, (key_1 + WEYL_1) & _MASK
            p0, p1 = MULTIPLIER_0 * (a & _MASK), MULTIPLIER_1 * (c & _MASK)
            a, b = (p1 >> _HALF_BITS) ^ b ^ key_0, p1 & _MASK
            c, d = (p0 >> _HALF_BITS) ^ d ^ key_1, p0 & _MASK
        words[0, i], words[1, i], words[2, i], words[3, i] = a, b, c, d


@njit(cache=True, nogil=True)  # chips are drawn side by side
def philox_plane(c0: int, tag: int, k0: int, k1: int, out: NDArray[np.uint32]) -> None:
    """Fill `out` (n_sides, n_rows, n_columns) uint32 with the words of (c0, row, side, column)."""
    n_sides, n_rows, n_columns = out.shape
    tags = np.empty((n_columns + 3) // 4, np.uint64)
    for block in range(tags.shape[0]):
        tags[block] = np.uint64(tag) | np.uint64(block)
    words = np.empty((4, tags.shape[0]), np.uint64)
    key_0, key_1 = np.uint64(k0), np.uint64(k1)
    for side in range(n_sides):
        for row in range(n_rows):
            philox_blocks(np.uint64(c0), np.uint64(row), np.uint64(side), tags, key_0, key_1, words)
            for column in range(n_columns):
                out[side, row, column] = np.uint32(words[column & 3, column >> 2])
