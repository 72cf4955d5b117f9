"""A metric over chips and reads: mean, standard deviations, confidence interval, yield."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, stdtrit  # scipy.stats takes a second to import

from pimsim.workload.metrics import ACCURACY, Metric


@dataclass(frozen=True)
class Sample:
    """Metric of many chips on one set of sequences; accuracies as fractions.

    Attributes
    ----------
    ideal : float
        Without any non-ideality.
    per_read : (n_chips, n_reads) float64
    until_ci95 : float or None
        Half width of the interval of the mean that was asked for.
    metric : Metric
    """

    ideal: float
    per_read: NDArray[np.float64]
    until_ci95: float | None = None
    metric: Metric = ACCURACY

    @property
    def per_chip(self) -> NDArray[np.float64]:
        """(n_chips,) float64: mean over the reads of each chip."""
        return np.asarray(self.per_read.mean(axis=1))

    @property
    def mean(self) -> float:
        return float(self.per_chip.mean())

    @property
    def std(self) -> float | None:
        """Standard deviation of `per_chip` (n - 1); None for a single chip."""
        return float(self.per_chip.std(ddof=1)) if len(self.per_read) > 1 else None

    @property
    def min(self) -> float:
        return float(self.per_chip.min())

    @property
    def max(self) -> float:
        return float(self.per_chip.max())

    @property
    def ci95(self) -> tuple[float, float] | None:
        """95 % confidence interval of the mean over chips (Student's t); None for one chip.

        It covers the choice of chips and their noise, not the choice of sequences.
        """
        half = self._half_width
        return None if half is None else (self.mean - half, self.mean + half)

    @property
    def is_precise(self) -> bool:
        """Whether the interval of the mean is as narrow as requested."""
        if self.until_ci95 is None:
            return True
        return self._half_width is not None and self._half_width <= self.until_ci95

    @property
    def _half_width(self) -> float | None:
        if self.std is None:
            return None
        n = len(self.per_read)
        return float(stdtrit(n - 1, 0.975)) * self.std / math.sqrt(n)

    @property
    def std_reads(self) -> float | None:
        """Standard deviation between reads of the same chip, pooled; None for a single read."""
        if self.per_read.shape[1] == 1:
            return None
        return float(self.per_read.var(axis=1, ddof=1).mean() ** 0.5)

    @property
    def std_chips(self) -> float | None:
        """Standard deviation between chips, without that between reads.

        The variance of `per_chip` holds that of the reads divided by their number (one-way
        analysis of variance with random effects); where less is left than nothing, 0.
        """
        if self.std is None or self.std_reads is None:
            return None
        left = self.std**2 - self.std_reads**2 / self.per_read.shape[1]
        return float(max(0.0, left) ** 0.5)

    def yield_at(self, target: float) -> Yield:
        """Share of chips that are at least as good as a target."""
        good = self.metric.reached(self.per_chip, target)
        return Yield.of(int(good.sum()), len(self.per_read), target)


@dataclass(frozen=True)
class Yield:
    """Share of chips that reach a target, with its 95 % interval (Clopper and Pearson 1934).

    Attributes
    ----------
    target : float
        Accuracy, or another metric.
    share : float
    ci95 : tuple of two floats
        Exact: it holds the true share at least 95 times of 100, whatever that is.
    """

    target: float
    share: float
    ci95: tuple[float, float]

    @classmethod
    def of(cls, good: int, n: int, target: float) -> Yield:
        """Yield from the number of chips that reach the target, of n."""
        low = float(betaincinv(good, n - good + 1, 0.025)) if good else 0.0
        high = float(betaincinv(good + 1, n - good, 0.975)) if good < n else 1.0
        return cls(target, good / n, (low, high))


def summary(values: NDArray[np.float64]) -> dict[str, float]:
    """Mean, standard deviation (n - 1; 0 for one), smallest and largest."""
    return {
        "mean": float(values.mean()),
        "std": float(values.std(ddof=1)) if len(values) > 1 else 0.0,
        "min": float(values.min()),
        "max": float(values.max()),
    }
