"""Fit of telegraph noise to repeated reads: cells that switch between two states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# fewest reads of a cell that is analysed; most reads per cell and cells that are analysed
MIN_READS = 16
MAX_READS = 256
MAX_CELLS = 1000
N_ITERATIONS = 60
# advantage of two states over one by the Bayesian information criterion, from which on they
# are accepted: very strong evidence of Kass and Raftery, J. Am. Stat. Assoc. 90 (1995)
EVIDENCE = 10.0
# smallest share of cells with two states that is not taken for chance
MIN_SHARE = 0.01


@dataclass(frozen=True)
class TelegraphFit:
    """Traps found in the cells that were analysed.

    Attributes
    ----------
    n_cells : int
        Number of cells analysed.
    amplitude : (n_found,) float64
        Relative current step of each trap.
    occupancy : (n_found,) float64
        Share of the time in which the trap lowers the current.
    switching_time : float or None
        Median correlation time [s]; None without times, or if reads are too far apart.
    lumped : float
        Relative standard deviation of the current over cells and time.
    """

    n_cells: int
    amplitude: NDArray[np.float64]
    occupancy: NDArray[np.float64]
    switching_time: float | None

    @property
    def share(self) -> float:
        return len(self.amplitude) / self.n_cells if self.n_cells else 0.0

    @property
    def is_present(self) -> bool:
        return len(self.amplitude) >= 3 and self.share >= MIN_SHARE

    @property
    def lumped(self) -> float:
        if not self.is_present:
            return 0.0
        square = self.occupancy * (1 - self.occupancy) * self.amplitude**2
        return float(np.sqrt(square.sum() / self.n_cells))


def fit_telegraph(
    residual: NDArray[np.float64], event: NDArray[np.int64], time: NDArray[np.float64] | None
) -> TelegraphFit:
    """Fit one and two states to the reads of each cell, and keep the better fit.

    Parameters
    ----------
    residual : (n_reads,) float64
        Relative deviation of each read from its cell's drift line.
    event : (n_reads,) int64
        Index of the programmed cell of each read, 0 to n - 1.
    time : (n_reads,) float64 or None

    Notes
    -----
    A mixture of two normal distributions with the same standard deviation is fitted by
    expectation maximisation, starting from a split at the mean. Two states are accepted if
    their BIC is better than that of one normal distribution by `EVIDENCE`.
    """
    count = np.bincount(event)
    chosen = np.flatnonzero(count >= MIN_READS)
    if not len(chosen):
        return TelegraphFit(0, np.empty(0), np.empty(0), None)
    if len(chosen) > MAX_CELLS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, MAX_CELLS).astype(int)]
    order = np.lexsort((np.arange(len(event)) if time is None else time, event))
    first = np.searchsorted(event[order], chosen)
    n = np.minimum(count[chosen], MAX_READS)
    column = np.arange(n.max())
    present = column < n[:, None]
    rows = order[np.minimum(first[:, None] + column, len(order) - 1)]
    x = np.where(present, residual[rows], 0.0)
    low, high, weight, gain = _two_states(x, present, n)
    found = gain > 2 * np.log(n) + EVIDENCE
    amplitude = ((high - low) / (1 + high))[found]
    switching = None
    if time is not None and found.any():
        taken = (x < ((low + high) / 2)[:, None])[found]
        switching = _switching_time(taken, present[found], time[rows][found])
    inside = amplitude < 1
    return TelegraphFit(len(chosen), amplitude[inside], weight[found][inside], switching)


def _two_states(
    x: NDArray[np.float64], present: NDArray[np.bool_], n: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Low and high state, weight of the low state, and twice the gain in log likelihood."""
    mean = x.sum(axis=1) / n
    variance = (np.where(present, x - mean[:, None], 0.0) ** 2).sum(axis=1) / n
    variance = np.maximum(variance, 1e-30)
    of_low = np.where(present, x < mean[:, None], 0.0)
    for _ in range(N_ITERATIONS):
        in_low = of_low.sum(axis=1).clip(1e-9, None)
        in_high = (n - in_low).clip(1e-9, None)
        low = (of_low * x).sum(axis=1) / in_low
        high = ((present - of_low) * x).sum(axis=1) / in_high
        square = of_low * (x - low[:, None]) ** 2 + (present - of_low) * (x - high[:, None]) ** 2
        # a standard deviation of zero around a single read would have infinite likelihood
        narrow = np.maximum(square.sum(axis=1) / n, 1e-4 * variance)
        weight = (in_low / n).clip(1e-6, 1 - 1e-6)
        log_low = np.log(weight)[:, None] - (x - low[:, None]) ** 2 / (2 * narrow[:, None])
        log_high = np.log1p(-weight)[:, None] - (x - high[:, None]) ** 2 / (2 * narrow[:, None])
        both = np.logaddexp(log_low, log_high)
        of_low = np.where(present, np.exp(log_low - both), 0.0)
    one = -0.5 * n * (np.log(variance) + 1)
    two = (both * present).sum(axis=1) - 0.5 * n * np.log(narrow)
    return low, high, weight, 2 * (two - one)


def _switching_time(
    taken: NDArray[np.bool_], present: NDArray[np.bool_], time: NDArray[np.float64]
) -> float | None:
    """Median over cells of tau, from the correlation exp(-dt / tau) of successive reads."""
    pair = present[:, 1:]
    n = pair.sum(axis=1).clip(1)
    share = (taken & present).sum(axis=1) / present.sum(axis=1)
    away = (taken - share[:, None]) * present
    correlation = (away[:, 1:] * away[:, :-1]).sum(axis=1) / n / (share * (1 - share)).clip(1e-9)
    step = (np.diff(time, axis=1) * pair).sum(axis=1) / n
    usable = (correlation > 0.05) & (correlation < 0.999) & (step > 0)
    if usable.sum() < max(3, len(usable) / 2):
        return None
    return float(np.median(-step[usable] / np.log(correlation[usable])))
