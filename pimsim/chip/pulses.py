"""Pulses by which the numbers of a tile come to its word lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
    """

    weights: tuple[int, ...]
    largest: int
    subtracted: NDArray[np.int64]

    @property
    def total(self) -> int:
        """Sum of the sizes of the weights."""
        return sum(abs(weight) for weight in self.weights)

    @property
    def squares(self) -> int:
        """Sum of the squared weights."""
        return sum(weight**2 for weight in self.weights)

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


def bit_pulses(n_bits: int, n_rows: int) -> Pulses:
    """A pulse for each bit, whose lines are on or off."""
    return Pulses(tuple(2**bit for bit in range(n_bits)), 1, np.zeros(n_rows, np.int64))
