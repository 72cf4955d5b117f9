"""A cell's statistics from measurements: levels, distribution, drift, read and telegraph noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from pimsim.devices.measurements import Measurements
from pimsim.devices.telegraph_fit import TelegraphFit, fit_telegraph
from pimsim.errors import DataError, Place

Values = NDArray[np.float64]

# a distribution is dropped where it is this unlikely in any level, times their number
REJECTED = 0.01
LEAST_TESTED = 8
# a drift exponent is there where it is so many standard errors from zero in any level
TOLD = 3.5
# logarithms are taken of levels that scatter less than this share of their mean
LARGEST_SCATTER = 0.5


@dataclass(frozen=True)
class LevelFit:
    """One level, in the measured quantity (A or S).

    Attributes
    ----------
    level : int
        As the file calls it.
    n_reads, n_cells : int
        Rows, and programmed cells (a cell programmed twice counts twice).
    mean, spread : float
        Of the cells right after programming: read noise and drift taken out.
    normal, lognormal : float
        Chance of a sample so far from either distribution; 1 where there are too few to say.
    nu, nu_error, nu_spread : float or None
        Drift exponent, mean over cells with its standard error, and spread over cells.
    read_spread : float or None
        Standard deviation of the reads of one cell; None where none was read twice.
    sample : (n,) float64
        Programmed cells, sorted; the tables and the plot are made from it.
    trend : (n_times, 2) float64
        Time since programming [s] and mean of the reads around it.
    """

    level: int
    n_reads: int
    n_cells: int
    mean: float
    spread: float
    normal: float
    lognormal: float
    nu: float | None
    nu_error: float | None
    nu_spread: float | None
    read_spread: float | None
    sample: Values
    trend: Values


@dataclass(frozen=True)
class DeviceFit:
    """All levels, from low to high mean, and what they share.

    Attributes
    ----------
    distribution : str
        normal, lognormal or quantiles.
    first_time, last_time : float or None
        Of the reads since programming [s]; the means above hold at the first.
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
    cells every row is a cell of its own, and read noise stays within the spread. With times,
    ln I = ln I0 - nu ln(t / t0) is fitted to each cell (to all cells of a level together where
    none was read twice); t0 is the earliest time of the file. What the scatter of the reads
    adds to the variance of I0 and nu over cells is taken off.

    The distribution is normal unless the Anderson-Darling test with estimated mean and
    variance rejects that in some level (p below 1 % after Bonferroni's correction for the
    number of levels); lognormal, if the logarithms pass; the measured quantiles otherwise.

    Raises
    ------
    DataError
        If there are fewer than two levels, or two of one mean.
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
    seen = np.isfinite(residual)
    telegraph = fit_telegraph(residual[seen], event[seen], None if time is None else time[seen])
    return DeviceFit(
        levels=tuple(levels),
        distribution=_distribution(levels),
        first_time=None if time is None else start,
        last_time=None if time is None else float(time.max()),
        has_drift=any(
            fit.nu is not None and abs(fit.nu) > TOLD * (fit.nu_error or 0.0) for fit in levels
        ),
        telegraph=telegraph,
    )


def _check_levels(levels: list[LevelFit], place: Place) -> None:
    """Refuse what is no device; a lowest level that is zero but for chance becomes zero."""
    low = levels[0]
    if -4 * float(low.sample.std()) / np.sqrt(low.n_cells) < low.mean < 0:
        # a state without current, as nearly as its cells can tell
        levels[0] = replace(low, mean=0.0)
    if len(levels) < 2:
        raise DataError("has a single level; a device needs two at least", place=place)
    for low, high in pairwise(levels):
        if not high.mean > low.mean:
            raise DataError(
                f"has levels {low.level} and {high.level} of one mean, {low.mean:.4g}", place=place
            )
    if levels[0].mean < 0:
        raise DataError(
            f"has level {levels[0].level} with a mean of {levels[0].mean:.4g}, below zero",
            place=place,
            remedy="Take off what the instrument adds, or the sign of the current",
        )


def _events(columns: dict[str, Values]) -> NDArray[np.int64]:
    """Number of the programmed cell that each row is a read of."""
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


def _fit_level(
    number: int, value: Values, x: Values, event: NDArray[np.int64]
) -> tuple[LevelFit, Values]:
    """One level, and how far each read is from its cell's line, of its current."""
    _, cell = np.unique(event, return_inverse=True)
    n = np.bincount(cell)
    scatter = LARGEST_SCATTER * float(value.mean())
    use_log = value.min() > 0 and value.std() < scatter and np.ptp(x) > 0
    y = np.log(value) if use_log else value
    x_of, y_of = np.bincount(cell, x) / n, np.bincount(cell, y) / n
    nu = nu_error = nu_spread = None
    slope = np.zeros(len(n))
    noise = sxx = None
    if use_log:
        dx, dy = x - x_of[cell], y - y_of[cell]
        sxx, sxy = np.bincount(cell, dx * dx), np.bincount(cell, dx * dy)
        told = sxx > 1e-12
        if told.any():
            slope[told] = sxy[told] / sxx[told]
            free = int((n[told] - 2).clip(0).sum())
            square = np.bincount(cell, (dy - slope[cell] * dx) ** 2)[told].sum()
            noise = square / free if free else None
            own = 0.0 if noise is None else noise * float((1 / sxx[told]).mean())
            k = int(told.sum())
            variance = float(slope[told].var(ddof=1)) if k > 1 else own
            nu, nu_error = -float(slope[told].mean()), float(np.sqrt(variance / k))
            nu_spread = float(np.sqrt(max(0.0, variance - own)))
            slope[~told] = -nu
        else:
            nu, nu_error, nu_spread = _pooled_drift(x, y)
            slope -= nu
    programmed = y_of - slope * x_of
    sample = np.sort(np.exp(programmed) if use_log else programmed)
    mean = float(sample.mean())
    if noise is None and len(value) > len(n) and not (use_log and sxx is not None and sxx.any()):
        noise = float(((y - y_of[cell]) ** 2).sum() / (len(value) - len(n)))
    # variance that the fit of each cell's own line adds to its intercept
    added = 0.0
    if noise is not None:
        lever = np.zeros(len(n))
        if sxx is not None:
            lever = np.divide(x_of**2, sxx, out=lever, where=sxx > 1e-12)
        added = noise * float((1 / n + lever).mean()) * (mean**2 if use_log else 1.0)
    elif nu_spread is not None and len(value) == len(n):
        added = (mean * nu_spread) ** 2 * float((x**2).mean())
    variance = float(sample.var(ddof=1)) if len(sample) > 1 else 0.0
    scale = 1.0 if use_log else np.maximum(y_of[cell], 1e-300)
    residual = (y - programmed[cell] - slope[cell] * x) / scale
    usable = (n > 1)[cell] & (y_of[cell] > 0 if not use_log else True)
    fitted = LevelFit(
        level=number,
        n_reads=len(value),
        n_cells=len(n),
        mean=mean,
        spread=float(np.sqrt(max(0.0, variance - added))),
        normal=anderson_darling(sample),
        lognormal=anderson_darling(np.log(sample)) if sample[0] > 0 else 0.0,
        nu=nu,
        nu_error=nu_error,
        nu_spread=nu_spread,
        read_spread=None if noise is None else float(np.sqrt(noise)) * (mean if use_log else 1.0),
        sample=sample,
        trend=np.empty((0, 2)),
    )
    return fitted, np.where(usable, residual, np.nan)


def _pooled_drift(x: Values, y: Values) -> tuple[float, float, float]:
    """Drift of cells that were read once each: nu, its error and its spread over cells.

    The squares of what is left of ln I grow with x^2 times the variance of nu over cells.
    """
    dx = x - x.mean()
    slope = float((dx * y).sum() / (dx * dx).sum())
    left = y - y.mean() - slope * dx
    error = float(np.sqrt((left**2).sum() / max(len(x) - 2, 1) / (dx * dx).sum()))
    dxx = x**2 - (x**2).mean()
    growth = float((dxx * left**2).sum() / (dxx * dxx).sum()) if (dxx * dxx).sum() > 0 else 0.0
    return -slope, error, float(np.sqrt(max(0.0, growth)))


def _with_trend(fit: LevelFit, value: Values, time: Values | None) -> LevelFit:
    """With what a plot needs: means of the reads around up to 30 times."""
    if time is None or np.ptp(time) == 0:
        return fit
    edges = np.geomspace(time.min(), time.max() * (1 + 1e-9), 31)
    place = np.searchsorted(edges, time, side="right")
    n = np.bincount(place)
    there = np.flatnonzero(n)
    logs = np.bincount(place, np.log(time))[there] / n[there]
    trend = np.column_stack([np.exp(logs), np.bincount(place, value)[there] / n[there]])
    return replace(fit, trend=trend)


def _distribution(levels: list[LevelFit]) -> str:
    for name in ("normal", "lognormal"):
        if min(getattr(fit, name) for fit in levels) * len(levels) >= REJECTED:
            return name
    return "quantiles"


def anderson_darling(sorted_sample: Values) -> float:
    """Chance that a normal sample lies as far from its own normal fit as this one does.

    Notes
    -----
    D'Agostino and Stephens, Goodness-of-Fit Techniques (1986), table 4.9: mean and variance
    estimated, A* = A^2 (1 + 0.75 / n + 2.25 / n^2).
    """
    n = len(sorted_sample)
    spread = float(sorted_sample.std(ddof=1)) if n > 1 else 0.0
    if n < LEAST_TESTED or spread <= 1e-12 * abs(float(sorted_sample.mean())):
        return 1.0
    z = (sorted_sample - sorted_sample.mean()) / spread
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
