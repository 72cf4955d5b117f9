"""Bits or codes that need no processing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError
from pimsim.workload.grid import require
from pimsim.workload.inputs.base import Features, Input, require_pixels, sides
from pimsim.workload.signals import Shape


@dataclass(frozen=True)
class DirectInput(Input):
    """Rows of `width` bits or codes, which a chip takes as they are."""

    width: int
    kind: ClassVar[str] = "direct"

    def __post_init__(self) -> None:
        require(self.width >= 1, "an input has at least one bit or code")

    @property
    def shape(self) -> Shape:
        return Shape(self.width)

    def check(self, features: Features) -> None:
        require_pixels(features)
        if features.shape[1:] != (1, self.width):
            raise DataError(
                f"the network takes rows of {self.width} bits or codes, and the data have "
                f"{sides(features.shape[1:])}"
            )

    def numbers(self, features: Features) -> NDArray[np.float64]:
        self.check(features)
        return features[:, 0].astype(np.float64)

    @property
    def description(self) -> str:
        return f"{self.width} bits or codes, as they are"
