"""Fit of telegraph noise to repeated reads: cells that switch between two states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
# fewest traps of a level for its own amplitude, and cells for its own share
MIN_TRAPS = 3
MIN_CELLS = 8
# fewest changes of state: a cell that relaxes changes once, or twice beside the common course
MIN_MOVES = 3


@dataclass(frozen=True)
class TelegraphFit:
    """Traps found in the cells that were analysed.

    Attributes
    ----------
    n_by_level : (n_levels,) int64
        Number of cells analysed in each level.
    level : (n_found,) int64
        Level of each trap.
    amplitude : (n_found,) float64
        Relative current step of each trap.
    occupancy : (n_found,) float64
        Share of the time in which the trap lowers the current.
    switching_time : float or None
        Median correlation time [s]; None without times, or if reads are too far apart.
    """

    n_by_level: NDArray[np.int64]
    level: NDArray[np.int64]
    amplitude: NDArray[np.float64]
    occupancy: NDArray[np.float64]
    switching_time: float | None

    @property
    def n_cells(self) -> int:
        """Number of cells analysed."""
        return int(self.n_by_level.sum())

    @property
    def share(self) -> float:
        """Share of the analysed cells that have a trap."""
        return len(self.amplitude) / self.n_cells if self.n_cells else 0.0

    @property
    def is_present(self) -> bool:
        """Whether there are more cells with traps than come about at random."""
        return len(self.amplitude) >= MIN_TRAPS and self.share >= MIN_SHARE

    @property
    def lumped(self) -> float:
        """Relative standard deviation of the current over all cells and time."""
        if not self.is_present:
            return 0.0
        return float(np.sqrt(self._squares.sum() / self.n_cells))

    @property
    def lumped_by_level(self) -> NDArray[np.float64]:
        """Relative standard deviation of each level; that of all where `pooled_share`."""
        square = np.bincount(self.level, self._squares, minlength=len(self.n_by_level))
        own = np.sqrt(square / np.maximum(self.n_by_level, 1))
        return np.where(self.pooled_share, self.lumped, own if self.is_present else 0.0)

    @property
    def share_by_level(self) -> NDArray[np.float64]:
        """Share of cells with a trap, per level; that of all levels where `pooled_share`."""
        found = np.bincount(self.level, minlength=len(self.n_by_level))
        return np.where(self.pooled_share, self.share, found / np.maximum(self.n_by_level, 1))

    @property
    def amplitude_by_level(self) -> NDArray[np.float64]:
        """Median amplitude of a level's traps; that of all traps where `pooled_amplitude`."""
        logs = np.log(self.amplitude)
        own = [
            float(np.exp(np.median(logs[self.level == k if n >= MIN_TRAPS else slice(None)])))
            for k, n in enumerate(np.bincount(self.level, minlength=len(self.n_by_level)))
        ]
        return np.array(own)

    @property
    def amplitude_spread(self) -> float:
        """Standard deviation of ln A around the median of its level."""
        away = np.log(self.amplitude / self.amplitude_by_level[self.level])
        return float(np.sqrt((away**2).sum() / max(len(away) - 1, 1)))

    @property
    def pooled_share(self) -> NDArray[np.bool_]:
        """Levels of too few cells for a share of their own."""
        return self.n_by_level < MIN_CELLS

    @property
    def pooled_amplitude(self) -> NDArray[np.bool_]:
        """Levels of too few traps for an amplitude of their own."""
        return np.bincount(self.level, minlength=len(self.n_by_level)) < MIN_TRAPS

    def reordered(self, order: Sequence[int]) -> TelegraphFit:
        """The same with the levels in another order: level `order[k]` becomes level k."""
        place = np.argsort(order)
        return replace(self, n_by_level=self.n_by_level[list(order)], level=place[self.level])

    @property
    def _squares(self) -> NDArray[np.float64]:
        return self.occupancy * (1 - self.occupancy) * self.amplitude**2


def fit_telegraph(
    residual: NDArray[np.float64],
    event: NDArray[np.int64],
    time: NDArray[np.float64] | None,
    level: NDArray[np.int64],
    n_levels: int,
) -> TelegraphFit:
    """Fit one and two states to the reads of each cell, and keep the better fit.

    Parameters
    ----------
    residual : (n_reads,) float64
        Relative deviation of each read from its cell's course in time.
    event : (n_reads,) int64
        Index of the programmed cell of each read, 0 to n - 1.
    time : (n_reads,) float64 or None
    level : (n_reads,) int64
        Level of each read, below `n_levels`.

    Notes
    -----
    A mixture of two normal distributions with the same standard deviation is fitted by
    expectation maximisation, starting from a split at the mean. Two states are accepted if
    their BIC is better than that of one normal distribution by `EVIDENCE`, and if the cell
    changed its state `MIN_MOVES` times: relaxation goes one way.
    """
    count = np.bincount(event)
    chosen = np.flatnonzero(count >= MIN_READS)
    of_cell = np.zeros(len(count), np.int64)
    of_cell[event] = level
    if not len(chosen):
        none = np.zeros(0, np.int64)
        return TelegraphFit(np.zeros(n_levels, np.int64), none, np.empty(0), np.empty(0), None)
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
    is_low = (x < ((low + high) / 2)[:, None]) & present
    moves = ((is_low[:, 1:] != is_low[:, :-1]) & present[:, 1:]).sum(axis=1)
    found = (gain > 2 * np.log(n) + EVIDENCE) & (moves >= MIN_MOVES)
    amplitude = ((high - low) / (1 + high))[found]
    switching = None
    if time is not None and found.any():
        switching = _switching_time(is_low[found], present[found], time[rows][found])
    inside = amplitude < 1
    return TelegraphFit(
        np.bincount(of_cell[chosen], minlength=n_levels), of_cell[chosen][found][inside],
        amplitude[inside], weight[found][inside], switching,
    )  # fmt: skip


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
