"""Inputs as codes that drive word lines as they are: no digital first layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.code_neurons import codes_of, require_code
from pimsim.workload.ends import Encoder
from pimsim.workload.grid import require
from pimsim.workload.signals import CodeFormat, Shape


@dataclass(frozen=True)
class QuantiserEncoder(Encoder):
    """Codes of real inputs: the number of limits that each reaches.

    Attributes
    ----------
    limits : (width or 1, 2^n - 1) float32
        Ascending, for each channel or for all.
    zero : int
        Code of the number 0.
    """

    limits: NDArray[np.float32]
    zero: int = 0
    kind: ClassVar[str] = "quantiser"

    def __post_init__(self) -> None:
        require(
            self.limits.dtype == np.float32 and self.limits.ndim == 2,
            f"limits must be 2-D float32, not {self.limits.ndim}-D {self.limits.dtype}",
        )
        n_limits = require_code("an input", self.limits)
        require(
            bool(np.isfinite(self.limits).all() and (np.diff(self.limits, axis=1) >= 0).all()),
            "limits of inputs must be finite and ascend",
        )
        require(0 <= self.zero <= n_limits, f"zero is the code {self.zero} of {n_limits}")

    @property
    def format(self) -> CodeFormat:
        """Format of its codes."""
        return CodeFormat(int(self.limits.shape[1]).bit_length(), self.zero)

    @property
    def n_weights(self) -> int:
        return 0

    @property
    def description(self) -> str:
        return f"quantiser, codes of {self.format.bits} bits"

    def shape(self, inputs: Shape) -> Shape:
        require(
            self.limits.shape[0] in (1, inputs.width),
            f"the encoder has limits for {self.limits.shape[0]} channels and gets {inputs.width}",
        )
        return Shape(inputs.width, inputs.places, inputs.has_steps, self.format)

    def codes(self, inputs: NDArray[np.float64], one: float = 1) -> NDArray[np.uint8]:
        return codes_of(self.limits.astype(np.float64), inputs)
