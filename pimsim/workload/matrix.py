"""A weight matrix of integer levels, as held by the arrays of a chip."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.grid import require
from pimsim.workload.signals import CodeFormat


def without_limits(matrix: LevelMatrix) -> LevelMatrix:
    """The matrix alone: without thresholds and neurons."""
    zeros = np.zeros_like(matrix.thresholds)
    return replace(matrix, thresholds=zeros, half_levels=False, neurons=None)


@dataclass(frozen=True)
class LevelMatrix:
    """A weight matrix of integer levels, w = alpha k / L (contract, section 1).

    Attributes
    ----------
    levels : (n_rows, n_columns) int8
        k in -L..L; for two levels k is -1 or +1.
    n_levels : int
        2 L + 1, or 2 for binary weights.
    alpha : float
        Clipping range of the matrix [units of pre-activation].
    thresholds : (n_columns,) int32
        A column gives 1 if sum(k x) > threshold [level units].  Zero for the
        paper's networks; other values become word lines that are always on.
    preactivation_range : float
        Largest |sum(w x)| seen on training data [units of pre-activation]; the
        read-out maps it onto the sense amplifier's input range (section 3).
    preactivation_spread : float
        Standard deviation of sum(w x) on training data [units of pre-activation].
    neurons : CodeNeurons or None
        Neurons of its columns in a network whose signals have formats of their own; None for
        neurons of bits at `thresholds`, or of the chip's codes (a sigmoid).  Of neurons with 1 bit,
        thresholds are the limits less 1; of others they are 0.
    half_levels : bool
        Whether cells hold each threshold half a level higher, so that no sum meets it and noise has
        no ties to decide. It changes no exact decision: sums are whole levels.
    weights : (n_rows, n_columns) float32 or None
        Full-precision weights that the levels stand for, in networks that were trained
        with such: no chip holds them, `run_smooth` does.
    adc_range : float or None
        Largest sum(w x) of the ADCs that the network was trained for [units of pre-activation];
        None where its sums were not rounded.
    """

    levels: NDArray[np.int8]
    n_levels: int
    alpha: float
    thresholds: NDArray[np.int32]
    preactivation_range: float
    preactivation_spread: float
    weights: NDArray[np.float32] | None = None
    neurons: CodeNeurons | None = None
    half_levels: bool = False
    adc_range: float | None = None

    def __post_init__(self) -> None:
        require(
            self.levels.dtype == np.int8 and self.levels.ndim == 2,
            f"levels must be a 2-D int8 array, not {self.levels.ndim}-D {self.levels.dtype}",
        )
        require(
            self.n_levels == 2 or (3 <= self.n_levels <= 255 and self.n_levels % 2 == 1),
            f"n_levels is {self.n_levels}; it is 2 or an odd number from 3 to 255",
        )
        # -128 has no magnitude of its kind
        low, high = (int(end(initial=0)) for end in (self.levels.min, self.levels.max))
        require(
            self.levels.size > 0 and max(-low, high) <= self.top_level,
            f"levels reach {max(-low, high)}, outside "
            f"-{self.top_level}..{self.top_level} of {self.n_levels} levels",
        )
        require(
            self.n_levels != 2 or bool((np.abs(self.levels) == 1).all()),
            "binary weights are -1 or +1, and this matrix holds others",
        )
        require(
            not self.half_levels or self.neurons is None or self.neurons.bits == 1,
            "half levels are of thresholds, and neurons of more than 1 bit have none",
        )
        require(
            self.thresholds.dtype == np.int32 and self.thresholds.shape == (self.levels.shape[1],),
            f"thresholds must be int32 of shape ({self.levels.shape[1]},)",
        )
        if self.neurons is not None:
            require(
                self.neurons.n_columns == self.n_columns,
                f"has neurons for {self.neurons.n_columns} of its {self.n_columns} columns",
            )
            of_bits = self.neurons.limits[:, 0].astype(np.int64) - 1
            expected = of_bits if self.neurons.bits == 1 else np.zeros(self.n_columns)
            require(
                np.array_equal(self.thresholds, expected),
                "thresholds must be the limits of neurons of 1 bit less 1, and 0 beside others",
            )
        if self.weights is not None:
            require(
                self.weights.shape == self.levels.shape and bool(np.isfinite(self.weights).all()),
                f"weights must be finite numbers of shape {self.levels.shape}",
            )
        for name in ("alpha", "preactivation_range", "preactivation_spread", "adc_range"):
            value = getattr(self, name)
            if name == "adc_range" and value is None:
                continue
            require(1e-9 < value < 1e9, f"{name} is {value}; it must be positive and finite")

    @property
    def output_format(self) -> CodeFormat | None:
        """Format of its neurons' codes; None where the chip decides."""
        return None if self.neurons is None else self.neurons.format

    @property
    def top_level(self) -> int:
        """L: the largest level."""
        return max(1, (self.n_levels - 1) // 2)

    @property
    def real_weights(self) -> NDArray[np.float32]:
        """w: full precision where the matrix has it, otherwise alpha k / L."""
        if self.weights is not None:
            return self.weights
        return (self.levels * (self.alpha / self.top_level)).astype(np.float32)

    def of_columns(self, columns: slice) -> LevelMatrix:
        """The matrix of some of its columns."""
        neurons, weights = self.neurons, self.weights
        if neurons is not None:
            neurons = replace(neurons, limits=neurons.limits[columns])
        return replace(
            self,
            levels=self.levels[:, columns],
            thresholds=self.thresholds[columns],
            neurons=neurons,
            weights=None if weights is None else weights[:, columns],
        )

    @property
    def n_rows(self) -> int:
        return int(self.levels.shape[0])

    @property
    def n_columns(self) -> int:
        return int(self.levels.shape[1])
