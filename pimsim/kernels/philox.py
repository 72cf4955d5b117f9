"""Philox 4x32-10: random words as a pure function of a key and a counter.

Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint64(0x9E3779B9)
WEYL_1 = np.uint64(0xBB67AE85)

# counters that `philox_blocks` takes at once
AT_ONCE = 16


@njit(cache=True)
def philox(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Four 32-bit words of counter (c0..c3) under key (k0, k1), all held in uint64."""
    for _ in range(10):
        p0 = MULTIPLIER_0 * c0
        p1 = MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _MASK, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _MASK
        k0 = (k0 + WEYL_0) & _MASK
        k1 = (k1 + WEYL_1) & _MASK
    return c0, c1, c2, c3


@njit(cache=True)
def philox_blocks(c0, c1, c2, tags, k0, k1, words):  # type: ignore[no-untyped-def]
    """Words of the counters (c0, c1, c2, tag) for many tags, 16 at a time and round by round.

    A loop of a fixed length is vectors for the compiler; `philox` counter by counter is not.

    Parameters
    ----------
    c0, c1, c2, k0, k1 : uint64
        32-bit words.
    tags : (n,) uint64
        Counter 3 of each; n is a multiple of 16.
    words : (n / 16, 4, 16) uint64
        Overwritten: word i of each.
    """
    for group in range(words.shape[0]):
        a, b, c, d = words[group, 0], words[group, 1], words[group, 2], words[group, 3]
        for i in range(AT_ONCE):
            a[i], b[i], c[i], d[i] = c0, c1, c2, tags[AT_ONCE * group + i]
        key_0, key_1 = k0, k1
        for _ in range(10):
            for i in range(AT_ONCE):
                p0 = MULTIPLIER_0 * (a[i] & _MASK)
                p1 = MULTIPLIER_1 * (c[i] & _MASK)
                a[i] = (p1 >> _SHIFT) ^ b[i] ^ key_0
                b[i] = p1 & _MASK
                c[i] = (p0 >> _SHIFT) ^ d[i] ^ key_1
                d[i] = p0 & _MASK
            key_0 = (key_0 + WEYL_0) & _MASK
            key_1 = (key_1 + WEYL_1) & _MASK


@njit(cache=True)
def philox_plane(c0: int, tag: int, k0: int, k1: int, out: NDArray[np.uint32]) -> None:
    """Fill `out` (n_sides, n_rows, n_columns) uint32 with the words of (c0, row, side, column)."""
    n_sides, n_rows, n_columns = out.shape
    n_groups = ((n_columns + 3) // 4 + AT_ONCE - 1) // AT_ONCE
    tags = np.empty(n_groups * AT_ONCE, np.uint64)
    for block in range(tags.shape[0]):
        tags[block] = np.uint64(tag) | np.uint64(block)
    words = np.empty((n_groups, 4, AT_ONCE), np.uint64)
    key_0, key_1 = np.uint64(k0), np.uint64(k1)
    for side in range(n_sides):
        for row in range(n_rows):
            philox_blocks(np.uint64(c0), np.uint64(row), np.uint64(side), tags, key_0, key_1, words)
            for column in range(n_columns):
                block = column >> 2
                out[side, row, column] = np.uint32(words[block >> 4, column & 3, block & 15])
