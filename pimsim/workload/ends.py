"""Encoder and output layer: the two real-valued layers, which digital units compute."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import shown
from pimsim.workload.grid import require, require_on_grid
from pimsim.workload.layers.base import concatenated, cut_side, require_map
from pimsim.workload.layers.conv2d import require_steps
from pimsim.workload.metrics import METRICS
from pimsim.workload.patches import patches
from pimsim.workload.signals import Shape


class Encoder:
    """Real-valued input layer: bit = 1 if x . weights > threshold, at each place.

    Some have no weights: they hand on `codes`, and nothing asks them for sums.

    Attributes
    ----------
    weights : (..., n_in, n_out) float32
        On `WEIGHT_GRID`.
    thresholds : (n_out,) float32
        On the same grid.
    """

    kind: ClassVar[str]
    weights: NDArray[np.float32]
    thresholds: NDArray[np.float32]

    def shape(self, inputs: Shape) -> Shape:
        """Shape of its output; raises a PimsimError where the inputs do not fit."""
        raise NotImplementedError

    def codes(self, inputs: NDArray[np.float64], one: float = 1) -> NDArray[np.uint8]:
        """Bits or codes of an encoder without weights; `one` is the number of a bit that is 1."""
        return inputs.astype(np.uint8)

    @property
    def description(self) -> str:
        """Its kind and size, in one line."""
        shape = " x ".join(map(str, self.weights.shape))
        return f"{self.kind}, {shape}, real-valued"

    def rows(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inputs of every dot product, (n, [n_steps,] *places, n_rows)."""
        raise NotImplementedError

    @property
    def n_weights(self) -> int:
        """Weights, each multiplied once at each place."""
        return int(self.weights.size)

    @property
    def has_weights(self) -> bool:
        """Whether it computes sums; `codes` are what it hands on if not."""
        return self.n_weights > 0

    @property
    def columns(self) -> NDArray[np.float64]:
        """Weights (n_rows, n_out) of the dot products."""
        return np.asarray(self.weights, np.float64).reshape(-1, self.weights.shape[-1])

    @property
    def n_inputs(self) -> int:
        """Number of products in one dot product."""
        return int(np.prod(self.weights.shape[:-1]))

    @property
    def n_outputs(self) -> int:
        return int(self.weights.shape[-1])

    def preactivations(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """x . w - threshold, exact on the binary grids."""
        return self.rows(inputs) @ self.columns - np.asarray(self.thresholds, np.float64)


@dataclass(frozen=True)
class DenseEncoder(Encoder):
    """A fully connected input layer, time step by time step, or of a whole sequence or image.

    `weights` (n_in, n_out) and `thresholds` (n_out,) are float32 on `WEIGHT_GRID`.
    """

    weights: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    kind: ClassVar[str] = "dense"

    def __post_init__(self) -> None:
        require(self.weights.ndim == 2, "dense encoder weights must be 2-D (n_in, n_out)")
        require(self.thresholds.shape == self.weights.shape[1:], "one threshold per encoder output")
        require_on_grid("encoder weights", self.weights)
        require_on_grid("encoder thresholds", self.thresholds)

    def shape(self, inputs: Shape) -> Shape:
        _require_inputs(self.n_inputs, inputs.size)
        return Shape(self.n_outputs, (), inputs.has_steps)

    def rows(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        # a vector, or one for each time step, is a row; a map is made one
        is_row = inputs.ndim < 4 and inputs.shape[-1] == self.n_inputs
        return inputs if is_row else inputs.reshape(len(inputs), -1)


@dataclass(frozen=True)
class ConvEncoder(Encoder):
    """Real-valued first convolution, on images.

    `weights` (kernel, kernel, c_in, c_out) and `thresholds` (c_out,), as in `DenseEncoder`.
    """

    weights: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    stride: int = 1
    padding: int = 0
    kind: ClassVar[str] = "conv"

    def __post_init__(self) -> None:
        require(
            self.weights.ndim == 4, "conv encoder weights must be (kernel, kernel, c_in, c_out)"
        )
        require(self.weights.shape[0] == self.weights.shape[1], "convolution kernels are square")
        require(
            self.thresholds.shape == self.weights.shape[3:], "one threshold per encoder channel"
        )
        require_steps(self.kernel, self.stride, self.padding)
        require_on_grid("encoder weights", self.weights)
        require_on_grid("encoder thresholds", self.thresholds)

    @property
    def kernel(self) -> int:
        return int(self.weights.shape[0])

    def shape(self, inputs: Shape) -> Shape:
        sides = require_map(inputs)
        _require_inputs(self.weights.shape[2], inputs.width)
        problem = f"cuts {self.kernel} x {self.kernel} windows from {sides[0]} x {sides[1]} maps"
        height, width = (
            cut_side(side, self.kernel, self.stride, self.padding, problem) for side in sides
        )
        return Shape(self.n_outputs, (height, width))

    def rows(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        return patches(inputs, self.kernel, self.stride, self.padding)


@dataclass(frozen=True)
class NoEncoder(Encoder):
    """No input layer: `width` bits or codes drive word lines as they are."""

    width: int
    kind: ClassVar[str] = "none"

    @property
    def n_weights(self) -> int:
        return 0

    @property
    def description(self) -> str:
        return "none, inputs as they are"

    def shape(self, inputs: Shape) -> Shape:
        _require_inputs(self.width, inputs.size)
        return Shape(self.width)


@dataclass(frozen=True)
class Output:
    """Real-valued scores of the last bits: `weights` (n_in, n_classes), `biases` (n_classes,).

    Weights (0, n_classes) are none: codes of the last layer, one for each class, are the scores,
    and no unit computes them.

    Attributes
    ----------
    every_step : bool
        Whether there are scores at every time step, not after the last one alone.
    metric : str
        What the scores are measured by, one of `METRICS`.
    scale : float or None
        What scores of this layer are multiplied by to be those of the trained network, whose
        softmax are shares of the classes; None where that is not known, and scores only rank.
    """

    weights: NDArray[np.float32]
    biases: NDArray[np.float32]
    every_step: bool = False
    metric: str = "accuracy"
    scale: float | None = None

    def __post_init__(self) -> None:
        require(
            self.metric in METRICS,
            f"the output's metric is {shown(self.metric)}; known are {', '.join(METRICS)}",
        )
        require(
            self.scale is None or (0 < self.scale < np.inf),
            f"the output's scale is {self.scale}; it must be positive and finite",
        )
        require(
            self.scale is not None or not METRICS[self.metric].needs_scores,
            f"the output needs a scale, without which its scores tell no {self.metric}",
        )
        require(self.weights.ndim == 2, "output weights must be 2-D (n_in, n_classes)")
        require(self.biases.shape == self.weights.shape[1:], "one bias per class")
        require_on_grid("output weights", self.weights)
        require_on_grid("output biases", self.biases)

    @property
    def has_scores(self) -> bool:
        """Whether there are scores; the last layer's own outputs are the result if not."""
        return True

    @property
    def has_weights(self) -> bool:
        """Whether a digital unit computes the scores, and not the last layer itself."""
        return self.weights.size > 0

    @property
    def description(self) -> str:
        """Size, steps and metric, in one line."""
        if not self.has_weights:
            return f"codes of the last layer, {len(self.biases)} classes"
        shape = " x ".join(map(str, self.weights.shape))
        steps = ", at every step" if self.every_step else ""
        metric = METRICS[self.metric]
        measured = f", measured in {metric.name}" if metric.needs_scores else ""
        return f"{shape}, real-valued{steps}{measured}"

    def check(self, inputs: Shape) -> None:
        """Raise a PimsimError unless signals of this shape fit, of each step that is read."""
        found = concatenated([inputs])
        require(
            inputs.has_steps or not self.every_step, f"scores every time step, and gets {inputs}"
        )
        expected = self.weights.shape[0] if self.has_weights else len(self.biases)
        require(expected == found, f"expects {expected} bits and gets {found}")

    def scores(self, values: NDArray[np.generic], one: float = 1) -> NDArray[np.float64]:
        """Scores (..., n_classes) of bits or codes (..., n_in); `one` is the code of 1."""
        if not self.has_weights:
            return values.astype(np.float64)
        weights = np.asarray(self.weights, np.float64)
        return values.astype(np.float64) @ weights + one * np.asarray(self.biases, np.float64)

    def inputs(self, signal: NDArray[Any], shape: Shape) -> NDArray[Any]:
        """Numbers (..., n_in) that are read of a signal (..., [n_steps,] *places, width).

        Parameters
        ----------
        shape : Shape
            Of the signal.
        """
        leading = signal.ndim - len(shape.places) - 1
        flat = signal.reshape(*signal.shape[:leading], shape.size)
        return flat[..., -1, :] if shape.has_steps and not self.every_step else flat

    def trained(self, scores: NDArray[np.float64], one: float = 1) -> NDArray[np.float64]:
        """Scores of `scores` in the scale of the trained network."""
        return scores if self.scale is None else scores * (self.scale / one)


@dataclass(frozen=True)
class NoOutput(Output):
    """No output layer: a network whose last bits or codes are its result."""

    weights: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    biases: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    @property
    def has_scores(self) -> bool:
        return False

    def check(self, inputs: Shape) -> None:
        """Any outputs are a result."""


def codes_as_scores(n_classes: int) -> Output:
    """Output of a network whose last layer gives one code for each class."""
    return Output(np.zeros((0, n_classes), np.float32), np.zeros(n_classes, np.float32))


def _require_inputs(expected: int, found: int) -> None:
    require(expected == found, f"the encoder takes {expected} inputs and gets {found}")
