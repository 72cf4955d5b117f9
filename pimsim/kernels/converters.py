"""Conversions: summed currents to codes, and codes to the sums of whole weights and inputs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from pimsim.kernels.philox import philox

# random words are cut in two, and each half picks an entry of the noise table
HALVES = 2**16
# x (1 - x^2) reaches 1 / CUBIC: differential converters bend as odd functions
CUBIC = 1.5 * 3**0.5


class Converters(NamedTuple):
    """Converters of a tile on one chip.

    Attributes
    ----------
    code_quanta, low, top : int
        Current that a code stands for [quanta], the smallest code and the largest.
    noise : (2^16,) float64
        Dynamic noise of a conversion for every 16-bit word [quanta]; empty for none.
    offset, gain, bow : (n_lines,) float64
        Static errors of the converter that a line goes to: [quanta], relative, [quanta].
    is_plain : bool
        Whether there are no static errors.
    worth, owner : (n_lines,) int64
        What a code of the lowest input bit is worth, and in which sum.
    """

    code_quanta: int
    low: int
    top: int
    noise: NDArray[np.float64]
    offset: NDArray[np.float64]
    gain: NDArray[np.float64]
    bow: NDArray[np.float64]
    is_plain: bool
    worth: NDArray[np.int64]
    owner: NDArray[np.int64]


class Counters(NamedTuple):
    """What the random words of conversions are keyed by.

    `place` is unique to a time step or patch and a block of rows; `samples` (n,) int64.
    """

    key0: int
    key1: int
    tag: int
    chip: int
    place: int
    samples: NDArray[np.int64]


@njit(cache=True, parallel=True)
def convert(  # type: ignore[no-untyped-def]
    sums, converters, counters, out
):
    """Convert sums and add them up, times the worth of their line and input bit.

    Parameters
    ----------
    sums : (n_bits, n, n_lines) float32
        Whole numbers of quanta, one input bit after the other, least significant first.
    converters : Converters
    counters : Counters
    out : (n, n_sums) int64
        Added to: codes times what they are worth.
    """
    n_bits, n, n_lines = sums.shape
    code_quanta, full = (
        float(converters.code_quanta),
        float(converters.code_quanta * converters.top),
    )
    low, top = converters.low, converters.top
    is_noisy = converters.noise.shape[0] > 0
    for item in prange(n):
        for bit in range(n_bits):
            words = (np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0))
            for line in range(n_lines):
                value = float(sums[bit, item, line])
                if is_noisy:
                    if line % 8 == 0:
                        words = philox(
                            np.uint64(counters.chip),
                            np.uint64(counters.samples[item]),
                            np.uint64(counters.place * n_bits + bit),
                            np.uint64(counters.tag) | np.uint64(line // 8),
                            np.uint64(counters.key0),
                            np.uint64(counters.key1),
                        )
                    word = words[(line % 8) // 2]
                    half = (word >> np.uint64(16 * (line % 2))) & np.uint64(HALVES - 1)
                    value += converters.noise[half]
                if not converters.is_plain:
                    share = min(1.0, max(-1.0, value / full))
                    value = value * (1.0 + converters.gain[line]) + converters.offset[line]
                    value += converters.bow[line] * CUBIC * share * (1.0 - share * share)
                code = int(np.floor(value / code_quanta + 0.5))
                code = min(top, max(low, code))
                out[item, converters.owner[line]] += (code * converters.worth[line]) << bit
