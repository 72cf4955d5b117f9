"""Pulses by which the numbers of a tile come to its word lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.signals import CodeFormat


@dataclass(frozen=True, eq=False)
class Pulses:
    """Pulses of an operation, and what the sum of each counts for.

    Attributes
    ----------
    weights : tuple of int
        Weight of each pulse's sum in the whole.
    largest : int
        Amplitude of a line that is fully on [steps of the drive]; 1 where lines are on or off.
    subtracted : (n_rows,) int64
        Code of each row that is subtracted before it becomes an amplitude: zero points, where parts
        above and below them have pulses of their own.
    zeros : (n_rows,) int64
        Zero point of each row's codes.
    joined : bool
        Whether the samples of all pulses are added, each with its weight, before one conversion.
    """

    weights: tuple[int, ...]
    largest: int
    subtracted: NDArray[np.int64]
    zeros: NDArray[np.int64]
    joined: bool = False

    @property
    def converted(self) -> tuple[int, ...]:
        """Weight of each conversion's code in the whole."""
        return (1,) if self.joined else self.weights

    @property
    def samples(self) -> int:
        """Number of pulses whose samples make one conversion."""
        return len(self.weights) // len(self.converted)

    @property
    def total(self) -> int:
        """Sum of the sizes of the weights of conversions."""
        return sum(abs(weight) for weight in self.converted)

    @property
    def squares(self) -> int:
        """Sum of the squared weights of conversions."""
        return sum(weight**2 for weight in self.converted)

    @property
    def is_split(self) -> bool:
        """Whether parts above and below the zero point have pulses of their own."""
        return min(self.weights) < 0

    def mean(self, active: float) -> float:
        """Mean amplitude of a row over the full one, where each bit is 1 in a share `active`."""
        return active / 2 if self.is_split else active

    def variance(self, active: float) -> float:
        """Variance of that amplitude.

        Notes
        -----
        Bits are independent: for n bits, p (1 - p) (4^n - 1) / 3 over (2^n - 1)^2, which is
        p (1 - p) for one. A row whose number has a sign is on in one of two pulses.
        """
        top = self.largest
        of_codes = active * (1 - active) * (top + 2) / (3 * top)
        if not self.is_split:
            return of_codes
        return (of_codes + active**2) / 2 - active**2 / 4

    def converted_mean(self, active: float) -> float:
        """Mean of what a row adds to one conversion; either sign is as frequent."""
        return 0.0 if self.joined else self.mean(active)

    def converted_variance(self, active: float) -> float:
        """Variance of what a row adds to one conversion."""
        if not self.joined:
            return self.variance(active)
        # one of both pulses at a time
        return 2 * (self.variance(active) + self.mean(active) ** 2)


def bit_pulses(n_bits: int, formats: Sequence[CodeFormat]) -> Pulses:
    """A pulse for each bit, whose lines are on or off."""
    zeros = zero_points(formats)
    return Pulses(tuple(2**bit for bit in range(n_bits)), 1, np.zeros_like(zeros), zeros)


def zero_points(formats: Sequence[CodeFormat]) -> NDArray[np.int64]:
    """Zero point of each row's codes (n_rows,)."""
    return np.array([form.zero for form in formats], np.int64)
