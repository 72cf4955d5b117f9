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
def philox_blocks(c0, c1, c2, tag, k0, k1, words):  # type: ignore[no-untyped-def]
    """Words of the counters (c0, c1, c2, tag + block) for all blocks, round by round.

    Round by round is vector by vector for the compiler; `philox` block by block is not.

    Parameters
    ----------
    c0, c1, c2, tag, k0, k1 : uint64
        32-bit words.
    words : (4, n_blocks) uint64
        Overwritten: word i of each block.
    """
    a, b, c, d = words[0], words[1], words[2], words[3]
    for block in range(words.shape[1]):
        a[block], b[block], c[block], d[block] = c0, c1, c2, tag | np.uint64(block)
    for _ in range(10):
        for block in range(words.shape[1]):
            p0 = MULTIPLIER_0 * (a[block] & _MASK)
            p1 = MULTIPLIER_1 * (c[block] & _MASK)
            a[block] = (p1 >> _SHIFT) ^ b[block] ^ k0
            b[block] = p1 & _MASK
            c[block] = (p0 >> _SHIFT) ^ d[block] ^ k1
            d[block] = p0 & _MASK
        k0 = (k0 + WEYL_0) & _MASK
        k1 = (k1 + WEYL_1) & _MASK


@njit(cache=True)
def philox_plane(c0: int, tag: int, k0: int, k1: int, out: NDArray[np.uint32]) -> None:
    """Fill `out` (n_sides, n_rows, n_columns) uint32 with the words of (c0, row, side, column)."""
    n_sides, n_rows, n_columns = out.shape
    for side in range(n_sides):
        for row in range(n_rows):
            for block in range((n_columns + 3) // 4):
                words = philox(
                    np.uint64(c0),
                    np.uint64(row),
                    np.uint64(side),
                    np.uint64(tag) | np.uint64(block),
                    np.uint64(k0),
                    np.uint64(k1),
                )
                for lane in range(min(4, n_columns - 4 * block)):
                    out[side, row, 4 * block + lane] = np.uint32(words[lane])
