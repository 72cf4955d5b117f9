"""Fit of a cell's statistics to measurements: levels, distribution, drift and noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from pimsim.devices.measurements import Measurements
from pimsim.devices.telegraph_fit import TelegraphFit, fit_telegraph
from pimsim.errors import DataError, Place

Values = NDArray[np.float64]

# significance level of the test of a distribution, before Bonferroni's correction
SIGNIFICANCE = 0.01
# fewest cells for which a distribution is tested
MIN_CELLS_TESTED = 8
# a device drifts if nu is this many standard errors from zero in any level
MIN_DRIFT_ERRORS = 3.5
# logarithms are taken of levels whose standard deviation is below this share of their mean
MAX_SCATTER = 0.5


@dataclass(frozen=True)
class LevelFit:
    """Statistics of one level, in the measured quantity (A or S).

    Attributes
    ----------
    level : int
        Its number in the file.
    n_reads, n_cells : int
        Rows, and programmed cells (a cell programmed twice counts twice).
    mean, sigma : float
        Mean and standard deviation of the cells right after programming, without read noise
        and drift.
    normal, lognormal : float
        p-value of a test for either distribution; 1 where there are too few cells.
    nu, nu_error, nu_sigma : float or None
        Drift exponent: mean over cells, its standard error, and standard deviation over cells.
    read_sigma : float or None
        Standard deviation of the reads of one cell; None if no cell was read twice.
    sample : (n,) float64
        Currents of the programmed cells, sorted.
    trend : (n_times, 2) float64
        Time since programming [s], and mean of the reads at about that time.
    """

    level: int
    n_reads: int
    n_cells: int
    mean: float
    sigma: float
    normal: float
    lognormal: float
    nu: float | None
    nu_error: float | None
    nu_sigma: float | None
    read_sigma: float | None
    sample: Values
    trend: Values


@dataclass(frozen=True)
class DeviceFit:
    """Fit of a device: its levels, from low to high mean, and what they have in common.

    Attributes
    ----------
    distribution : str
        normal, lognormal or quantiles.
    first_time, last_time : float or None
        First and last time of the reads since programming [s]; the means hold at the first.
    has_drift : bool
    """

    levels: tuple[LevelFit, ...]
    distribution: str
    first_time: float | None
    last_time: float | None
    has_drift: bool
    telegraph: TelegraphFit


def fit_device(data: Measurements) -> DeviceFit:
    """Fit a cell's statistics.

    Notes
    -----
    Rows of one level, cell and cycle are reads of one programmed cell; without a column of
    cells every row is a cell of its own, and read noise is part of the standard deviation of
    the level. With times, ln I = ln I0 - nu ln(t / t0) is fitted to each cell (to all cells
    of a level together if none was read twice); t0 is the earliest time of the file. The
    variance that read noise adds to I0 and nu over cells is subtracted.

    The distribution is normal unless the Anderson-Darling test with estimated mean and
    variance rejects that in some level (p below 1 % after Bonferroni's correction for the
    number of levels); lognormal, if the logarithms pass; the measured quantiles otherwise.

    Raises
    ------
    DataError
        If there are fewer than two levels, or two levels with the same mean.
    """
    columns, place = data.columns, Place(data.path)
    value, level = columns[data.value], columns["level"].astype(np.int64)
    time = columns.get("time")
    start = 1.0 if time is None else float(time.min())
    x = np.zeros(len(value)) if time is None else np.log(time / start)
    event = _events(columns)
    residual = np.full(len(value), np.nan)
    levels = []
    for number in np.unique(level):
        rows = np.flatnonzero(level == number)
        if len(rows) < 2:
            raise DataError(f"has one row of level {number}; two are needed", place=place)
        fitted, residual[rows] = _fit_level(int(number), value[rows], x[rows], event[rows])
        levels.append(_with_trend(fitted, value[rows], None if time is None else time[rows]))
    levels.sort(key=lambda fit: fit.mean)
    _check_levels(levels, place)
    usable = np.isfinite(residual)
    read_times = None if time is None else time[usable]
    telegraph = fit_telegraph(residual[usable], event[usable], read_times)
    return DeviceFit(
        levels=tuple(levels),
        distribution=_distribution(levels),
        first_time=None if time is None else start,
        last_time=None if time is None else float(time.max()),
        has_drift=any(
            fit.nu is not None and abs(fit.nu) > MIN_DRIFT_ERRORS * (fit.nu_error or 0.0)
            for fit in levels
        ),
        telegraph=telegraph,
    )


def _check_levels(levels: list[LevelFit], place: Place) -> None:
    """Refuse impossible levels; set a lowest level that is zero within its error to zero."""
    low = levels[0]
    if -4 * float(low.sample.std()) / np.sqrt(low.n_cells) < low.mean < 0:
        # no current within four standard errors
        levels[0] = replace(low, mean=0.0)
    if len(levels) < 2:
        raise DataError("has a single level; a device needs at least two", place=place)
    for low, high in pairwise(levels):
        if not high.mean > low.mean:
            raise DataError(
                f"has levels {low.level} and {high.level} with the same mean, {low.mean:.4g}",
                place=place,
            )
    if levels[0].mean < 0:
        raise DataError(
            f"has level {levels[0].level} with a mean of {levels[0].mean:.4g}, below zero",
            place=place,
            remedy="Subtract the instrument's offset, or change the sign of the currents",
        )


def _events(columns: dict[str, Values]) -> NDArray[np.int64]:
    """Index of the programmed cell of each row."""
    n = len(columns["level"])
    if "cell" not in columns:
        return np.arange(n)
    keys = [columns[name] for name in ("cycle", "cell", "level") if name in columns]
    order = np.lexsort(keys)
    differs = np.zeros(n, bool)
    for key in keys:
        differs[1:] |= np.diff(key[order]) != 0
    event = np.empty(n, np.int64)
    event[order] = np.cumsum(differs)
    return event


class _Reads(NamedTuple):
    """Reads of one level, grouped by cell.

    Attributes
    ----------
    x, y : (n_reads,) float64
        ln(t / t0), and the current or, where `is_log`, its logarithm.
    cell : (n_reads,) int64
        Index of the cell that was read.
    n, x_mean, y_mean : (n_cells,) float64
        Number of reads of each cell, and means over them.
    """

    x: Values
    y: Values
    cell: NDArray[np.int64]
    n: NDArray[np.int64]
    x_mean: Values
    y_mean: Values
    is_log: bool

    def intercepts(self, slope: Values) -> Values:
        """Intercept of each cell's line at t0."""
        return self.y_mean - slope * self.x_mean

    def sample(self, slope: Values) -> Values:
        """Current of each cell right after programming, sorted."""
        programmed = self.intercepts(slope)
        return np.sort(np.exp(programmed) if self.is_log else programmed)

    def repeat_variance(self) -> float | None:
        """Variance of y among reads of the same cell; None if no cell was read twice."""
        if len(self.y) == len(self.n):
            return None
        square = ((self.y - self.y_mean[self.cell]) ** 2).sum()
        return float(square / (len(self.y) - len(self.n)))


class _Lines(NamedTuple):
    """Lines y = intercept - nu x of the cells of a level.

    `slope` is that of each cell; `noise` is the variance of reads around their line (None if
    unknown), and `added` the variance that the fit adds to the currents right after
    programming. `nu`, `nu_error` and `nu_sigma` are None where no drift can be fitted.
    """

    slope: Values
    noise: float | None
    added: float
    nu: float | None = None
    nu_error: float | None = None
    nu_sigma: float | None = None


def _fit_level(
    number: int, value: Values, x: Values, event: NDArray[np.int64]
) -> tuple[LevelFit, Values]:
    """Fit one level; also the deviation of each read from its cell's line, relative to it."""
    reads = _group(value, x, event)
    lines = _fit_lines(reads)
    sample = reads.sample(lines.slope)
    mean = float(sample.mean())
    variance = float(sample.var(ddof=1)) if len(sample) > 1 else 0.0
    noise = lines.noise
    fitted = LevelFit(
        level=number,
        n_reads=len(value),
        n_cells=len(reads.n),
        mean=mean,
        sigma=float(np.sqrt(max(0.0, variance - lines.added))),
        normal=anderson_darling(sample),
        lognormal=anderson_darling(np.log(sample)) if sample[0] > 0 else 0.0,
        nu=lines.nu,
        nu_error=lines.nu_error,
        nu_sigma=lines.nu_sigma,
        read_sigma=None if noise is None else float(np.sqrt(noise)) * (mean if reads.is_log else 1),
        sample=sample,
        trend=np.empty((0, 2)),
    )
    return fitted, _residuals(reads, lines)


def _group(value: Values, x: Values, event: NDArray[np.int64]) -> _Reads:
    """Group reads by cell; logarithms are taken where drift can be seen in them."""
    _, cell = np.unique(event, return_inverse=True)
    n = np.bincount(cell)
    is_narrow = value.std() < MAX_SCATTER * float(value.mean())
    is_log = bool(value.min() > 0 and is_narrow and np.ptp(x) > 0)
    y = np.log(value) if is_log else value
    return _Reads(x, y, cell, n, np.bincount(cell, x) / n, np.bincount(cell, y) / n, is_log)


def _fit_lines(reads: _Reads) -> _Lines:
    if not reads.is_log:
        return _no_drift(reads)
    dx = reads.x - reads.x_mean[reads.cell]
    sxx: Values = np.asarray(np.bincount(reads.cell, dx * dx))
    return _own_lines(reads, dx, sxx) if (sxx > 1e-12).any() else _pooled_line(reads, sxx)


def _no_drift(reads: _Reads) -> _Lines:
    """Constant currents: all reads at one time, or too much scatter for logarithms."""
    noise = reads.repeat_variance()
    added = 0.0 if noise is None else noise * float((1 / reads.n).mean())
    return _Lines(np.zeros(len(reads.n)), noise, added)


def _own_lines(reads: _Reads, dx: Values, sxx: Values) -> _Lines:
    """One line through the reads of each cell; cells read at one time get the mean slope."""
    n, cell = reads.n, reads.cell
    dy = reads.y - reads.y_mean[cell]
    sxy = np.bincount(cell, dx * dy)
    has_line = sxx > 1e-12
    slope = np.zeros(len(n))
    slope[has_line] = sxy[has_line] / sxx[has_line]
    n_free = int((n[has_line] - 2).clip(0).sum())
    square = np.bincount(cell, (dy - slope[cell] * dx) ** 2)[has_line].sum()
    noise = square / n_free if n_free else None
    # variance of the slopes that comes from noise alone
    of_noise = 0.0 if noise is None else noise * float((1 / sxx[has_line]).mean())
    n_lines = int(has_line.sum())
    variance = float(slope[has_line].var(ddof=1)) if n_lines > 1 else of_noise
    nu, nu_error = -float(slope[has_line].mean()), float(np.sqrt(variance / n_lines))
    slope[~has_line] = -nu
    added = 0.0
    if noise is not None:
        lever = np.divide(reads.x_mean**2, sxx, out=np.zeros(len(n)), where=has_line)
        mean = float(reads.sample(slope).mean())
        added = noise * float((1 / n + lever).mean()) * mean**2
    return _Lines(slope, noise, added, nu, nu_error, float(np.sqrt(max(0.0, variance - of_noise))))


def _pooled_line(reads: _Reads, sxx: Values) -> _Lines:
    """One line through all cells, each of which was read at a single time.

    The squared residuals of ln I grow with x^2 times the variance of nu over cells.
    """
    x, y = reads.x, reads.y
    dx = x - x.mean()
    slope = float((dx * y).sum() / (dx * dx).sum())
    residual = y - y.mean() - slope * dx
    error = float(np.sqrt((residual**2).sum() / max(len(x) - 2, 1) / (dx * dx).sum()))
    dxx = x**2 - (x**2).mean()
    growth = 0.0
    if (dxx * dxx).sum() > 0:
        growth = float((dxx * residual**2).sum() / (dxx * dxx).sum())
    nu_sigma = float(np.sqrt(max(0.0, growth)))
    slopes = np.zeros(len(reads.n)) + slope
    mean = float(reads.sample(slopes).mean())
    noise = None if sxx.any() else reads.repeat_variance()
    added = 0.0
    if noise is not None:
        added = noise * float((1 / reads.n).mean()) * mean**2
    elif len(y) == len(reads.n):
        added = (mean * nu_sigma) ** 2 * float((x**2).mean())
    return _Lines(slopes, noise, added, -slope, error, nu_sigma)


def _residuals(reads: _Reads, lines: _Lines) -> Values:
    """Deviation of each read from its cell's line, relative; NaN where it means nothing."""
    cell = reads.cell
    of_cell = reads.y_mean[cell]
    scale = 1.0 if reads.is_log else np.maximum(of_cell, 1e-300)
    line = reads.intercepts(lines.slope)[cell]
    residual = (reads.y - line - lines.slope[cell] * reads.x) / scale
    usable = (reads.n > 1)[cell] & (of_cell > 0 if not reads.is_log else True)
    return np.where(usable, residual, np.nan)


def _with_trend(fit: LevelFit, value: Values, time: Values | None) -> LevelFit:
    """Add the means of the reads in up to 30 intervals of time, for plots."""
    if time is None or np.ptp(time) == 0:
        return fit
    edges = np.geomspace(time.min(), time.max() * (1 + 1e-9), 31)
    interval = np.searchsorted(edges, time, side="right")
    n = np.bincount(interval)
    used = np.flatnonzero(n)
    logs = np.bincount(interval, np.log(time))[used] / n[used]
    trend = np.column_stack([np.exp(logs), np.bincount(interval, value)[used] / n[used]])
    return replace(fit, trend=trend)


def _distribution(levels: list[LevelFit]) -> str:
    for name in ("normal", "lognormal"):
        if min(getattr(fit, name) for fit in levels) * len(levels) >= SIGNIFICANCE:
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
