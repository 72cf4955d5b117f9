"""Text: one symbol for every time step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError
from pimsim.workload.grid import require
from pimsim.workload.inputs.base import Features, Input
from pimsim.workload.signals import Shape

# a symbol of a text is a byte
MAX_SYMBOLS = 256


@dataclass(frozen=True)
class TextInput(Input):
    """Symbols 0..symbols - 1 -> rows of `symbols` numbers, that of the symbol 1, all others 0."""

    symbols: int
    kind: ClassVar[str] = "text"

    def __post_init__(self) -> None:
        require(
            2 <= self.symbols <= MAX_SYMBOLS,
            f"a text has {self.symbols} symbols; it has 2 to {MAX_SYMBOLS}",
        )

    @property
    def shape(self) -> Shape:
        return Shape(self.symbols, (), has_steps=True)

    def n_steps(self, features: tuple[int, ...]) -> int:
        return features[1]

    def check(self, features: Features) -> None:
        if features.ndim != 2 or not features.shape[1] or features.dtype != np.uint8:
            raise DataError(
                f"the network takes texts (n, n_steps) of uint8, and the data are of shape "
                f"{features.shape} ({features.dtype})"
            )
        if features.size and features.max() >= self.symbols:
            raise DataError(
                f"the network knows the symbols 0 to {self.symbols - 1}, and the data have "
                f"{features.max()}"
            )

    def numbers(self, features: Features) -> NDArray[np.float64]:
        self.check(features)
        return np.eye(self.symbols)[features]

    @property
    def description(self) -> str:
        return f"text, one of {self.symbols} symbols per step"
