"""Windows that slide over feature maps: of convolutions and pools."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import PimsimError
from pimsim.workload.grid import require

# one number for both axes, or (vertical, horizontal)
Sides = int | tuple[int, int]


class Span(NamedTuple):
    """First and last index along one axis of a feature map."""

    first: int
    last: int


class Window(NamedTuple):
    """A window and its steps; each is (vertical, horizontal)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]

    @classmethod
    def of(cls, kernel: Sides, stride: Sides, padding: Sides, dilation: Sides) -> Window:
        """A window from single numbers or pairs; raises a PimsimError where they do not fit."""
        window = cls(pair(kernel), pair(stride), pair(padding), pair(dilation))
        for size, step, edge, gap in zip(*window, strict=True):
            require(
                size >= 1 and step >= 1 and gap >= 1 and 0 <= edge <= gap * (size - 1),
                f"a stride of {step}, a padding of {edge} and a dilation of {gap} do not go with a "
                f"kernel of {size}: kernel, stride and dilation are at least 1, a padding at least "
                "0 and less than the window",
            )
        return window

    def __str__(self) -> str:
        return f"{self.kernel[0]} x {self.kernel[1]}"

    @property
    def size(self) -> int:
        """Positions in the window."""
        return self.kernel[0] * self.kernel[1]

    def outputs(self, sides: tuple[int, int]) -> tuple[int, int]:
        """Windows along both sides of a map; raises a PimsimError where not even one fits."""
        found = []
        for side, size, step, edge, gap in zip(sides, *self, strict=True):
            rest = side + 2 * edge - gap * (size - 1) - 1
            if rest < 0:
                raise PimsimError(f"cuts {self} windows from {sides[0]} x {sides[1]} maps")
            found.append(rest // step + 1)
        return found[0], found[1]

    def span(self, output: Span, axis: int) -> Span:
        """Rows (axis 0) or columns (axis 1) of the input map that those of the output need."""
        step, edge = self.stride[axis], self.padding[axis]
        reach = self.dilation[axis] * (self.kernel[axis] - 1)
        return Span(max(0, output.first * step - edge), output.last * step - edge + reach)

    def positions(self, maps: NDArray[Any], fill: int = 0) -> list[NDArray[Any]]:
        """Values of maps (n, height, width, ...) at each position of the window, row by row.

        Returns
        -------
        list of (n, height_out, width_out, ...)
        """
        (vertical, horizontal), n_more = self.padding, maps.ndim - 3
        if vertical or horizontal:
            edges = ((0, 0), (vertical, vertical), (horizontal, horizontal), *[(0, 0)] * n_more)
            maps = np.pad(maps, edges, constant_values=fill)
        height, width = self._replace(padding=(0, 0)).outputs((maps.shape[1], maps.shape[2]))
        found = []
        for y in range(self.kernel[0]):
            for x in range(self.kernel[1]):
                top, left = y * self.dilation[0], x * self.dilation[1]
                rows = slice(top, top + (height - 1) * self.stride[0] + 1, self.stride[0])
                columns = slice(left, left + (width - 1) * self.stride[1] + 1, self.stride[1])
                found.append(maps[:, rows, columns])
        return found


def pair(sides: Sides) -> tuple[int, int]:
    """(vertical, horizontal) of one number or of a pair."""
    if isinstance(sides, int):
        return sides, sides
    require(len(sides) == 2, f"{list(sides)} is no pair (vertical, horizontal)")
    return int(sides[0]), int(sides[1])
