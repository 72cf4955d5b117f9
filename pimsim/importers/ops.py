"""Operations of a trained network as its framework describes it, in floating point.

Readers (`torch_export`, `onnx`) turn a network into a list of these; `build` makes a `Network` of
it. Maps are (height, width, channels), sequences (length, channels) and time steps (steps, width),
whatever the framework has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import PimsimError

INPUT = "input"

Real = NDArray[np.float64]


class NetworkImportError(PimsimError):
    """An operation that cannot be brought over, by its name in the user's network."""


@dataclass(frozen=True)
class Op:
    """An operation.

    Attributes
    ----------
    name : str
        Its name in the user's network, such as the path of a module.
    inputs : tuple of str
        Names of the operations that it reads, or `INPUT`.
    """

    name: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Scaled:
    """Weights that the network itself holds as whole numbers.

    Attributes
    ----------
    levels : int64 array
    scale : () or (n_out,) float64
        Weight of one level.
    """

    levels: NDArray[np.int64]
    scale: Real


@dataclass(frozen=True)
class Dense(Op):
    """Product with `weight` (n_in, n_out), plus `bias` (n_out,)."""

    weight: Real
    bias: Real
    scaled: Scaled | None = None


@dataclass(frozen=True)
class Conv(Op):
    """Convolution with `weight` (kernel y, kernel x, channels in of a group, channels out).

    A second input, of the output's places, is multiplied by `across` (channels, channels out) and
    added; the levels of `scaled` are then (rows, channels out), those of the windows first.
    `padding` is (vertical, horizontal), or (top, left, bottom, right).
    """

    weight: Real
    bias: Real
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] | tuple[int, int, int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    scaled: Scaled | None = None
    across: Real | None = None


@dataclass(frozen=True)
class Norm(Op):
    """Scale and shift of each channel, such as batch normalisation in evaluation: s x + t."""

    scale: Real
    shift: Real


@dataclass(frozen=True)
class Activation(Op):
    """A function of every number.

    Attributes
    ----------
    kind : str
        One of `pimsim.importers.activations.ACTIVATIONS`.
    low, high : float
        Bounds of `hardtanh`.
    """

    kind: str
    low: float = -1.0
    high: float = 1.0


@dataclass(frozen=True)
class Quantise(Op):
    """Rounding to whole multiples of a step, as the network was trained for.

    Attributes
    ----------
    scale : float
        Step.
    lowest, highest : int
        Bounds of the multiples.
    zero_point : int
        Whole number that stands for 0.
    is_bipolar : bool
        Two values, -scale below 0 and +scale from 0 on; bounds do not count.
    is_step : bool
        Two values, `scale` above 0 (strictly, as neurons of bits) and 0 elsewhere; bounds are 0
        and 1.
    """

    scale: float
    lowest: int = -1
    highest: int = 1
    zero_point: int = 0
    is_bipolar: bool = False
    is_step: bool = False


@dataclass(frozen=True)
class Thermometer(Op):
    """Bits of the input: 1 where the number of its channel is above its limit, else 0.

    Attributes
    ----------
    limits : (n_bits,) float64
    channel : (n_bits,) int64
        Ascending.
    """

    limits: Real
    channel: NDArray[np.int64]


@dataclass(frozen=True)
class Pool(Op):
    """Largest value or mean of windows; the whole map where `size` is None.

    Means of codes are rounded half up to a multiple of `step` where the network says so.
    """

    kind: str
    size: tuple[int, int] | None
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] | tuple[int, int, int, int] = (0, 0)
    step: float | None = None
    KINDS: ClassVar[tuple[str, ...]] = ("max", "average")


@dataclass(frozen=True)
class Add(Op):
    """Sum of several signals of one shape."""


@dataclass(frozen=True)
class Concat(Op):
    """Channels of several signals, one after the other."""


@dataclass(frozen=True)
class Flatten(Op):
    """A map as one row; `channels_first` where its numbers count (channel, y, x)."""

    channels_first: bool = True


@dataclass(frozen=True)
class Gru(Op):
    """GRU with reset gate over time steps; columns are (reset, update, candidate).

    Attributes
    ----------
    below : (n_in, 3 n_hidden)
    recurrent : (n_hidden, 3 n_hidden)
    below_bias, recurrent_bias : (3 n_hidden,)
    """

    below: Real
    recurrent: Real
    below_bias: Real
    recurrent_bias: Real

    @property
    def n_hidden(self) -> int:
        return len(self.recurrent)


@dataclass(frozen=True)
class GruWithoutReset(Op):
    """GRU without reset gate over time steps: H = G H + (1 - G) C, for bits or codes.

    Attributes
    ----------
    weight : (n_hidden + n_in, 2 n_hidden)
        Rows are H of the step before, then the layer below; columns are gates, then candidates.
    bias : (2 n_hidden,)
    candidate : Quantise
        Neurons of the candidate.
    gate_top : int
        1 for bits, whose gates are steps as well; else gates are sigmoids, rounded to multiples of
        1 / gate_top, and H is rounded half up to a multiple of the candidate's step.
    scaled : Scaled, optional
        `scale` is (2 n_hidden,).
    """

    weight: Real
    bias: Real
    candidate: Quantise
    gate_top: int
    scaled: Scaled | None = None

    @property
    def n_hidden(self) -> int:
        return int(self.weight.shape[1]) // 2


@dataclass(frozen=True)
class LstmCodes:
    """Codes of an LSTM, as it was trained for; candidates and tanh(c) have 8 bits.

    Attributes
    ----------
    gate_bits : int
        Gates are multiples of 1 / (2^gate_bits - 1).
    cell_bits : int
        Bits of a cell state beside its sign.
    cell_step, input_step : float
        Steps of cell states and of inputs. Inputs with the step of the state are at most its
        largest code, which a number of `ONE` is.
    cell_parts : int
        A step of the cell state is 2^cell_parts steps of the candidate.
    hidden : Quantise
        Of its state: whole multiples of a step, whose bounds differ in sign alone.
    hidden_parts : int
        A step of the state is 2^hidden_parts steps of tanh(c).
    sum_top : int
        Largest multiple that its sums are rounded to, halves up, before biases; 0 where they are
        not.
    sum_steps : (4 n_hidden,) float64
        Step of each sum.
    """

    gate_bits: int
    cell_bits: int
    cell_step: float
    cell_parts: int
    hidden: Quantise
    hidden_parts: int
    input_step: float
    sum_top: int
    sum_steps: Real

    @property
    def candidate_step(self) -> float:
        """Step of the candidate."""
        return self.cell_step / (1 << self.cell_parts)

    @property
    def tanh_step(self) -> float:
        """Step of tanh(c)."""
        return self.hidden.scale / (1 << self.hidden_parts)


# largest multiple of a candidate and of tanh(c)
CELL_CODES = 127
# inputs of an LSTM of this size and more are the largest code, where they have the state's step
ONE = 1.0


@dataclass(frozen=True)
class Lstm(Op):
    """LSTM over time steps: c = F c + I G, H = O tanh(c).

    Attributes
    ----------
    weight : (n_hidden + n_in, 4 n_hidden)
        Rows are H of the step before, then the layer below; columns are forget, input and output
        gates, then candidates.
    bias : (4 n_hidden,)
    codes : LstmCodes, optional
        With them, weights are those of inputs in steps of the state: an input of k `input_step`
        counts as much as a state of k of its own steps.
    scaled : Scaled, optional
        `scale` is (4 n_hidden,).
    """

    weight: Real
    bias: Real
    codes: LstmCodes | None = None
    scaled: Scaled | None = None

    @property
    def n_hidden(self) -> int:
        return int(self.weight.shape[1]) // 4


@dataclass(frozen=True)
class LastStep(Op):
    """The last of the time steps."""


@dataclass(frozen=True)
class Trained:
    """A trained network in floating point.

    Attributes
    ----------
    ops : tuple of Op
        Each after those that it reads; the last one gives the scores.
    sizes : tuple of int
        Sizes of an input: (width,), (length, channels) or (height, width, channels).
    has_steps : bool
        Whether inputs are time steps of (width,).
    source : dict
        Provenance: framework, file, and similar entries.
    """

    ops: tuple[Op, ...]
    sizes: tuple[int, ...]
    has_steps: bool = False
    source: dict[str, str] = field(default_factory=dict)

    @property
    def every_step(self) -> bool:
        """Whether there are scores of every time step: nothing takes the last one alone."""
        return self.has_steps and not any(isinstance(op, LastStep) for op in self.ops)
