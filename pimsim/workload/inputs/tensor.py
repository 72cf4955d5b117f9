"""Numbers of any shape: vectors, sequences, images, or time steps."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError, shown
from pimsim.workload.grid import INPUT_GRID, INPUT_LIMIT, require, to_grid
from pimsim.workload.inputs.base import Features, Input, sides
from pimsim.workload.signals import Shape

MAX_SIZE = 2**24  # numbers of one time step


@dataclass(frozen=True)
class TensorInput(Input):
    """Features x of any shape -> (x - offset) * scale on `INPUT_GRID`.

    Attributes
    ----------
    sizes : tuple of int
        Axes of one sample without its time steps: (width,) for a vector, (length, channels) for a
        sequence that is taken as a whole, (height, width, channels) for an image. Where there is
        one channel, data may leave its axis out.
    offset, scale : (channels,) or (width,) float32
        For the last axis.
    has_steps : bool
        Whether a sample is a vector (width,) for every time step, of which the data decide the
        number.
    """

    sizes: tuple[int, ...]
    offset: NDArray[np.float32]
    scale: NDArray[np.float32]
    has_steps: bool = False
    kind: ClassVar[str] = "tensor"

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes))
        require(
            1 <= len(self.sizes) <= 3 and all(size >= 1 for size in self.sizes),
            f"input sizes are {shown(self.sizes)}; they are (width,), (length, channels) or "
            "(height, width, channels)",
        )
        require(
            prod(self.sizes) <= MAX_SIZE,
            f"input sizes are {shown(self.sizes)}; {MAX_SIZE} numbers are the most",
        )
        require(
            not self.has_steps or len(self.sizes) == 1,
            f"time steps of sizes {self.sizes}; a time step is a vector (width,)",
        )
        require(
            len(self.sizes) != 2 or self.sizes[0] > 1,
            f"input sizes are {self.sizes}; a sequence of one place is a vector "
            f"({self.sizes[-1]},)",
        )
        for name, values in (("offset", self.offset), ("scale", self.scale)):
            require(
                values.dtype == np.float32 and values.shape == self.sizes[-1:],
                f"input {name} is {values.dtype} of shape {values.shape}; float32 of shape "
                f"{self.sizes[-1:]} is needed",
            )
            require(bool(np.isfinite(values).all()), f"input {name} must be finite")

    @property
    def shape(self) -> Shape:
        return Shape(self.sizes[-1], self.sizes[:-1], self.has_steps)

    def n_steps(self, features: tuple[int, ...]) -> int:
        return features[1] if self.has_steps else 1

    def check(self, features: Features) -> None:
        found = features.shape[1:]
        wanted = [self.sizes]
        if len(self.sizes) > 1 and self.sizes[-1] == 1:
            wanted.append(self.sizes[:-1])
        if self.has_steps:
            fits = len(found) == 2 and found[0] >= 1 and found[1:] == self.sizes
        else:
            fits = found in wanted
        if not fits or features.dtype not in (np.uint8, np.float32):
            steps = "time steps x " if self.has_steps else ""
            raise DataError(
                f"the network takes {steps}{sides(self.sizes)} numbers (uint8 or float32), and the "
                f"data have {sides(found)} ({features.dtype})"
            )

    def numbers(self, features: Features) -> NDArray[np.float64]:
        self.check(features)
        axes = features.shape[:2] if self.has_steps else features.shape[:1]
        values = features.reshape(*axes, *self.sizes).astype(np.float64)
        return to_grid((values - self.offset) * self.scale, INPUT_GRID, INPUT_LIMIT)

    @property
    def description(self) -> str:
        offset, scale = _range(self.offset), _range(self.scale)
        steps = "time steps of " if self.has_steps else ""
        return f"{steps}{sides(self.sizes)} numbers, less {offset}, times {scale}"


def _range(values: NDArray[np.float32]) -> str:
    """Smallest and largest of some numbers."""
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
