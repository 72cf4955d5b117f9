"""The inverse of the normal distribution, for words that are drawn.

As good as scipy's to 15 digits, and several times as fast: drawing chips took a tenth of a run.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Wichura 1988 (Algorithm AS 241, PPND16), lowest power first: the middle, and the tails down
# to exp(-25), beyond which no 32-bit word lies
_MIDDLE = 0.425
_A = (
    3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
    1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
    3.3430575583588128105e4, 2.5090809287301226727e3,
)  # fmt: skip
_B = (
    1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
    2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
    5.2264952788528545610e3,
)  # fmt: skip
_C = (
    1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
    3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
    2.27238449892691845833e-2, 7.74545014278341407640e-4,
)  # fmt: skip
_D = (
    1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
    1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
    1.05075007164441684324e-9,
)  # fmt: skip
_WORD_VALUES = 2.0**32


@njit(cache=True, inline="always", error_model="numpy")
def _ratio(above, below, x):  # type: ignore[no-untyped-def]
    """Quotient of two polynomials of degree 7."""
    up, down = above[7], below[7]
    for power in range(6, -1, -1):
        up, down = up * x + above[power], down * x + below[power]
    return up / down


@njit(cache=True, nogil=True, error_model="numpy")  # chips are drawn side by side
def normals_of(words, grid, out):  # type: ignore[no-untyped-def]
    """Fill `out` (n,) float64 with the normal number at the middle of each word's interval.

    Parameters
    ----------
    words : (n,) uint32
        Word w stands for probabilities from w to w + 1, in units of 2^-32.
    grid : float
        Numbers are rounded to multiples of it.
    out : (n,) float64
        Overwritten.
    """
    # everywhere, side by side in vector registers; right in the middle
    for i in range(words.shape[0]):
        q = (words[i] + 0.5) / _WORD_VALUES - 0.5
        out[i] = q * _ratio(_A, _B, _MIDDLE * _MIDDLE - q * q)
    # tails are listed first, without a branch: one in seven is taken, and none foreseen
    tails, n_tails = np.empty(words.shape[0] + 1, np.int64), 0
    for i in range(words.shape[0]):
        tails[n_tails] = i
        n_tails += abs((words[i] + 0.5) / _WORD_VALUES - 0.5) > _MIDDLE
    for i in tails[:n_tails]:
        p = (words[i] + 0.5) / _WORD_VALUES
        tail = _ratio(_C, _D, np.sqrt(-np.log(min(p, 1.0 - p))) - 1.6)
        out[i] = tail if p > 0.5 else -tail
    for i in range(words.shape[0]):
        out[i] = np.rint(out[i] / grid) * grid
