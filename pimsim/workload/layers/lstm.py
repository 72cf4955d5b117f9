"""Long short-term memory, of codes."""

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
from pimsim.workload.signals import MAX_CODE_BITS, CodeFormat, Numbers, Shape

# bits of a cell state beside its sign, and powers of two of the parts of a step
MAX_CELL_BITS = 12
MAX_PARTS = 8


@dataclass(frozen=True)
class Lstm(Layer):
    """LSTM: c' = F c + I G and H' = O tanh(c'); cell states c are whole numbers with a sign.

    Matrix rows are H(t-1) first, then the layer below.

    Attributes
    ----------
    forget_gate, input_gate, output_gate : LevelMatrix
        With neurons of codes; their largest code is a gate of 1.
    candidate : LevelMatrix
        With neurons of codes around a zero point.
    cell : CodeNeurons
        tanh(c) of a cell state, around a zero point: one row of limits, or one for each unit.
    cell_bits : int
        Bits n of a cell state beside its sign; it stays within -(2^n - 1) to 2^n - 1.
    cell_range : float
        Value of the largest cell state [units of pre-activation]. No result depends on it: the
        limits of `cell` have it in them.
    cell_parts, hidden_parts : int
        Steps of the candidate in one of the cell state, and of tanh(c) in one of H, as powers of
        two: 2^cell_parts and 2^hidden_parts.
    hidden_bits, hidden_zero : int
        Bits of H, and its code of 0.

    Notes
    -----
    With gates of at most p, g and t the codes of G and tanh(c') less their zero points, and
    halves rounded up,

        c' = round((2^cell_parts F c + I g) / (2^cell_parts p)), clipped to the cells' range
        H' = hidden_zero + round(O t / (2^hidden_parts p)), clipped to its codes.

    So a chip needs three products, two shifts and a table. In Ma et al. 2019 (arXiv 2002.10636)
    the equations are those of the LSTM; how cell states are held is not told, and is our choice.
    """

    forget_gate: LevelMatrix
    input_gate: LevelMatrix
    output_gate: LevelMatrix
    candidate: LevelMatrix
    cell: CodeNeurons
    cell_bits: int
    cell_range: float
    cell_parts: int
    hidden_bits: int
    hidden_zero: int
    hidden_parts: int
    kind: ClassVar[str] = "lstm"
    logic: ClassVar[str] = "lstm"
    has_state: ClassVar[bool] = True
    output: ClassVar[str] = "hidden"

    def __post_init__(self) -> None:
        shapes = {matrix.levels.shape for matrix in self.matrices.values()}
        require(len(shapes) == 1, "its four matrices must have one shape")
        formats = [matrix.output_format for matrix in self.matrices.values()]
        require(all(f is not None for f in formats), "its matrices need neurons of codes")
        forget, others = formats[0], formats[1:3]
        require(
            forget is not None and forget.zero == 0 and set(others) == {forget},
            "its three gates must have one format, without a zero point",
        )
        require(
            all(f is not None and f.bits > 1 for f in formats),
            "gates and candidates of an LSTM need codes of 2 bits or more; a network of bits can "
            "have a GRU without reset gate",
        )
        require(
            self.cell.n_columns in (1, self.n_states),
            f"has tables of tanh of {self.cell.n_columns} cell states for {self.n_states} units",
        )
        ends = {
            "cell_bits": (1, MAX_CELL_BITS),
            "hidden_bits": (1, MAX_CODE_BITS),
            "cell_parts": (0, MAX_PARTS),
            "hidden_parts": (0, MAX_PARTS),
            "hidden_zero": (0, 2**self.hidden_bits - 1),
        }
        for name, (low, high) in ends.items():
            value = getattr(self, name)
            require(low <= value <= high, f"{name} is {value}; it is a number from {low} to {high}")
        require(
            1e-9 < self.cell_range < 1e9,
            f"cell_range is {self.cell_range}; it must be positive and finite",
        )

    @property
    def details(self) -> str:
        return f"cell states of {self.cell_bits} bits and sign, range {self.cell_range:g}"

    @property
    def n_states(self) -> int:
        return self.forget_gate.n_columns

    @property
    def n_memory(self) -> int:
        return self.n_states

    @property
    def cell_top(self) -> int:
        """The largest cell state."""
        return int(2**self.cell_bits - 1)

    @property
    def hidden(self) -> CodeFormat:
        """Format of its state."""
        return CodeFormat(self.hidden_bits, self.hidden_zero)

    def shape(self, *inputs: Shape) -> Shape:
        for shape in inputs:
            if not shape.has_steps:
                raise PimsimError(f"needs time steps, and gets {shape}")
        width = concatenated(inputs)
        require(
            self.forget_gate.n_rows == self.n_states + width,
            f"has {self.forget_gate.n_rows} rows for {self.n_states} hidden and {width} input "
            "codes",
        )
        return Shape(self.n_states, (), True, self.hidden)

    def wiring(self, *inputs: Shape) -> NDArray[np.int64]:
        return np.arange(concatenated(inputs))[None]

    def next_state(self, decided: Sequence[Any], state: Any, memory: Any, numbers: Numbers) -> Any:
        forget, add, show, candidate = (codes.astype(np.int64) for codes in decided)
        assert self.forget_gate.neurons is not None
        assert self.candidate.neurons is not None
        one = self.forget_gate.neurons.format.top
        new = candidate - self.candidate.neurons.zero
        mixed = (forget * memory << self.cell_parts) + add * new
        cells = _rounded(mixed, one << self.cell_parts)
        memory[...] = np.clip(cells, -self.cell_top, self.cell_top)
        shown = show * (self.cell.of_sums(memory).astype(np.int64) - self.cell.zero)
        hidden = self.hidden_zero + _rounded(shown, one << self.hidden_parts)
        return np.clip(hidden, 0, self.hidden.top).astype(np.uint8)


def _rounded(numbers: NDArray[np.int64], by: int) -> NDArray[np.int64]:
    """Whole quotients, halves rounded up."""
    return (numbers + by // 2) // by
