"""Random numbers keyed by the work item, not by the thread.

Every random word is Philox 4x32-10 of a key and a counter:

=========  ==================================================================
key        the run's seed, 64 bits
counter 0  index of the chip
counter 1  sequence (dynamic noise) or row (programming)
counter 2  time step or patch (dynamic noise), side of the pair (programming)
counter 3  purpose (4 bits), layer (8 bits), column // 4 (20 bits)
=========  ==================================================================

and the column's low two bits pick one of the four words. No two numbers share
a counter, so order, batches and threads cannot matter.
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
# no normal number that is drawn lies further from zero: words have 32 bits, and the
# largest is 6.3
MAX_NORMAL = 7.0
# numbers from mathematical libraries are rounded to this grid: far below any use of them,
# far above the last bits in which the libraries of two machines may differ
GRID = 2.0**-24


class Purpose(IntEnum):
    """The use of a stream. Never renumber them: results of old seeds would change."""

    VARIATION = 0
    CELL = 1
    OFFSET = 2
    DECISION = 3
    CONVERSION = 4
    ADC = 5
    TRAP = 6
    TRAP_STATE = 7
    MISMATCH = 8
    CODE = 9
    DAC = 10
    FAULT_CELL = 11
    FAULT_ROW = 12
    FAULT_LINE = 13
    MACRO_WEIGHT = 14
    MACRO_INPUT = 15


def on_grid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers rounded to `GRID`."""
    return np.asarray(np.round(values / GRID) * GRID)


def tag(purpose: Purpose, layer: int) -> int:
    """Counter 3 without its column: purpose and layer in the top bits."""
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
    exact to 32 bits, so no value lies beyond 6.3 standard deviations (`MAX_NORMAL`).
    """
    words, drawn = _words(seed, purpose, chip, layer, shape), np.empty(shape)
    normals_of(words.reshape(-1), GRID, drawn.reshape(-1))
    return drawn


def uniforms(
    seed: int, purpose: Purpose, chip: int, layer: int, shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    """Uniform numbers between 0 and 1, both excluded, keyed as those of `normals`."""
    return np.asarray((_words(seed, purpose, chip, layer, shape) + 0.5) / WORDS)


def _words(
    seed: int, purpose: Purpose, chip: int, layer: int, shape: tuple[int, int, int]
) -> NDArray[np.uint32]:
    words = np.empty(shape, np.uint32)
    philox_plane(chip, tag(purpose, layer), *key_words(seed), words)
    return words


def table_limit(sigma: float, widest: int) -> int:
    """Largest distance from the threshold in `decision_table`, [quanta]; 0 without noise."""
    return int(min(np.ceil(MAX_NORMAL * sigma), max(widest, 1))) if sigma > 0 else 0


def decision_table(sigma: float, widest: int) -> NDArray[np.uint64]:
    """Probability table of a noisy decision, in units of 2^-32.

    Entry `limit + u` is round(2^32 Phi(u / sigma)), the probability of a 1 at the integer
    distance u from the threshold, for u in -limit..limit; a decision is 1 where its 32-bit
    word is smaller.  Beyond the limit the entry would be exactly 0 or 2^32: there a random
    number cannot change the bit and is skipped.

    Parameters
    ----------
    sigma
        Standard deviation of the noise [quanta]; 0 gives the noise-free decision u > 0.
    widest
        Largest |u| that can occur [quanta]; the table need not be wider.
    """
    limit = table_limit(sigma, widest)
    if limit == 0:
        return np.zeros(1, np.uint64)
    lower = np.round(WORDS * ndtr(np.arange(-limit, 0) / sigma)).astype(np.uint64)
    lower = lower[np.flatnonzero(lower)[0] :] if lower.any() else lower[:0]
    half = np.array([1 << 31], np.uint64)
    return np.concatenate([lower, half, np.uint64(1 << 32) - lower[::-1]])
