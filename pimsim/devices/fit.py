"""Fit of a cell's statistics to measurements: levels, distribution, law of time, and noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.config.cell_noise import ReadNoise, Rtn
from pimsim.config.drift import Drift
from pimsim.devices.agreement import Agreement, compare
from pimsim.devices.cell import aged
from pimsim.devices.cell_reads import CellReads, LevelReads, sort_reads
from pimsim.devices.distributions import anderson_darling, choose_distribution
from pimsim.devices.fit_blocks import drift_block, read_noise_block, rtn_block
from pimsim.devices.lines import Lines, constant, fit_lines, group_reads, has_logarithms
from pimsim.devices.measurements import Measurements
from pimsim.devices.moments import Moments
from pimsim.devices.telegraph_fit import TelegraphFit
from pimsim.errors import DataError, Place

Values = NDArray[np.float64]

# laws of time by the words of a device file, the simplest first; the last one always fits
LAWS = ("none", "power_law", "logarithmic", "tabulated")


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
        Mean and standard deviation of the cells right after programming, without noise and drift.
    normal, lognormal : float
        p-value of a test for either distribution; 1 where there are too few cells.
    nu, nu_error, nu_sigma : float or None
        Of a power law the exponent, of a logarithmic one the loss in a factor e of time: mean
        over cells, its standard error, and standard deviation over cells.
    read_sigma : float or None
        Standard deviation of the reads of one cell; None if it is not known.
    sample : (n,) float64
        Currents of the programmed cells, sorted.
    moments : Moments
        What was measured at each time.
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
    moments: Moments


class Blocks(NamedTuple):
    """Blocks of a device file that make its levels age; fractions are of the top level's mean."""

    drift: Drift
    rtn: Rtn
    read_noise: ReadNoise


@dataclass(frozen=True)
class DeviceFit:
    """Fit of a device: its levels, from low to high mean, and what they have in common.

    Attributes
    ----------
    law : str
        Of the change in time, one of `LAWS`.
    distribution : str
        normal, lognormal or quantiles.
    times : (n_times,) float64
        Of the measurements since programming [s]; a single 0 where none are known.
    first_time, last_time : float or None
        First and last of them; the means hold at the first.
    left_out : tuple of (int, int)
        Number and cells of each level that has too few.
    agreement : Agreement
        Of the law with the measurements.
    tried : tuple of (str, float)
        Laws that were refused, and the p-value of each.
    """

    levels: tuple[LevelFit, ...]
    law: str
    distribution: str
    times: Values
    first_time: float | None
    last_time: float | None
    telegraph: TelegraphFit
    left_out: tuple[tuple[int, int], ...]
    blocks: Blocks
    agreement: Agreement
    tried: tuple[tuple[str, float], ...] = ()

    @property
    def has_drift(self) -> bool:
        """Whether levels change in time."""
        return self.law != "none"

    @property
    def top(self) -> float:
        """Mean of the top level."""
        return self.levels[-1].mean


def fit_device(
    data: Measurements, levels: Sequence[int] | None = None, law: str | None = None
) -> DeviceFit:
    """Fit a cell's statistics.

    Parameters
    ----------
    levels
        Numbers of the levels to take; all but those of too few cells if None.
    law
        One of `LAWS` that is to be taken; None takes the first that agrees with the data.

    Notes
    -----
    Rows of one level, cell and cycle are reads of one programmed cell; without a column of
    cells every row is a cell of its own, and read noise is part of the standard deviation of
    the level. A power law is ln I = ln I0 - nu ln(t / t0) for each cell, a logarithmic one
    I = I0 - s ln(t / t0) (one line for all cells of a level if none was read twice); t0 is the
    earliest time after 0. The variance that read noise adds to I0, nu and s over cells is
    subtracted. A table has the measured means and standard deviations themselves.

    A law is taken if at every time and level with 8 cells or more its mean, standard deviation
    and noise are the measured ones within their errors (p of 1 % after Bonferroni's correction
    for the number of comparisons), and its standard deviation is 0.8 to 1.25 times the measured
    one wherever there are 30 cells or more.

    Raises
    ------
    DataError
        If there are fewer than two levels, or two levels with the same mean.
    """
    reads, place = sort_reads(data, levels), Place(data.path)
    laws: Sequence[str] = LAWS if law is None else (law,)
    if len(reads.times) == 1:
        if law not in (None, "none"):
            raise DataError("has reads at one time alone, which tell no law of time", place=place,
                            remedy="Leave --drift away, or add a column of times")  # fmt: skip
        laws = ("none",)
    elif law is None and (reads.times > 0).sum() < 2:
        # from the programmed state to one time: a line through two points is no law
        laws = ("none", "tabulated")
    tried: list[tuple[str, float]] = []
    for name in laws:
        fitted = _fit(reads, name, place)
        if fitted.agreement.is_close:
            break
        tried.append((name, fitted.agreement.p))
    return replace(fitted, tried=tuple(tried))


def _fit(reads: CellReads, law: str, place: Place) -> DeviceFit:
    lines = [_lines(level, law) for level in reads.levels]
    levels = [_level_fit(level, line) for level, line in zip(reads.levels, lines, strict=True)]
    _check_levels(levels, place)
    top = levels[-1].mean
    numbers = [level.number for level in reads.levels]
    telegraph = reads.telegraph.reordered([numbers.index(f.level) for f in levels])
    rtn = rtn_block(telegraph, np.array([f.mean / top for f in levels]))
    read_noise = read_noise_block(levels, reads, rtn, is_free=law == "tabulated")
    first = float(reads.times[0])
    total = np.array([np.hypot(f.sigma, f.read_sigma or 0.0) for f in levels]) / top
    means = np.array([f.mean for f in levels]) / top
    _, noise = aged({"rtn": rtn, "read_noise": read_noise}, means, total, first, 1.0)
    slow = noise["rtn"] ** 2 + noise["read_noise"] ** 2
    sigma = np.sqrt(np.maximum(total**2 - slow, 0.0))
    levels = [replace(f, sigma=float(s) * top) for f, s in zip(levels, sigma, strict=True)]
    blocks = Blocks(drift_block(law, levels, reads, rtn, read_noise), rtn, read_noise)
    return DeviceFit(
        levels=tuple(levels),
        law=law,
        distribution=choose_distribution([f.normal for f in levels], [f.lognormal for f in levels]),
        times=reads.times,
        first_time=first if reads.has_times else None,
        last_time=float(reads.times[-1]) if reads.has_times else None,
        telegraph=telegraph,
        left_out=reads.left_out,
        blocks=blocks,
        agreement=_agreement(levels, blocks, reads),
    )


def _lines(level: LevelReads, law: str) -> Lines:
    """Currents of a level's cells right after programming, and how they change by the law."""
    if law == "tabulated":
        return _as_measured(level)
    has_logs = law == "power_law" and has_logarithms(level.value)
    reads = group_reads(level.value, level.x, level.cell, has_logs)
    if law == "none" or np.ptp(level.x) == 0 or (law == "power_law" and not has_logs):
        return constant(reads)
    return fit_lines(reads)


def _as_measured(level: LevelReads) -> Lines:
    """Currents of a level's cells at its first time, as they were read."""
    moments, rows = level.moments, level.group == level.moments.first
    _, cell, n = np.unique(level.cell[rows], return_inverse=True, return_counts=True)
    sample = np.sort(np.bincount(cell, level.value[rows]) / n)
    free = moments.n_repeats.sum()
    if not free:
        return Lines(sample, None, 0.0)
    square = np.nansum(moments.n_repeats * moments.noise**2)
    variance = min(float(square / free), float(np.nanmin(moments.sigma**2, initial=np.inf)))
    return Lines(sample, float(np.sqrt(variance)), variance * float((1 / n).mean()))


def _level_fit(level: LevelReads, lines: Lines) -> LevelFit:
    sample = lines.sample
    variance = float(sample.var(ddof=1)) if len(sample) > 1 else 0.0
    return LevelFit(
        level=level.number,
        n_reads=len(level.value),
        n_cells=level.n_cells,
        mean=float(sample.mean()),
        sigma=float(np.sqrt(max(0.0, variance - lines.added))),
        normal=anderson_darling(sample),
        lognormal=anderson_darling(np.log(sample)) if sample[0] > 0 else 0.0,
        nu=lines.nu,
        nu_error=lines.nu_error,
        nu_sigma=lines.nu_sigma,
        read_sigma=lines.noise,
        sample=sample,
        moments=level.moments,
    )


def _check_levels(levels: list[LevelFit], place: Place) -> None:
    """Refuse impossible levels; set a lowest level that is zero within its error to zero."""
    levels.sort(key=lambda fit: fit.mean)
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


def _agreement(levels: Sequence[LevelFit], blocks: Blocks, reads: CellReads) -> Agreement:
    """The fitted levels beside the measured ones, before currents below zero are clipped."""
    top = levels[-1].mean
    means = np.array([f.mean for f in levels]) / top
    sigmas = np.array([f.sigma for f in levels]) / top
    mean, sigma, noise = (np.empty((len(levels), len(reads.times))) for _ in range(3))
    known = np.array([np.nan if f.read_sigma is None else f.read_sigma for f in levels])
    for k, time in enumerate(reads.times):
        mean[:, k], parts = aged(blocks._asdict(), means, sigmas, float(time), 1.0)
        sigma[:, k] = np.sqrt(sum(part**2 for part in parts.values()))
        # the reads' noise as it was fitted, traps included
        noise[:, k] = known
    has_rows = blocks.read_noise.model == "tabulated_over_time"
    return compare(
        top * mean, top * sigma, None if has_rows else noise, [f.moments for f in levels], top
    )
