"""Mean over windows of a feature map of codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from pimsim.errors import PimsimError
from pimsim.workload.layers.base import Layer, map_sides, on_map, require_one
from pimsim.workload.signals import Shape
from pimsim.workload.windows import Sides, Span, Window


@dataclass(frozen=True)
class AveragePool(Layer):
    """Mean of codes over windows without padding, channel by channel, rounded half up."""

    size: Sides
    stride: Sides
    kind: ClassVar[str] = "averagepool"

    def __post_init__(self) -> None:
        self.window  # noqa: B018 - checked when the layer is made

    @cached_property
    def window(self) -> Window:
        return Window.of(self.size, self.stride, 0, 1)

    @property
    def details(self) -> str:
        return f"{self.window} / {self.window.stride[0]}"

    def shape(self, *inputs: Shape) -> Shape:
        one = require_one(inputs)
        if one.codes is None or one.codes.bits == 1:
            raise PimsimError(
                "takes the mean of bits, which is no bit",
                remedy="Take the maximum, or train the network with codes of several bits",
            )
        places = self.window.outputs(map_sides(one))
        return Shape(one.width, on_map(one, places), one.has_steps, one.codes)

    def combine(self, inputs: Sequence[Any], shapes: Sequence[Shape]) -> Any:
        values, shape = inputs[0], shapes[0]
        maps = values.reshape(len(values), *map_sides(shape), -1).astype(np.int64)
        n = self.window.size
        found = (np.sum(self.window.positions(maps), axis=0) + n // 2) // n
        return found.astype(np.uint8).reshape(len(found), *self.shape(shape).places, -1)

    def operations(self, *inputs: Shape) -> int:
        return self.shape(*inputs).size * self.window.size

    def span(self, output: Span, axis: int) -> Span:
        return self.window.span(output, axis)
