"""Sum of several signals, such as of a residual connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.grid import require
from pimsim.workload.layers.base import Layer
from pimsim.workload.signals import Shape
from pimsim.workload.windows import Span

MAX_FACTOR = 2**15


@dataclass(frozen=True)
class Add(Layer):
    """Sum of the codes of signals of one shape, each times a whole number, as a code.

    Of a single signal it is a function from code to code.

    Attributes
    ----------
    factors : (n_inputs,) int32
        Ratio of the steps of the inputs' codes, in whole numbers.
    neurons : CodeNeurons
        One neuron for all places, or one for each channel; zero points of the inputs are in its
        limits.
    """

    factors: NDArray[np.int32]
    neurons: CodeNeurons
    kind: ClassVar[str] = "add"

    def __post_init__(self) -> None:
        require(
            self.factors.dtype == np.int32 and self.factors.ndim == 1 and len(self.factors) >= 1,
            "adds signals with an int32 factor for each",
        )
        require(
            bool((np.abs(self.factors.astype(np.int64)) <= MAX_FACTOR).all()),
            f"factors of an addition reach {MAX_FACTOR} at most",
        )

    @property
    def details(self) -> str:
        return " : ".join(map(str, self.factors))

    def shape(self, *inputs: Shape) -> Shape:
        require(
            len(inputs) == len(self.factors),
            f"has {len(self.factors)} factors and gets {len(inputs)} inputs",
        )
        first = inputs[0]
        for other in inputs[1:]:
            same = (other.width, other.places, other.has_steps)
            require(
                same == (first.width, first.places, first.has_steps), f"adds {other} to {first}"
            )
        require(
            self.neurons.n_columns in (1, first.width),
            f"has {self.neurons.n_columns} neurons for {first.width} channels",
        )
        return Shape(first.width, first.places, first.has_steps, self.neurons.format)

    def combine(self, inputs: Sequence[Any], shapes: Sequence[Shape]) -> Any:
        total = sum(
            int(factor) * values.astype(np.int64)
            for factor, values in zip(self.factors, inputs, strict=True)
        )
        return self.neurons.of_sums(np.asarray(total))

    def operations(self, *inputs: Shape) -> int:
        # a product and an addition for each input
        return 2 * self.shape(*inputs).size * len(inputs)

    def span(self, output: Span, axis: int) -> Span:
        return output
