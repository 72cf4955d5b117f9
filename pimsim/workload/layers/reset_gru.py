"""Gated recurrent unit with reset gate, of codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import PimsimError
from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.grid import require
from pimsim.workload.layers.base import Layer, concatenated
from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.signals import Numbers, Shape


@dataclass(frozen=True)
class ResetGru(Layer):
    """GRU with reset gate: C = tanh(W x + R (U H)), H' = Z H + (1 - Z) C.

    Matrix rows are H(t-1) first, then the layer below.  `below` (W, zero on rows of H) and
    `recurrent` (U, zero on rows of the layer below) give their sums as codes of one step; logic
    multiplies by the reset gate and looks the candidate up.

    Attributes
    ----------
    update, reset, below, recurrent : LevelMatrix
        With neurons of codes.
    candidate : CodeNeurons
        One neuron (or one for each unit) of the sum top x (below - zero) + reset x
        (recurrent - zero), where top is the largest code of the gates.

    Notes
    -----
    The reset gate acts on U H after the product, as in cuDNN and PyTorch, not on H before it (Cho
    et al., 2014): so one read of the arrays suffices.
    """

    update: LevelMatrix
    reset: LevelMatrix
    below: LevelMatrix
    recurrent: LevelMatrix
    candidate: CodeNeurons
    kind: ClassVar[str] = "reset_gru"
    logic: ClassVar[str] = "reset_gru"
    has_state: ClassVar[bool] = True
    output: ClassVar[str] = "hidden"

    def __post_init__(self) -> None:
        shapes = {matrix.levels.shape for matrix in self.matrices.values()}
        require(len(shapes) == 1, "its four matrices must have one shape")
        formats = [matrix.output_format for matrix in self.matrices.values()]
        require(all(f is not None for f in formats), "its matrices need neurons of codes")
        update, reset, below, recurrent = formats
        require(
            update == reset and update is not None and update.zero == 0,
            "update and reset gate must have one format, without a zero point",
        )
        require(
            below is not None and below.bits > 1, "the sums of a candidate need codes of 2 bits"
        )
        require(below == recurrent, "the sums of both parts of a candidate must have one format")
        require(
            self.candidate.n_columns in (1, self.n_states),
            f"has {self.candidate.n_columns} candidate neurons for {self.n_states} units",
        )

    @property
    def n_states(self) -> int:
        return self.update.n_columns

    def shape(self, *inputs: Shape) -> Shape:
        for shape in inputs:
            if not shape.has_steps:
                raise PimsimError(f"needs time steps, and gets {shape}")
        width = concatenated(inputs)
        require(
            self.update.n_rows == self.n_states + width,
            f"has {self.update.n_rows} rows for {self.n_states} hidden and {width} input codes",
        )
        return Shape(self.n_states, (), True, self.candidate.format)

    def wiring(self, *inputs: Shape) -> NDArray[np.int64]:
        return np.arange(concatenated(inputs))[None]

    def next_state(self, decided: Sequence[Any], state: Any, memory: Any, numbers: Numbers) -> Any:
        update, reset, below, recurrent = (codes.astype(np.int64) for codes in decided)
        gates, sums = self.update.neurons, self.below.neurons
        assert gates is not None
        assert sums is not None
        top = gates.format.top
        total = top * (below - sums.zero) + reset * (recurrent - sums.zero)
        candidate = self.candidate.of_sums(total).astype(np.int64)
        mixed = update * state.astype(np.int64) + (top - update) * candidate
        return ((mixed + top // 2) // top).astype(np.uint8)
