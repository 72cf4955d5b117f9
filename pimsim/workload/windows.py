"""Windows that slide over feature maps: of convolutions and pools."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import PimsimError
from pimsim.workload.grid import require

# one number for both axes, or (vertical, horizontal)
Sides = int | tuple[int, int]
# the same on both sides of a map, or (top, left, bottom, right)
Edges = Sides | tuple[int, int, int, int]


class Span(NamedTuple):
    """First and last index along one axis of a feature map."""

    first: int
    last: int


class Window(NamedTuple):
    """A window and its steps; each is (vertical, horizontal).

    `padding` is above and left of a map, `padding_after` below and right of it.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    padding_after: tuple[int, int]

    @classmethod
    def of(cls, kernel: Sides, stride: Sides, padding: Edges, dilation: Sides) -> Window:
        """A window from single numbers or pairs; raises a PimsimError where they do not fit."""
        before, after = edges(padding)
        window = cls(pair(kernel), pair(stride), before, pair(dilation), after)
        for size, step, edge, gap, end in zip(*window, strict=True):
            for padded in (edge, end):
                require(
                    size >= 1 and step >= 1 and gap >= 1 and 0 <= padded <= gap * (size - 1),
                    f"a stride of {step}, a padding of {padded} and a dilation of {gap} do not go "
                    f"with a kernel of {size}: kernel, stride and dilation are at least 1, a "
                    "padding at least 0 and less than the window",
                )
        return window

    def __str__(self) -> str:
        return f"{self.kernel[0]} x {self.kernel[1]}"

    @property
    def unpadded(self) -> Window:
        return self._replace(padding=(0, 0), padding_after=(0, 0))

    @property
    def size(self) -> int:
        """Positions in the window."""
        return self.kernel[0] * self.kernel[1]

    def outputs(self, sides: tuple[int, int]) -> tuple[int, int]:
        """Windows along both sides of a map; raises a PimsimError where not even one fits."""
        found = []
        for side, size, step, edge, gap, end in zip(sides, *self, strict=True):
            rest = side + edge + end - gap * (size - 1) - 1
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
        if any(self.padding) or any(self.padding_after):
            around = list(zip(self.padding, self.padding_after, strict=True))
            maps = np.pad(
                maps, [(0, 0), *around, *[(0, 0)] * (maps.ndim - 3)], constant_values=fill
            )
        height, width = self.unpadded.outputs((maps.shape[1], maps.shape[2]))
        found = []
        for y in range(self.kernel[0]):
            for x in range(self.kernel[1]):
                top, left = y * self.dilation[0], x * self.dilation[1]
                rows = slice(top, top + (height - 1) * self.stride[0] + 1, self.stride[0])
                columns = slice(left, left + (width - 1) * self.stride[1] + 1, self.stride[1])
                found.append(maps[:, rows, columns])
        return found


def edges(padding: Edges) -> tuple[tuple[int, int], tuple[int, int]]:
    """(vertical, horizontal) before a map and after it, of one number, a pair or four numbers."""
    if isinstance(padding, int) or len(padding) == 2:
        both = pair(padding)
        return both, both
    require(
        len(padding) == 4, f"{list(padding)} is no padding (top, left, bottom, right), nor a pair"
    )
    top, left, bottom, right = (int(edge) for edge in padding)
    return (top, left), (bottom, right)


def pair(sides: Sides) -> tuple[int, int]:
    """(vertical, horizontal) of one number or of a pair."""
    if isinstance(sides, int):
        return sides, sides
    require(len(sides) == 2, f"{list(sides)} is no pair (vertical, horizontal)")
    return int(sides[0]), int(sides[1])
