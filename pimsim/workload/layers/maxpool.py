"""Maximum over windows of a feature map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pimsim.workload.grid import require
from pimsim.workload.layers.base import Layer, Span, cut_side, require_map, require_one
from pimsim.workload.patches import pool
from pimsim.workload.signals import Shape


@dataclass(frozen=True)
class MaxPool(Layer):
    """Maximum over size x size windows, channel by channel; of bits, an OR gate."""

    size: int
    stride: int
    kind: ClassVar[str] = "maxpool"

    def __post_init__(self) -> None:
        require(self.size >= 1 and self.stride >= 1, "pool size and stride are at least 1")

    @property
    def details(self) -> str:
        return f"{self.size} x {self.size} / {self.stride}"

    def shape(self, *inputs: Shape) -> Shape:
        one = require_one(inputs)
        sides = require_map(one)
        problem = f"cuts {self.size} x {self.size} windows from {sides[0]} x {sides[1]} maps"
        height, width = (cut_side(side, self.size, self.stride, 0, problem) for side in sides)
        return Shape(one.width, (height, width), one.has_steps)

    def combine(self, inputs: Sequence[Any], largest: Callable[..., Any]) -> Any:
        return pool(inputs[0], self.size, self.stride, largest)

    def span(self, output: Span) -> Span:
        return Span(output.first * self.stride, output.last * self.stride + self.size - 1)
