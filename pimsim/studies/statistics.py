"""Accuracy over chips, with what can be said of its mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit  # scipy.stats takes a second to import


@dataclass(frozen=True)
class Accuracy:
    """Accuracy of many chips on one set of sequences, as fractions.

    Attributes
    ----------
    ideal : float
        Accuracy without any non-ideality.
    per_chip : (n_chips,) float64
    """

    ideal: float
    per_chip: NDArray[np.float64]

    @property
    def mean(self) -> float:
        return float(self.per_chip.mean())

    @property
    def std(self) -> float | None:
        """Standard deviation over chips (n - 1); None for a single chip."""
        return float(self.per_chip.std(ddof=1)) if len(self.per_chip) > 1 else None

    @property
    def min(self) -> float:
        return float(self.per_chip.min())

    @property
    def max(self) -> float:
        return float(self.per_chip.max())

    @property
    def ci95(self) -> tuple[float, float] | None:
        """95 % confidence interval of the mean over chips (Student's t); None for one chip.

        It covers the choice of chips, not the choice of sequences.
        """
        if self.std is None:
            return None
        n = len(self.per_chip)
        half = float(stdtrit(n - 1, 0.975)) * self.std / n**0.5
        return self.mean - half, self.mean + half

    def as_dict(self) -> dict[str, object]:
        return {
            "ideal": self.ideal,
            "mean": self.mean,
            "std": self.std,
            "min": self.min,
            "max": self.max,
            "ci95": self.ci95,
            "per_chip": self.per_chip.tolist(),
        }
