"""Mean, standard deviation and noise of measured cells at each time, with their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Indices = NDArray[np.int64]

# times closer than this factor are one time; the factor grows until MAX_TIMES are left
SAME_TIME = 1.1
MAX_TIMES = 30


@dataclass(frozen=True)
class Moments:
    """Statistics of one level at the times of its file, (n_times,) each; NaN where unknown.

    Attributes
    ----------
    n : int64
        Cells that were read at about that time.
    mean, mean_error : float64
        Mean of the cells, and its standard error.
    sigma, sigma_error : float64
        Standard deviation of single reads over the cells, and its standard error.
    shift, shift_error : float64
        Change of the mean since the level's first time, and its standard error: that of the
        differences of each cell to itself, where the same cells were read at both.
    noise, noise_error : float64
        Standard deviation among reads of one cell at one time, and its standard error.
    n_repeats : int64
        Degrees of freedom of `noise`.
    """

    n: Indices
    mean: Values
    mean_error: Values
    sigma: Values
    sigma_error: Values
    shift: Values
    shift_error: Values
    noise: Values
    noise_error: Values
    n_repeats: Indices

    @property
    def first(self) -> int:
        """Index of the level's first time."""
        return int(np.flatnonzero(self.n)[0])


def time_groups(time: Values) -> tuple[Indices, Values]:
    """Group times that are alike.

    Parameters
    ----------
    time : (n_reads,) float64
        Since programming [s], 0 or more; 0 is a group of its own.

    Returns
    -------
    group : (n_reads,) int64
        Group of each read, ascending in time.
    centre : (n_groups,) float64
        Geometric mean of each group's times [s].
    """
    found, index = np.unique(time, return_inverse=True)
    positive = found[found > 0]
    starts = [0.0] if len(positive) < len(found) else []
    if len(positive):
        ratio = (positive[-1] / positive[0]) ** (1 / MAX_TIMES)
        factor = max(SAME_TIME, ratio * (1 + 1e-9))
        k = 0
        while k < len(positive):
            starts.append(float(positive[k]))
            k = int(np.searchsorted(positive, positive[k] * factor, side="right"))
    group = (np.searchsorted(np.array(starts), found, side="right") - 1)[index]
    logs = np.log(time, out=np.zeros(len(time)), where=time > 0)
    centre = np.exp(np.bincount(group, logs) / np.bincount(group))
    if starts[0] == 0:
        centre[0] = 0.0
    return group, centre


def moments_of(value: Values, group: Indices, cell: Indices, n_groups: int) -> Moments:
    """Statistics of one level's reads.

    Parameters
    ----------
    value : (n_reads,) float64
    group : (n_reads,) int64
        Time group of each read, below `n_groups`.
    cell : (n_reads,) int64
        Programmed cell of each read, 0 to n - 1.

    Notes
    -----
    The variance of a single read is that of the cells' means plus the part of the noise that
    averaging over a cell's r reads took away, noise^2 (1 - mean(1 / r)). The standard error of a
    standard deviation is sigma sqrt((k - 1) / 4 n) with the kurtosis k of the cells, at least
    the 3 of a normal distribution.
    """
    n_cells = int(cell.max()) + 1
    pairs, pair, counts = np.unique(group * n_cells + cell, return_inverse=True, return_counts=True)
    reads = counts.astype(np.float64)
    at, who = pairs // n_cells, pairs % n_cells

    def total(values: Values | None = None) -> Values:
        return np.bincount(at, values, minlength=n_groups).astype(np.float64)

    of_pair: Values = np.bincount(pair, value) / reads
    square = np.asarray(np.bincount(pair, (value - of_pair[pair]) ** 2), np.float64)
    n = total()
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total(of_pair) / n
        away = of_pair - mean[at]
        variance = total(away**2) / np.where(n > 1, n - 1, np.nan)
        free = total(reads - 1.0)
        noise = np.sqrt(total(square) / np.where(free > 0, free, np.nan))
        lost = np.nan_to_num(noise) ** 2 * (1 - total(1 / reads) / n)
        sigma = np.sqrt(variance + lost)
        kurtosis = np.maximum(total(away**4) / n / (total(away**2) / n) ** 2, 3.0)
        sigma_error = sigma * np.sqrt(np.nan_to_num(kurtosis, nan=3.0) - 1) / (2 * np.sqrt(n))
        # kurtosis of the reads' noise, of which traps make a broad distribution
        deviation = value - of_pair[pair]
        fourth = np.bincount(group, deviation**4, minlength=n_groups)
        second = np.bincount(group, deviation**2, minlength=n_groups)
        n_read = np.bincount(group, minlength=n_groups)
        peaked = np.nan_to_num(np.maximum(fourth * n_read / second**2, 3.0), nan=3.0)
        noise_error = noise * np.sqrt(peaked - 1) / (2 * np.sqrt(free))
        mean_error = np.sqrt(variance / n)
        shift, shift_error = _shifts(of_pair, at, who, n_cells, n, mean, mean_error)
    return Moments(
        n=n.astype(np.int64), mean=mean, mean_error=mean_error, sigma=sigma,
        sigma_error=sigma_error, shift=shift, shift_error=shift_error, noise=noise,
        noise_error=noise_error, n_repeats=free.astype(np.int64),
    )  # fmt: skip


def _shifts(
    of_pair: Values, at: Indices, who: Indices, n_cells: int, n: Values, mean: Values, error: Values
) -> tuple[Values, Values]:
    """Change of the mean since the first time, and its standard error."""
    first = int(np.flatnonzero(n)[0])
    start = np.full(n_cells, np.nan)
    start[who[at == first]] = of_pair[at == first]
    difference = of_pair - start[who]
    both = np.isfinite(difference)
    n_both = np.bincount(at[both], minlength=len(n)).astype(np.float64)
    average = np.bincount(at[both], difference[both], minlength=len(n)) / n_both
    away = (difference - average[at])[both]
    square = np.bincount(at[both], away**2, minlength=len(n)) / (n_both - 1)
    # the same cells, or two samples that have little in common
    same = n_both > 0.5 * np.maximum(n, n[first])
    shift_error = np.where(same, np.sqrt(square / n_both), np.hypot(error, error[first]))
    shift_error[first] = 0.0
    return mean - mean[first], shift_error
