"""Random numbers that belong to the work item, not to the thread.

Every draw is Philox 4x32-10 of a key and a counter:

=========  ==================================================================
key        the run's seed, 64 bits
counter 0  index of the chip
counter 1  sequence (dynamic noise) or row (programming)
counter 2  time step or patch (dynamic noise), side of the pair (programming)
counter 3  purpose (4 bits), layer (8 bits), column // 4 (20 bits)
=========  ==================================================================

and the column's low two bits pick one of the four words. No draw shares a
counter with another, so order, batches and threads cannot matter.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pimsim.kernels.normals import normals_of
from pimsim.kernels.philox import philox_plane

MAX_COLUMNS = 1 << 22
WORDS = 2.0**32
# normals are rounded to this grid: far below any use of them, far above the last
# bits in which two machines' libraries may differ
_NORMAL_GRID = 2.0**-24


class Purpose(IntEnum):
    """What a stream is for; never renumber: results of old seeds would change."""

    CELL = 1
    OFFSET = 2
    DECISION = 3
    CONVERSION = 4
    CONVERTER = 5
    TRAP = 6
    TRAP_STATE = 7


def tag(purpose: Purpose, layer: int) -> int:
    """Top bits of counter 3."""
    return (int(purpose) << 28) | (layer << 20)


def key_words(seed: int) -> tuple[int, int]:
    """The two 32-bit key words of a 64-bit seed."""
    return seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF


def normals(
    seed: int, purpose: Purpose, chip: int, layer: int, shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    """Standard normal numbers of one chip's layer, shape (n_sides, n_rows, n_columns).

    Notes
    -----
    The inverse of the normal distribution at the middle of the word's interval:
    exact to 32 bits, so no value lies beyond 6.3 standard deviations.
    """
    words, drawn = _words(seed, purpose, chip, layer, shape), np.empty(shape)
    normals_of(words.reshape(-1), _NORMAL_GRID, drawn.reshape(-1))
    return drawn


def uniforms(
    seed: int, purpose: Purpose, chip: int, layer: int, shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    """Numbers evenly between 0 and 1, ends excluded, as `normals` draws them."""
    return np.asarray((_words(seed, purpose, chip, layer, shape) + 0.5) / WORDS)


def _words(
    seed: int, purpose: Purpose, chip: int, layer: int, shape: tuple[int, int, int]
) -> NDArray[np.uint32]:
    words = np.empty(shape, np.uint32)
    philox_plane(chip, tag(purpose, layer), *key_words(seed), words)
    return words


def decision_table(sigma: float, widest: int) -> NDArray[np.uint64]:
    """Chance of a 1 for every integer distance from the threshold, in units of 2^-32.

    Entry `limit + u` is round(2^32 Phi(u / sigma)) for u in -limit..limit; a
    decision is 1 where its 32-bit word is smaller.  Beyond the limit the entry
    would be exactly 0 or 2^32: there a draw cannot change the bit and is skipped.

    Parameters
    ----------
    sigma
        Standard deviation of the noise [quanta]; 0 gives the noise-free decision u > 0.
    widest
        Largest |u| that can occur [quanta]; the table need not be wider.
    """
    if sigma <= 0:
        return np.zeros(1, np.uint64)
    limit = int(min(np.ceil(7.0 * sigma), max(widest, 1)))
    lower = np.round(WORDS * ndtr(np.arange(-limit, 0) / sigma)).astype(np.uint64)
    lower = lower[np.flatnonzero(lower)[0] :] if lower.any() else lower[:0]
    half = np.array([1 << 31], np.uint64)
    return np.concatenate([lower, half, np.uint64(1 << 32) - lower[::-1]])
