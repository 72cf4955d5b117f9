"""Laws of time fitted to the reads of each cell: constant, a power of time, or its logarithm."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

# logarithms are taken of levels whose standard deviation is below this share of their mean
MAX_SCATTER = 0.5


class Reads(NamedTuple):
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

    def scale(self, sample: Values) -> float:
        """Factor from a standard deviation of y to one of currents."""
        return float(sample.mean()) if self.is_log else 1.0

    def repeat_variance(self) -> float | None:
        """Variance of y among reads of the same cell; None if no cell was read twice."""
        if len(self.y) == len(self.n):
            return None
        square = ((self.y - self.y_mean[self.cell]) ** 2).sum()
        return float(square / (len(self.y) - len(self.n)))


class Lines(NamedTuple):
    """Lines y = intercept - nu x of the cells of a level.

    Attributes
    ----------
    sample : (n_cells,) float64
        Currents right after programming, sorted.
    noise : float or None
        Standard deviation of reads around their line [A or S]; None if unknown.
    added : float
        Variance that the fit adds to `sample`.
    nu, nu_error, nu_sigma : float or None
        Slope: mean over cells, its standard error, and standard deviation over cells.
    """

    sample: Values
    noise: float | None
    added: float
    nu: float | None = None
    nu_error: float | None = None
    nu_sigma: float | None = None


def group_reads(value: Values, x: Values, cell: NDArray[np.int64], is_log: bool) -> Reads:
    """Group reads by cell; `is_log` takes logarithms of the currents."""
    n = np.bincount(cell)
    y = np.log(value) if is_log else value
    return Reads(x, y, cell, n, np.bincount(cell, x) / n, np.bincount(cell, y) / n, is_log)


def has_logarithms(value: Values) -> bool:
    """Whether a level's currents are positive and narrow enough to fit their logarithms."""
    return bool(value.min() > 0 and value.std() < MAX_SCATTER * float(value.mean()))


def constant(reads: Reads) -> Lines:
    """Constant currents: all reads of a cell are of one current."""
    variance = reads.repeat_variance()
    added = 0.0 if variance is None else variance * float((1 / reads.n).mean())
    noise = None if variance is None else float(np.sqrt(variance))
    return Lines(reads.sample(np.zeros(len(reads.n))), noise, added)


def fit_lines(reads: Reads) -> Lines:
    """Line of each cell; one line through all cells if none was read at two times."""
    dx = reads.x - reads.x_mean[reads.cell]
    sxx: Values = np.asarray(np.bincount(reads.cell, dx * dx))
    return _own_lines(reads, dx, sxx) if (sxx > 1e-12).any() else _pooled_line(reads, sxx)


def _own_lines(reads: Reads, dx: Values, sxx: Values) -> Lines:
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
    sample = reads.sample(slope)
    scale = reads.scale(sample)
    added = 0.0
    if noise is not None:
        lever = np.divide(reads.x_mean**2, sxx, out=np.zeros(len(n)), where=has_line)
        added = noise * float((1 / n + lever).mean()) * scale**2
    nu_sigma = float(np.sqrt(max(0.0, variance - of_noise)))
    of_reads = None if noise is None else float(np.sqrt(noise)) * scale
    return Lines(sample, of_reads, added, nu, nu_error, nu_sigma)


def _pooled_line(reads: Reads, sxx: Values) -> Lines:
    """One line through all cells, each of which was read at a single time.

    The squared residuals grow with x^2 times the variance of nu over cells.
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
    sample = reads.sample(np.zeros(len(reads.n)) + slope)
    scale = reads.scale(sample)
    variance = None if sxx.any() else reads.repeat_variance()
    added = 0.0
    if variance is not None:
        added = variance * float((1 / reads.n).mean()) * scale**2
    elif len(y) == len(reads.n):
        added = (scale * nu_sigma) ** 2 * float((x**2).mean())
    noise = None if variance is None else float(np.sqrt(variance)) * scale
    return Lines(sample, noise, added, -slope, error, nu_sigma)
