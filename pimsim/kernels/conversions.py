"""Conversions of the sums of lines to codes: noise, static errors, rounding, clipping."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# random words are cut in two, and each half picks an entry of the noise table
HALVES = 2**16
# x (1 - x^2) reaches 1 / CUBIC: differential ADCs bend as odd functions
CUBIC = 1.5 * 3**0.5


class Adcs(NamedTuple):
    """ADCs of a tile: of one kind, with errors of their own for every block of rows.

    Attributes
    ----------
    code_quanta : (n_lines,) float64
        Current of one code [quanta], a whole number: matrices have ranges of their own.
    low, top : float
        Smallest code and largest; whole numbers.
    noise : (2^16,) float64
        Dynamic noise of a conversion for every 16-bit word [quanta]; empty for none.
    noise_share : (n_lines,) float64
        Noise of a line over that of the table; zeros fill the last eight.
    after : (2^16,) float64
        The same for noise that is added to codes [codes].
    after_share : (n_lines,) float64
        1 for each line; zeros fill the last eight.
    after_tag : uint64
        Counter 3 of its draws, without their number.
    offset, gain, bow : (1 or n_chips, n_blocks, n_lines) float64
        Static errors of the ADC that a line goes to: [quanta], relative, [quanta].
    is_plain : bool
        Whether there are no static errors.
    """

    code_quanta: NDArray[np.float64]
    low: float
    top: float
    noise: NDArray[np.float64]
    noise_share: NDArray[np.float64]
    after: NDArray[np.float64]
    after_share: NDArray[np.float64]
    after_tag: np.uint64
    offset: NDArray[np.float64]
    gain: NDArray[np.float64]
    bow: NDArray[np.float64]
    is_plain: bool


@njit(cache=True)
def convert_plain(values, adcs, clipped):  # type: ignore[no-untyped-def]
    """Convert values (n_lines or more,) to codes in place, and count those that are clipped."""
    code_quanta, low, top = adcs.code_quanta, adcs.low, adcs.top
    for line in range(len(code_quanta)):
        code = np.floor(values[line] / code_quanta[line] + 0.5)
        values[line] = min(top, max(low, code))
        clipped[line] += (code > top) | (code < low)


@njit(cache=True)
def convert(values, adcs, offset, gain, bow, clipped):  # type: ignore[no-untyped-def]
    """Do the same for ADCs with static errors (n_lines,), which come before rounding."""
    code_quanta, low, top = adcs.code_quanta, adcs.low, adcs.top
    for line in range(len(code_quanta)):
        value = values[line]
        share = min(1.0, max(-1.0, value / (code_quanta[line] * top)))
        value = value * (1.0 + gain[line]) + offset[line]
        value += bow[line] * CUBIC * share * (1.0 - share * share)
        code = np.floor(value / code_quanta[line] + 0.5)
        values[line] = min(top, max(low, code))
        clipped[line] += (code > top) | (code < low)


@njit(cache=True)
def add_noise(words, noise, share, values):  # type: ignore[no-untyped-def]
    """Add shares of the table's entry for each half of the random words, eight to a block."""
    half = np.uint64(HALVES - 1)
    for word in range(4):
        for block in range(words.shape[1]):
            found = words[word, block]
            line = 8 * block + 2 * word
            values[line] += noise[found & half] * share[line]
            values[line + 1] += noise[(found >> np.uint64(16)) & half] * share[line + 1]
