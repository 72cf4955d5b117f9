"""Convolution of feature maps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.grid import require
from pimsim.workload.layers.base import Layer, map_sides, on_map
from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.signals import Shape
from pimsim.workload.windows import Edges, Sides, Span, Window


@dataclass(frozen=True)
class Conv2d(Layer):
    """Convolution of feature maps, or of sequences (height 1).

    Matrix rows run over (kernel y, kernel x, channel in).  Each further input is a map of the
    output's places, and its channels drive rows after those of the window: a residual connection
    is added on the bit lines.

    Attributes
    ----------
    kernel, stride, dilation : int or (vertical, horizontal)
    padding : int, (vertical, horizontal) or (top, left, bottom, right)
    groups : int
        Groups of channels that are convolved apart, as in a depthwise convolution.  They share
        word lines and are read one after the other, each on its own columns.
    """

    matrix: LevelMatrix
    kernel: Sides
    stride: Sides = 1
    padding: Edges = 0
    dilation: Sides = 1
    groups: int = 1
    kind: ClassVar[str] = "conv2d"

    def __post_init__(self) -> None:
        require(self.groups >= 1, f"groups is {self.groups}; it is at least 1")
        require(
            self.matrix.n_columns % self.groups == 0,
            f"{self.groups} groups do not divide {self.matrix.n_columns} channels",
        )
        self.window  # noqa: B018 - checked when the layer is made

    @cached_property
    def window(self) -> Window:
        return Window.of(self.kernel, self.stride, self.padding, self.dilation)

    @property
    def details(self) -> str:
        apart = f", {self.groups} groups" if self.groups > 1 else ""
        return f"{self.window}{apart}"

    def shape(self, *inputs: Shape) -> Shape:
        one, others = inputs[0], inputs[1:]
        sides = map_sides(one)
        require(
            one.width % self.groups == 0,
            f"{self.groups} groups do not divide {one.width} input channels",
        )
        places = self.window.outputs(sides)
        rows = self.window.size * (one.width // self.groups)
        if others:
            require(self.groups == 1, "takes one input, as convolutions in groups do")
            for other in others:
                require(
                    map_sides(other) == places,
                    f"adds {other} to maps of {places[0]} x {places[1]} places",
                )
        rows += sum(other.width for other in others)
        require(
            self.matrix.n_rows == rows,
            f"has {self.matrix.n_rows} rows and gets windows of {rows} bits",
        )
        return Shape(
            self.matrix.n_columns, on_map(one, places), one.has_steps, self.matrix.output_format
        )

    def wiring(self, *inputs: Shape) -> NDArray[np.int64]:
        one, first = inputs[0], 1
        height, width = map_sides(one)
        # numbered from 1, since padding cuts zeros
        numbers = np.arange(1, 1 + one.size).reshape(1, height, width, -1)
        windows = np.stack(self.window.positions(numbers), axis=-2)[0]
        n_places = windows.shape[0] * windows.shape[1]
        windows = windows.reshape(n_places, self.window.size, self.groups, -1)
        rows = [windows.swapaxes(1, 2).reshape(n_places * self.groups, -1)]
        for other in inputs[1:]:
            first += inputs[0].size if len(rows) == 1 else rows[-1].size
            rows.append(np.arange(first, first + other.size).reshape(n_places, -1))
        return np.hstack(rows) - 1

    def span(self, output: Span, axis: int) -> Span:
        return self.window.span(output, axis)


def require_steps(kernel: int, stride: int, padding: int) -> None:
    """Raise a PimsimError unless stride and padding go with a window of this size."""
    Window.of(kernel, stride, padding, 1)
