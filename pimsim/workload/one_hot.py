"""Inputs that are 0 or 1 on word lines as they are: driven at full scale or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.ends import Encoder
from pimsim.workload.grid import require
from pimsim.workload.signals import MAX_CODE_BITS, CodeFormat, Shape


@dataclass(frozen=True)
class OneHotEncoder(Encoder):
    """The number 1 as the largest code, 0 as 0: inputs need no DAC.

    Attributes
    ----------
    bits : int or None
        Bits of the codes, where the network gives them their formats; if None, the chip's numbers.
    """

    bits: int | None = None
    kind: ClassVar[str] = "one_hot"

    def __post_init__(self) -> None:
        require(
            self.bits is None or 1 <= self.bits <= MAX_CODE_BITS,
            f"an encoder has codes of {self.bits} bits; they have 1 to {MAX_CODE_BITS}",
        )

    @property
    def n_weights(self) -> int:
        return 0

    @property
    def description(self) -> str:
        return "none, the line of each input that is 1 is driven at full scale"

    def shape(self, inputs: Shape) -> Shape:
        codes = None if self.bits is None else CodeFormat(self.bits)
        return Shape(inputs.width, inputs.places, inputs.has_steps, codes)

    def codes(self, inputs: NDArray[np.float64], one: float = 1) -> NDArray[np.uint8]:
        top = one if self.bits is None else CodeFormat(self.bits).top
        return (inputs > 0.5).astype(np.uint8) * np.uint8(top)
