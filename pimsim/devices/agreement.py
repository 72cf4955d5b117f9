"""Comparison of a device's levels with measured ones, at every time and level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr

from pimsim.devices.moments import Moments

Table = NDArray[np.float64]

# level of the test, before Bonferroni's correction for the number of comparisons
SIGNIFICANCE = 0.01
# fewest cells of a level at a time that are compared, and for which a ratio is held to bounds
MIN_CELLS = 8
MANY_CELLS = 30
RATIOS = (0.8, 1.25)
# a mean that is off by more than this share of the top level is a large misfit
LARGE_SHIFT = 0.02
# and so many standard errors
LARGE_ERRORS = 3.5


@dataclass(frozen=True)
class Agreement:
    """A device beside the measurements; tables are (n_levels, n_times), NaN where too few cells.

    Attributes
    ----------
    ratio : float64
        Standard deviation of the device over that of the cells.
    off : float64
        Mean of the device less that of the cells, as a fraction of the top level's mean.
    errors : float64
        `off` in standard errors of the change since the first time.
    n : int64
        Cells.
    p : float
        Smallest p-value of all comparisons, times their number.
    """

    ratio: Table
    off: Table
    errors: Table
    n: NDArray[np.int64]
    p: float

    @property
    def bound_ratio(self) -> Table:
        """`ratio` where there are `MANY_CELLS` or more; NaN elsewhere."""
        return np.where(self.n >= MANY_CELLS, self.ratio, np.nan)

    @property
    def is_within_ratios(self) -> bool:
        """Whether the ratio lies within `RATIOS` wherever there are `MANY_CELLS` or more."""
        ratio = self.bound_ratio[np.isfinite(self.bound_ratio)]
        return bool(((ratio >= RATIOS[0]) & (ratio <= RATIOS[1])).all())

    @property
    def is_close(self) -> bool:
        """Whether nothing differs by more than its error, and no ratio leaves its bounds."""
        return self.p >= SIGNIFICANCE and self.is_within_ratios

    @property
    def is_far(self) -> bool:
        """Whether the misfit is large: a ratio out of bounds, or a mean far off."""
        far = (np.abs(self.off) > LARGE_SHIFT) & (np.abs(self.errors) > LARGE_ERRORS)
        return not self.is_within_ratios or bool(far.any())

    def worst_ratio(self) -> tuple[int, int] | None:
        """Level and time whose ratio is farthest from 1, of those with most cells."""
        ratio = self.bound_ratio if np.isfinite(self.bound_ratio).any() else self.ratio
        return _largest(np.abs(np.log(np.maximum(ratio, 1e-300))))

    def worst_mean(self) -> tuple[int, int] | None:
        """Level and time whose mean is farthest off."""
        return _largest(np.abs(self.off))


def compare(
    mean: Table, sigma: Table, noise: Table | None, measured: Sequence[Moments], top: float
) -> Agreement:
    """Compare a device with the moments of its cells.

    Parameters
    ----------
    mean, sigma : (n_levels, n_times) float64
        Of the device, in the measured quantity.
    noise : (n_levels, n_times) float64 or None
        Standard deviation of reads of one cell; NaN or None where it is not known.
    measured : sequence of Moments
        Of each level.
    top : float
        Mean of the top level.

    Notes
    -----
    Changes of the mean since a level's first time are compared with a t-test, standard deviations
    and noise with a normal one.
    """
    n = np.array([level.n for level in measured])
    is_used = n >= MIN_CELLS
    ratio, off, errors = (np.full(n.shape, np.nan) for _ in range(3))
    p_values: list[Table] = []
    for k, level in enumerate(measured):
        used, first = is_used[k], level.first
        moved = mean[k] - mean[k, first] - level.shift
        error = np.array(level.shift_error)
        # the first mean itself, with the error of its own
        moved[first], error[first] = mean[k, first] - level.mean[first], level.mean_error[first]
        in_errors = _in_errors(moved, error, 1e-9 * top)
        ratio[k, used] = _ratio(sigma[k], level.sigma)[used]
        off[k, used] = ((mean[k] - level.mean) / top)[used]
        errors[k, used] = in_errors[used]
        p_values.append(2 * stdtr(np.maximum(n[k] - 1, 1), -np.abs(in_errors))[used])
        wide = _in_errors(sigma[k] - level.sigma, level.sigma_error, 1e-9 * top)
        p_values.append(2 * ndtr(-np.abs(wide))[used])
        if noise is not None:
            seen = used & (level.n_repeats >= MIN_CELLS) & np.isfinite(noise[k])
            noisy = _in_errors(noise[k] - level.noise, level.noise_error, 1e-9 * top)
            p_values.append(2 * ndtr(-np.abs(noisy))[seen])
    p = np.concatenate(p_values)
    return Agreement(ratio, off, errors, n, min(1.0, float(p.min() * len(p))) if len(p) else 1.0)


def _in_errors(away: Table, error: Table, nothing: float) -> Table:
    """A deviation in standard errors; 0 where both are nothing."""
    away = np.where(np.abs(away) <= nothing, 0.0, away)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(away == 0, 0.0, away / error)


def _ratio(device: Table, measured: Table) -> Table:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((device == 0) & (measured == 0), 1.0, device / measured)


def _largest(values: Table) -> tuple[int, int] | None:
    if not np.isfinite(values).any():
        return None
    level, time = np.unravel_index(int(np.nanargmax(values)), values.shape)
    return int(level), int(time)
