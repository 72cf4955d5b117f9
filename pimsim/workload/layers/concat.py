"""Channels of several signals side by side, and feature maps as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pimsim.workload.grid import require
from pimsim.workload.layers.base import Layer, require_one
from pimsim.workload.signals import Shape, common_format
from pimsim.workload.windows import Span


@dataclass(frozen=True)
class Concat(Layer):
    """Channels of several maps (or rows) of equal places, one signal after the other: wires."""

    kind: ClassVar[str] = "concat"

    def shape(self, *inputs: Shape) -> Shape:
        first = inputs[0]
        for other in inputs[1:]:
            require(
                (other.places, other.has_steps) == (first.places, first.has_steps),
                f"joins {other} and {first}",
            )
        width = sum(shape.width for shape in inputs)
        return Shape(width, first.places, first.has_steps, common_format(inputs))

    def combine(self, inputs: Sequence[Any], shapes: Sequence[Shape]) -> Any:
        return np.concatenate(inputs, axis=shapes[0].leading + len(shapes[0].places))

    combine_words = combine

    def span(self, output: Span, axis: int) -> Span:
        return output


@dataclass(frozen=True)
class Flatten(Layer):
    """A feature map as one row, in the order (y, x, channel): wires."""

    kind: ClassVar[str] = "flatten"

    def shape(self, *inputs: Shape) -> Shape:
        one = require_one(inputs)
        return Shape(one.size, (), one.has_steps, one.codes)

    def combine(self, inputs: Sequence[Any], shapes: Sequence[Shape]) -> Any:
        values, shape = inputs[0], shapes[0]
        end = shape.leading + len(shape.places) + 1
        return values.reshape(*values.shape[: shape.leading], -1, *values.shape[end:])

    combine_words = combine

    def span(self, output: Span, axis: int) -> Span:
        return output
