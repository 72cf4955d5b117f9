"""Convolution of feature maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.grid import require
from pimsim.workload.layers.base import Layer, Span, cut_side, require_map, require_one
from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.patches import patches
from pimsim.workload.signals import Shape


def require_steps(kernel: int, stride: int, padding: int) -> None:
    """Raise a PimsimError unless stride and padding go with a window of this size."""
    require(
        stride >= 1 and 0 <= padding < max(kernel, 1),
        f"a stride of {stride} and a padding of {padding} do not go with a kernel of {kernel}: a "
        "stride is at least 1, a padding at least 0 and less than the kernel",
    )


@dataclass(frozen=True)
class Conv2d(Layer):
    """Convolution of feature maps; matrix rows run over (kernel y, kernel x, channel in)."""

    matrix: LevelMatrix
    kernel: int
    stride: int = 1
    padding: int = 0
    kind: ClassVar[str] = "conv2d"

    def __post_init__(self) -> None:
        require(
            self.kernel >= 1 and self.matrix.n_rows % self.kernel**2 == 0,
            f"a {self.kernel} x {self.kernel} kernel does not divide {self.matrix.n_rows} rows",
        )
        require_steps(self.kernel, self.stride, self.padding)

    @property
    def details(self) -> str:
        return f"{self.kernel} x {self.kernel}"

    def shape(self, *inputs: Shape) -> Shape:
        one = require_one(inputs)
        sides = require_map(one)
        rows = self.kernel**2 * one.width
        require(
            self.matrix.n_rows == rows,
            f"has {self.matrix.n_rows} rows and gets windows of {rows} bits",
        )
        problem = f"cuts {self.kernel} x {self.kernel} windows from {sides[0]} x {sides[1]} maps"
        height, width = (
            cut_side(side, self.kernel, self.stride, self.padding, problem) for side in sides
        )
        return Shape(self.matrix.n_columns, (height, width), one.has_steps)

    def wiring(self, *inputs: Shape) -> NDArray[np.int64]:
        height, width = require_map(inputs[0])
        # numbered from 1, since padding cuts zeros
        numbers = np.arange(1, 1 + inputs[0].size).reshape(1, height, width, -1)
        windows = patches(numbers, self.kernel, self.stride, self.padding)
        return windows.reshape(-1, windows.shape[-1]) - 1

    def span(self, output: Span) -> Span:
        first = max(0, output.first * self.stride - self.padding)
        return Span(first, output.last * self.stride - self.padding + self.kernel - 1)
