"""Choice of a distribution for the cells of a level, and tests of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

Values = NDArray[np.float64]

# significance level of the test of a distribution, before Bonferroni's correction
SIGNIFICANCE = 0.01
# fewest cells for which a distribution is tested
MIN_CELLS_TESTED = 8


def choose_distribution(normal: Sequence[float], lognormal: Sequence[float]) -> str:
    """Distribution of all levels, by the p-values of each level for two of them."""
    for name, p_values in (("normal", normal), ("lognormal", lognormal)):
        if min(p_values) * len(p_values) >= SIGNIFICANCE:
            return name
    return "quantiles"


def anderson_darling(sorted_sample: Values) -> float:
    """p-value of the Anderson-Darling test for a normal distribution.

    Notes
    -----
    D'Agostino and Stephens, Goodness-of-Fit Techniques (1986), table 4.9: mean and variance
    estimated, A* = A^2 (1 + 0.75 / n + 2.25 / n^2).
    """
    n = len(sorted_sample)
    sigma = float(sorted_sample.std(ddof=1)) if n > 1 else 0.0
    if n < MIN_CELLS_TESTED or sigma <= 1e-12 * abs(float(sorted_sample.mean())):
        return 1.0
    z = (sorted_sample - sorted_sample.mean()) / sigma
    odd = 2 * np.arange(1, n + 1) - 1
    a = float(-n - (odd * (log_ndtr(z) + log_ndtr(-z[::-1]))).mean())
    a *= 1 + 0.75 / n + 2.25 / n**2
    if a > 10:
        return 0.0
    if a >= 0.6:
        return float(np.exp(1.2937 - 5.709 * a + 0.0186 * a**2))
    if a > 0.34:
        return float(np.exp(0.9177 - 4.279 * a - 1.38 * a**2))
    if a > 0.2:
        return float(1 - np.exp(-8.318 + 42.796 * a - 59.938 * a**2))
    return float(1 - np.exp(-13.436 + 101.14 * a - 223.73 * a**2))
