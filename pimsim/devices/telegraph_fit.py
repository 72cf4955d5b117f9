"""Telegraph noise in repeated reads: which cells sit in one of two states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# reads that a cell needs to be looked at, and reads and cells that are looked at at most
LEAST_READS = 16
MOST_READS = 256
MOST_CELLS = 1000
STEPS = 60
# how much two states must be better than one, by the Bayesian information criterion:
# very strong evidence of Kass and Raftery, J. Am. Stat. Assoc. 90 (1995)
EVIDENCE = 10.0
# below this share of cells, two states are what chance finds
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class TelegraphFit:
    """Cells with a trap, of those looked at.

    Attributes
    ----------
    n_cells : int
        Looked at.
    amplitude : (n_found,) float64
        Share of its current that each trap takes.
    occupancy : (n_found,) float64
        Share of the time in which it does.
    switching_time : float or None
        Median time in which a state is forgotten [s]; None without times, or where reads
        are too far apart to tell.
    lumped : float
        Standard deviation over cells and time, of the current.
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
        return len(self.amplitude) >= 3 and self.share >= LEAST_SHARE

    @property
    def lumped(self) -> float:
        if not self.is_present:
            return 0.0
        square = self.occupancy * (1 - self.occupancy) * self.amplitude**2
        return float(np.sqrt(square.sum() / self.n_cells))


def fit_telegraph(
    residual: NDArray[np.float64], event: NDArray[np.int64], time: NDArray[np.float64] | None
) -> TelegraphFit:
    """Fit one and two states to the reads of each cell, and keep the better.

    Parameters
    ----------
    residual : (n_reads,) float64
        Deviation of each read from its cell's drift, of its current.
    event : (n_reads,) int64
        Which programmed cell a read is of, 0 to n - 1.
    time : (n_reads,) float64 or None

    Notes
    -----
    A mixture of two normals of one spread, by expectation maximisation from the split at
    the mean; two states are kept where their BIC is better than that of one normal by
    `EVIDENCE`.
    """
    count = np.bincount(event)
    chosen = np.flatnonzero(count >= LEAST_READS)
    if not len(chosen):
        return TelegraphFit(0, np.empty(0), np.empty(0), None)
    if len(chosen) > MOST_CELLS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, MOST_CELLS).astype(int)]
    order = np.lexsort((np.arange(len(event)) if time is None else time, event))
    first = np.searchsorted(event[order], chosen)
    n = np.minimum(count[chosen], MOST_READS)
    column = np.arange(n.max())
    there = column < n[:, None]
    rows = order[np.minimum(first[:, None] + column, len(order) - 1)]
    x = np.where(there, residual[rows], 0.0)
    low, high, weight, gain = _two_states(x, there, n)
    found = gain > 2 * np.log(n) + EVIDENCE
    amplitude = ((high - low) / (1 + high))[found]
    switching = None
    if time is not None and found.any():
        taken = (x < ((low + high) / 2)[:, None])[found]
        switching = _switching_time(taken, there[found], time[rows][found])
    inside = amplitude < 1
    return TelegraphFit(len(chosen), amplitude[inside], weight[found][inside], switching)


def _two_states(
    x: NDArray[np.float64], there: NDArray[np.bool_], n: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Low and high state, weight of the low one, and twice the gain in log likelihood."""
    mean = x.sum(axis=1) / n
    variance = (np.where(there, x - mean[:, None], 0.0) ** 2).sum(axis=1) / n
    variance = np.maximum(variance, 1e-30)
    of_low = np.where(there, x < mean[:, None], 0.0)
    for _ in range(STEPS):
        in_low = of_low.sum(axis=1).clip(1e-9, None)
        in_high = (n - in_low).clip(1e-9, None)
        low = (of_low * x).sum(axis=1) / in_low
        high = ((there - of_low) * x).sum(axis=1) / in_high
        square = of_low * (x - low[:, None]) ** 2 + (there - of_low) * (x - high[:, None]) ** 2
        # a spread of nothing around one read would win any contest
        narrow = np.maximum(square.sum(axis=1) / n, 1e-4 * variance)
        weight = (in_low / n).clip(1e-6, 1 - 1e-6)
        log_low = np.log(weight)[:, None] - (x - low[:, None]) ** 2 / (2 * narrow[:, None])
        log_high = np.log1p(-weight)[:, None] - (x - high[:, None]) ** 2 / (2 * narrow[:, None])
        both = np.logaddexp(log_low, log_high)
        of_low = np.where(there, np.exp(log_low - both), 0.0)
    one = -0.5 * n * (np.log(variance) + 1)
    two = (both * there).sum(axis=1) - 0.5 * n * np.log(narrow)
    return low, high, weight, 2 * (two - one)


def _switching_time(
    taken: NDArray[np.bool_], there: NDArray[np.bool_], time: NDArray[np.float64]
) -> float | None:
    """Median over cells, from how alike successive reads are: exp(-dt / tau)."""
    pair = there[:, 1:]
    n = pair.sum(axis=1).clip(1)
    share = (taken & there).sum(axis=1) / there.sum(axis=1)
    away = (taken - share[:, None]) * there
    alike = (away[:, 1:] * away[:, :-1]).sum(axis=1) / n / (share * (1 - share)).clip(1e-9)
    step = (np.diff(time, axis=1) * pair).sum(axis=1) / n
    told = (alike > 0.05) & (alike < 0.999) & (step > 0)
    if told.sum() < max(3, len(told) / 2):
        return None
    return float(np.median(-step[told] / np.log(alike[told])))
