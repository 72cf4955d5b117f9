"""Gated recurrent unit without reset gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import PimsimError
from pimsim.workload.grid import require
from pimsim.workload.layers.base import Layer, concatenated
from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.signals import Numbers, Shape


@dataclass(frozen=True)
class Gru(Layer):
    """GRU without reset gate (eq. 7-11); matrix rows are H(t-1) first, then the layer below."""

    gate: LevelMatrix
    candidate: LevelMatrix
    kind: ClassVar[str] = "gru"
    logic: ClassVar[str] = "gru"
    has_state: ClassVar[bool] = True
    output: ClassVar[str] = "hidden"

    def __post_init__(self) -> None:
        require(
            self.gate.levels.shape == self.candidate.levels.shape,
            "gate and candidate matrices must have one shape",
        )
        gate, candidate = self.gate.output_format, self.candidate.output_format
        require(
            (gate is None) == (candidate is None)
            and (gate is None or candidate is None or gate.bits == candidate.bits)
            and (gate is None or gate.zero == 0),
            "gate and candidate must have codes of as many bits, and gates no zero point",
        )
        require(
            self.gate.n_rows > self.gate.n_columns,
            "a GRU matrix has n_hidden + n_below rows and n_hidden columns",
        )

    @property
    def n_states(self) -> int:
        return self.gate.n_columns

    @property
    def n_hidden(self) -> int:
        return self.gate.n_columns

    def shape(self, *inputs: Shape) -> Shape:
        for shape in inputs:
            if not shape.has_steps:
                raise PimsimError(f"needs time steps, and gets {shape}")
        width = concatenated(inputs)
        require(
            self.gate.n_rows == self.n_hidden + width,
            f"has {self.gate.n_rows} rows for {self.n_hidden} hidden and {width} input bits",
        )
        return Shape(self.n_hidden, (), True, self.candidate.output_format)

    def wiring(self, *inputs: Shape) -> NDArray[np.int64]:
        return np.arange(concatenated(inputs))[None]

    def next_state(self, decided: Sequence[Any], state: Any, memory: Any, numbers: Numbers) -> Any:
        gate, candidate = decided
        return numbers.mix(gate, state, candidate)
