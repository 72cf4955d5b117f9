"""Neurons: from sums of a matrix to bits, codes or sigmoids, without any error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.signals import Bits, Codes, Values

# sums below this are exact in float32, in any order
EXACT_FLOAT32 = 2**24
# thresholds are rounded to this before they are made integers, so that the last bits in
# which two machines' logarithms may differ decide nothing
_GRID = 2.0**-20


def decide(matrix: LevelMatrix, bits: Bits) -> Bits:
    """Bits of one matrix (..., n_columns): 1 where sum(k x) > threshold, strictly."""
    # float64 holds these integers exactly and is quicker than integer matmul
    sums = bits.astype(np.float64) @ matrix.levels.astype(np.float64)
    return (sums > matrix.thresholds).astype(np.uint8)


def sigmoid(x: Values) -> Values:
    """1 / (1 + exp(-x)), without overflow."""
    shares: Values = np.float32(0.5) * (np.tanh(np.float32(0.5) * x) + np.float32(1.0))
    return shares


@dataclass(frozen=True)
class Activation:
    """Sigmoid of an integer sum, rounded to a code.

    Attributes
    ----------
    bits : int
        Bits of a code, at most 8.
    temperature : float
        Temperature of the sigmoid, as in training.
    """

    bits: int = 8
    temperature: float = 1.0

    @property
    def top(self) -> int:
        """The code of 1."""
        return int(2**self.bits - 1)

    def limits(self) -> NDArray[np.float64]:
        """Smallest pre-activation (top,) of every code above 0 [units of pre-activation]."""
        halves = (np.arange(1, self.top + 1) - 0.5) / self.top
        return self.temperature * np.log(halves / (1 - halves))

    def integer_limits(self, unit: float) -> NDArray[np.int64]:
        """Limits of integer sums whose step is `unit`."""
        return np.ceil(np.round(self.limits() / unit / _GRID) * _GRID).astype(np.int64)

    def value_limits(self) -> NDArray[np.float64]:
        """Limits of real pre-activations, on a binary grid."""
        return np.asarray(np.round(self.limits() / _GRID) * _GRID)

    def of_values(self, values: NDArray[np.float64]) -> Codes:
        """Codes of real pre-activations."""
        return np.searchsorted(self.value_limits(), values, side="right").astype(np.uint8)

    def of_sums(self, sums: NDArray[np.int64], unit: float) -> Codes:
        """Codes of integer sums."""
        found = np.searchsorted(self.integer_limits(unit), sums, side="right")
        return found.astype(np.uint8)

    def unit(self, matrix: LevelMatrix) -> float:
        """Step of a sum of levels times codes [units of pre-activation]."""
        return matrix.alpha / matrix.top_level / self.top


def weighted_sums(codes: Codes, levels: NDArray[np.int8], top: int) -> NDArray[np.int64]:
    """sum(level x code) over the last axis, exact."""
    largest = int(np.abs(levels.astype(np.int64)).sum(axis=0).max()) * top
    kind = np.float32 if largest < EXACT_FLOAT32 else np.float64
    return np.asarray(codes.astype(kind) @ levels.astype(kind)).astype(np.int64)
