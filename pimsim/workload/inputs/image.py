"""Grey images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError
from pimsim.workload.grid import INPUT_GRID, INPUT_LIMIT, require, to_grid
from pimsim.workload.inputs.base import Features, Input, require_pixels, sides
from pimsim.workload.signals import Shape


@dataclass(frozen=True)
class ImageInput(Input):
    """Grey pixels 0..255 -> (pixel / 255 - mean) / deviation on `INPUT_GRID`."""

    mean: float
    deviation: float
    height: int = 28
    width: int = 28
    kind: ClassVar[str] = "image"

    def __post_init__(self) -> None:
        require(bool(np.isfinite(self.mean)), "input mean must be finite")
        require(0 < self.deviation < np.inf, "input deviation must be positive and finite")
        require(self.height >= 1 and self.width >= 1, "images have at least one pixel")

    @property
    def shape(self) -> Shape:
        return Shape(1, (self.height, self.width))

    def check(self, features: Features) -> None:
        require_pixels(features)
        if features.shape[1:] != (self.height, self.width):
            raise DataError(
                f"the network takes images of {self.height} x {self.width} pixels, and the data "
                f"have {sides(features.shape[1:])}"
            )

    def numbers(self, features: Features) -> NDArray[np.float64]:
        self.check(features)
        pixels = (features.astype(np.float64) / 255.0 - self.mean) / self.deviation
        return to_grid(pixels, INPUT_GRID, INPUT_LIMIT)[..., None]

    def ends(self, bits: int, reach: float) -> tuple[float, float]:
        # black and white: every pixel is a code of its own if codes have 8 bits
        return -self.mean / self.deviation, (1 - self.mean) / self.deviation

    @property
    def description(self) -> str:
        return f"pixels, mean {self.mean:.4f}, standard deviation {self.deviation:.4f}"
