"""Maximum over windows of a feature map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, ClassVar

import numpy as np

from pimsim.workload.layers.base import Layer, map_sides, on_map, require_one
from pimsim.workload.signals import Shape
from pimsim.workload.windows import Edges, Sides, Span, Window


@dataclass(frozen=True)
class MaxPool(Layer):
    """Maximum over windows, channel by channel; of bits, an OR gate."""

    size: Sides
    stride: Sides
    padding: Edges = 0
    kind: ClassVar[str] = "maxpool"

    def __post_init__(self) -> None:
        self.window  # noqa: B018 - checked when the layer is made

    @cached_property
    def window(self) -> Window:
        return Window.of(self.size, self.stride, self.padding, 1)

    @property
    def details(self) -> str:
        return f"{self.window} / {self.window.stride[0]}"

    def shape(self, *inputs: Shape) -> Shape:
        one = require_one(inputs)
        places = self.window.outputs(map_sides(one))
        return Shape(one.width, on_map(one, places), one.has_steps, one.codes)

    def combine(self, inputs: Sequence[Any], shapes: Sequence[Shape]) -> Any:
        # padding is the smallest code, which no maximum is below
        return self._largest(inputs[0], shapes[0], np.maximum)

    def combine_words(self, inputs: Sequence[Any], shapes: Sequence[Shape]) -> Any:
        return self._largest(inputs[0], shapes[0], np.bitwise_or)

    def _largest(self, values: Any, shape: Shape, larger: Any) -> Any:
        maps = values.reshape(
            len(values), *map_sides(shape), *values.shape[1 + len(shape.places) :]
        )
        found = reduce(larger, self.window.positions(maps))
        return found.reshape(len(found), *self.shape(shape).places, *found.shape[3:])

    def operations(self, *inputs: Shape) -> int:
        return self.shape(*inputs).size * (self.window.size - 1)

    def span(self, output: Span, axis: int) -> Span:
        return self.window.span(output, axis)
