"""Long short-term memory, of codes or real numbers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pimsim.errors import PimsimError
from pimsim.importers import ops
from pimsim.importers.lstm import CELL_BITS, parts_of
from pimsim.importers.tracing import is_traced
from pimsim.nn.activations import Codes, Real
from pimsim.nn.array import as_real
from pimsim.nn.lstm_pass import LstmSteps, lstm_pass
from pimsim.nn.quantize import short
from pimsim.nn.weights import SMALLEST, LevelWeight, require_not_negative, scaled_gradient

# inputs of this size and more are the largest code, beside states
ONE = ops.ONE
GATES = ("forget_gate", "input_gate", "output_gate", "candidate")
State = tuple[Tensor, Tensor]


class Lstm(nn.Module):
    """An LSTM layer: c(t) = F c(t-1) + I G, H(t) = O tanh(c(t)), from H = c = 0.

    Gates F, I, O are sigmoids and the candidate G is a tanh of sums over H(t-1) and the layer
    below. With `bits`, everything is quantised as it is on a chip, by
    Q(x) = r / T clip(round(x T / r), -T, T) with T = 2^(bits-1) - 1 and straight-through gradients:

    - weights, to an odd number of levels, with a learned range for each of the four matrices;
    - inputs and H, which drive an array (the values of DACs), to `bits` bits, with range 1 for H;
    - sums, as ADCs do, to `sum_bits` bits, halves rounded up, with a learned range for each matrix
      and a step of whole sums of levels times codes, so that a chip's ADC rounds them once and at
      the same places; biases are added afterwards, digitally;
    - gates to multiples of 1/255, G and tanh(c) to 8 bits, and c to 8 bits and a sign, with a
      learned range.

    Parameters
    ----------
    n_in, n_hidden : int
    levels : int or None
        As in `Dense`, of all four matrices; 2^b - 1 for weights of b bits.
    bits : int or None
        Bits of the state, 2 to 8; None for a layer of real numbers, whose codes an export chooses.
    sum_bits : int or None
        Bits of a sum, 2 to 16; None for sums as they are.
    inputs : Codes, float or None
        Signed codes of the inputs, such as ``Codes(4, signed=True)`` with a learned range; or the
        step of codes that they are already, such as those of a `Quantiser`. None: the inputs are
        codes with the step of the state, such as those of another such layer, or 1 and 0: a number
        of 1 is the largest code.
    bias : bool
        Whether biases are added to the sums; those of forget gates begin at 1.
    cell_error : float
        As in `Dense`: noise of weights as a share of the largest.
    sum_noise : float
        Standard deviation of the noise of a sum in training, before it is rounded [its step].
    dropout : float
        Share of the outputs that are 0 in training, each drawn anew; the others are larger for
        it. What the layer itself goes on with is whole.

    Raises
    ------
    PimsimError
        If a number is out of its range, or something is quantised beside real numbers.

    Notes
    -----
    Ma et al. 2019 (arXiv 2002.10636) has the equations, ADCs and DACs and their 4 bits; bits and
    range of c are our choice. Its range is at least 2, so that G has codes up to 1.
    """

    # its inputs have time steps, for exporters
    takes_steps = True
    # whether a batch in training begins with the state of the batch before (`carry_state`)
    carries = False
    kept: State | None = None

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        levels: int | None = 15,
        bits: int | None = 4,
        sum_bits: int | None = None,
        inputs: Codes | float | None = None,
        bias: bool = True,
        cell_error: float = 0.0,
        sum_noise: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        require_not_negative("sum_noise", sum_noise)
        if not 0 <= dropout < 1:
            raise PimsimError(f"dropout is {dropout}; it is a share from 0, below 1")
        if bits is None and (sum_bits is not None or inputs is not None):
            raise PimsimError(
                "an Lstm of real numbers has neither sum_bits nor inputs",
                remedy="Give it bits, such as 4",
            )
        if sum_bits is not None and not 2 <= sum_bits <= 16:
            raise PimsimError(f"sum_bits is {sum_bits}; sums have 2 to 16, or None")
        if sum_noise and sum_bits is None:
            raise PimsimError(
                f"sum_noise is {sum_noise} steps of sums, which are not rounded",
                remedy="Give sum_bits, too",
            )
        if isinstance(inputs, Codes) and not inputs.signed:
            raise PimsimError("the inputs of an Lstm are codes without a sign, and its state has "
                              "one", remedy="Take Codes(bits, signed=True)")  # fmt: skip
        self.neuron = Real() if bits is None else Codes(bits, signed=True, range=1.0)
        self.inputs = inputs if isinstance(inputs, Codes) else None
        self.input_step = inputs if isinstance(inputs, float) else None
        self.sum_bits, self.sum_noise, self.noise = sum_bits, sum_noise, 1.0
        self.dropout = dropout
        self.n_hidden = n_hidden
        for name in GATES:
            matrix = LevelWeight((n_hidden, n_hidden + n_in), levels, cell_error)
            setattr(self, name, matrix)
        start = torch.cat([torch.ones(n_hidden), torch.zeros(3 * n_hidden)])
        self.bias = nn.Parameter(start) if bias else None
        self.sum_range = nn.Parameter(torch.full((4,), 3.0), requires_grad=sum_bits is not None)
        self.cell_range = nn.Parameter(torch.tensor(4.0), requires_grad=bits is not None)
        self.is_set: Tensor
        self.register_buffer("is_set", torch.tensor(sum_bits is None))

    def forward(self, x: Tensor) -> Tensor:
        """Hidden states (n, n_steps, n_hidden) of inputs (n, n_steps, n_in).

        They begin with 0, or in training with what `carry_state` says.
        """
        if is_traced():
            # the reader asks `as_ops` what the layer means; its steps would make a long graph
            return x.new_zeros(*x.shape[:2], self.n_hidden)
        # operands of bfloat16 would not hold the codes of 8 bits
        with torch.autocast(x.device.type, enabled=False):
            before = self.kept if self.training else None
            out, state = self.carried(x.float() if x.dtype == torch.bfloat16 else x, before)
        if self.training and self.carries:
            hidden, cell = state
            self.kept = hidden.detach(), cell.detach()
        return functional.dropout(out, self.dropout, self.training)

    def carried(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Hidden states, and what to go on with: state and cell state after the last step.

        Parameters
        ----------
        x : (n, n_steps, n_in)
        state : (n, n_hidden) twice, or None
            State and cell state of an earlier call, which get no gradient; None for zeros.
        """
        kind = x.dtype if self.training else torch.float64
        how, below = self._how(), self._in_steps(x).to(kind).transpose(0, 1).contiguous()
        if state is None:
            zeros = below.new_zeros(len(x), self.n_hidden)
            state = zeros, zeros
        if self.training:
            weights = torch.cat([matrix.trained() for matrix in self.matrices])
        else:
            weights = torch.cat([k * step for k, step in self._deployed()])
        weights = weights.to(kind).t() * how.hidden_step
        bias = below.new_zeros(4 * self.n_hidden) if self.bias is None else self.bias.to(kind)
        if self.training and not self.is_set:
            self._set_ranges(below, weights, bias, state, how)
        factor = (len(below) * self.n_hidden * max(how.sum_top, 1)) ** -0.5
        ranges = scaled_gradient(self.sum_range, factor).clamp(min=SMALLEST)
        ranges = ranges.to(kind).repeat_interleave(self.n_hidden)
        steps = self._sum_steps().to(below)
        noise = None
        if self.training and self.sum_noise * self.noise > 0:
            noise = torch.randn(*below.shape[:2], len(steps), device=x.device, dtype=kind)
            noise *= steps * (self.sum_noise * self.noise)
        factor = (len(below) * self.n_hidden * how.cell_top) ** -0.5
        cell_range = scaled_gradient(self.cell_range, factor).to(kind)
        hidden, _, *last = lstm_pass(
            below, weights, bias, steps, ranges, cell_range, state, noise, how
        )
        out = (hidden * how.hidden_step).transpose(0, 1).to(x.dtype)
        return out, (last[0], last[1])

    @property
    def matrices(self) -> list[LevelWeight]:
        """Matrices of forget, input and output gates and of candidates."""
        return [getattr(self, name) for name in GATES]

    @property
    def inputs_over_states(self) -> float:
        """Step of inputs over that of states: rows of both count codes alike; 1 of real ones."""
        if isinstance(self.neuron, Real):
            return 1.0
        hidden_step = self.neuron.step
        return self._input_step(hidden_step) / hidden_step

    def _deployed(self) -> list[tuple[Tensor, Tensor]]:
        return [matrix.deployed() for matrix in self.matrices]

    @torch.no_grad()
    def _how(self) -> LstmSteps:
        """Present steps."""
        if isinstance(self.neuron, Real):
            return LstmSteps()
        top = 2**CELL_BITS - 1
        # candidates need codes up to 1
        least = top / ops.CELL_CODES
        cell_step = float(short(self.cell_range.clamp(min=least) / top))
        return LstmSteps(
            rounds=True,
            gate_top=top,
            cell_top=top,
            cell_step=cell_step,
            cell_parts=float(2 ** parts_of(cell_step)),
            hidden_top=self.neuron.top,
            hidden_step=self.neuron.step,
            hidden_parts=float(2 ** (CELL_BITS - self.neuron.bits)),
            code_top=ops.CELL_CODES,
            sum_top=0 if self.sum_bits is None else 2 ** (self.sum_bits - 1) - 1,
        )

    @torch.no_grad()
    def _sum_steps(self) -> Tensor:
        """Present steps of sums (4 n_hidden,) float64."""
        top = 1 if self.sum_bits is None else 2 ** (self.sum_bits - 1) - 1
        steps = self.sum_range.clamp(min=SMALLEST).double() / top
        if all(matrix.quantizer is not None for matrix in self.matrices):
            # whole multiples of the sum of one level and one code
            one = torch.stack([step for _, step in self._deployed()]) * self._how().hidden_step
            steps = torch.round(steps / one).clamp(min=1) * one
        return steps.repeat_interleave(self.n_hidden)

    def _in_steps(self, x: Tensor) -> Tensor:
        """Inputs in multiples of their step."""
        if isinstance(self.neuron, Real):
            return x
        if self.input_step is not None:
            return self._whole(x.double() / self.input_step, x)
        if self.inputs is None:
            whole = self._whole(x.double() / self.neuron.present_step(), x)
            return torch.where(x.abs() < ONE, whole, x.sign() * self.neuron.top)
        codes = self.inputs(x)
        step = self.inputs.present_step()
        if self.training:
            # a step is the range by a whole number, and the range learns
            factor = (x[0].numel() * self.inputs.top) ** -0.5
            learned = scaled_gradient(self.inputs.range, factor).clamp(min=SMALLEST)
            learned = learned.double() / self.inputs.top
            step = learned + (step - learned).detach()
        return self._whole(codes.double() / step, x)

    @staticmethod
    def _whole(values: Tensor, x: Tensor) -> Tensor:
        return (values + (torch.round(values) - values).detach()).to(x.dtype)

    @torch.no_grad()
    def _set_ranges(
        self, below: Tensor, weights: Tensor, bias: Tensor, state: State, how: LstmSteps
    ) -> None:
        """Ranges of sums from the first batch: three standard deviations of each matrix."""
        unused = bias.new_ones(len(bias))
        plain = how._replace(sum_top=0)
        _, sums, *_ = lstm_pass(below, weights, bias, unused, unused, unused[0], state, None, plain)
        each = sums.view(-1, 4, self.n_hidden).std(dim=(0, 2))
        self.sum_range.copy_((3 * each).clamp(min=SMALLEST))
        self.is_set.fill_(True)

    def as_ops(self, name: str, inputs: tuple[str, ...]) -> list[ops.Op]:
        """Operations that mean what evaluation mode computes; the last one has the name."""
        found: list[ops.Op] = []
        if self.inputs is not None:
            found = self.inputs.as_ops(f"{name}.inputs", inputs)
            inputs = (f"{name}.inputs",)
        parts = self._deployed()
        levels = torch.cat([k for k, _ in parts]).t().cpu().numpy()
        scale = np.repeat([float(step) for _, step in parts], self.n_hidden)
        scaled = None
        if all(matrix.quantizer is not None for matrix in self.matrices):
            scaled = ops.Scaled(levels.astype(np.int64), scale)
        bias = np.zeros(4 * self.n_hidden) if self.bias is None else as_real(self.bias)
        return [*found, ops.Lstm(name, inputs, levels * scale, bias, self._codes(name), scaled)]

    def _codes(self, name: str) -> ops.LstmCodes | None:
        how = self._how()
        if isinstance(self.neuron, Real):
            return None
        (hidden,) = self.neuron.as_ops(name, ())
        assert isinstance(hidden, ops.Quantise)
        return ops.LstmCodes(
            gate_bits=CELL_BITS,
            cell_bits=CELL_BITS,
            cell_step=how.cell_step,
            cell_parts=int(np.log2(how.cell_parts)),
            hidden=hidden,
            hidden_parts=int(np.log2(how.hidden_parts)),
            input_step=self._input_step(how.hidden_step),
            sum_top=how.sum_top,
            sum_steps=self._sum_steps().cpu().numpy(),
        )

    def _input_step(self, hidden_step: float) -> float:
        if self.input_step is not None:
            return self.input_step
        return hidden_step if self.inputs is None else self.inputs.step

    def extra_repr(self) -> str:
        return f"n_hidden={self.n_hidden}, bits={getattr(self.neuron, 'bits', None)}"
