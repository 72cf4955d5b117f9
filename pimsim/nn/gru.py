"""Gated recurrent unit without reset gate."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pimsim.errors import PimsimError
from pimsim.importers.ops import GruWithoutReset, Op, Quantise, Scaled
from pimsim.nn.activations import Bits, Codes
from pimsim.nn.array import as_real, noisy
from pimsim.nn.weights import LevelWeight, require_not_negative


class Gru(nn.Module):
    """A GRU layer without reset gate, of bits or codes: H(t) = G H(t-1) + (1 - G) C.

    The gate is G = sigmoid(a_G), the candidate C the output of the neuron for a_C, and both sums
    run over H(t-1) and the layer below. With bits, G is a bit as well, and the mean a 2:1
    multiplexer. With codes of b bits, G is rounded to a multiple of 1 / (2^b - 1), and H half up to
    a code.

    Parameters
    ----------
    n_in, n_hidden : int
    levels : int or None
        As in `Dense`, of both matrices; each has its own range.
    neuron : Bits or Codes, optional
        Neurons of the candidate; `Bits()` if not given.
    bias : bool
        Whether biases are added to the sums.
    cell_error, sum_noise : float
        As in `Dense`.

    Raises
    ------
    PimsimError
        If the neuron gives real numbers, or a number is out of its range.

    Notes
    -----
    Ma et al., eq. 7-11.
    """

    # its inputs have time steps, for exporters
    takes_steps = True
    # whether a batch in training begins with the state of the batch before (`carry_state`)
    carries = False
    kept: Tensor | None = None

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        levels: int | None = 7,
        neuron: Bits | Codes | None = None,
        bias: bool = True,
        cell_error: float = 0.0,
        sum_noise: float = 0.0,
    ) -> None:
        super().__init__()
        require_not_negative("sum_noise", sum_noise)
        self.neuron = Bits() if neuron is None else neuron
        if not isinstance(self.neuron, Bits | Codes):
            raise PimsimError(
                f"a Gru has {type(self.neuron).__name__} neurons",
                remedy="Take Bits() or Codes(4)",
            )
        shape = (n_hidden, n_hidden + n_in)
        self.gate = LevelWeight(shape, levels, cell_error)
        self.candidate = LevelWeight(shape, levels, cell_error)
        self.n_hidden, self.sum_noise = n_hidden, sum_noise
        # gates begin open for the state: what is learned early then reaches far back
        start = torch.cat([torch.ones(n_hidden), torch.zeros(n_hidden)])
        self.bias = nn.Parameter(start) if bias else None

    @property
    def gate_top(self) -> int:
        """Whole number that a gate of 1 is rounded to."""
        return 1 if isinstance(self.neuron, Bits) else int(2**self.neuron.bits - 1)

    def forward(self, x: Tensor) -> Tensor:
        """Hidden states (n, n_steps, n_hidden) of inputs (n, n_steps, n_in).

        They begin with 0, or in training with what `carry_state` says.
        """
        below = x
        if self.training:
            weight = torch.cat([self.gate.trained(), self.candidate.trained()])
            bias: Tensor | None = self.bias
        else:
            weight = torch.cat([k * step for k, step in self._deployed()])
            bias, below = None if self.bias is None else self.bias.double(), x.double()
        recurrent, feed = weight[:, : self.n_hidden], weight[:, self.n_hidden :]
        sums = functional.linear(below, feed, bias)
        state, states = sums.new_zeros(len(x), self.n_hidden), []
        if self.training and self.kept is not None:
            state = self.kept
        for step in range(x.shape[1]):
            a = sums[:, step] + functional.linear(state, recurrent)
            if self.training:
                a = noisy(a, self.sum_noise)
            gate, candidate = a.chunk(2, dim=1)
            state = self._mix(self._gate(gate), state, self.neuron(candidate))
            states.append(state)
        if self.training and self.carries:
            self.kept = state.detach()
        return torch.stack(states, dim=1).to(x.dtype)

    def _gate(self, a: Tensor) -> Tensor:
        """Gates, in whole parts of `gate_top`."""
        if isinstance(self.neuron, Bits):
            gate: Tensor = self.neuron(a)
            return gate
        scaled = torch.sigmoid(a) * self.gate_top
        return scaled + (torch.round(scaled) - scaled).detach()

    def _mix(self, gate: Tensor, state: Tensor, candidate: Tensor) -> Tensor:
        top = self.gate_top
        if isinstance(self.neuron, Bits):
            return candidate + gate * (state - candidate)
        step = self.neuron.present_step()
        mean = (gate * state + (top - gate) * candidate) / top
        with torch.no_grad():
            g, h, c = (torch.round(t.double()) for t in (gate, state / step, candidate / step))
            code = torch.floor((g * h + (top - g) * c + top // 2) / top)
            found = (code * step).to(mean.dtype)
        return mean + (found - mean).detach() if self.training else found

    def _deployed(self) -> list[tuple[Tensor, Tensor]]:
        return [self.gate.deployed(), self.candidate.deployed()]

    def as_ops(self, name: str, inputs: tuple[str, ...]) -> list[Op]:
        """The operation, which means what evaluation mode computes."""
        parts = self._deployed()
        levels = torch.cat([k for k, _ in parts]).t().cpu().numpy()
        scale = np.repeat([float(step) for _, step in parts], self.n_hidden)
        has_levels = self.gate.quantizer is not None
        (candidate,) = self.neuron.as_ops(name, ())
        assert isinstance(candidate, Quantise)
        return [
            GruWithoutReset(
                name,
                inputs,
                levels * scale,
                np.zeros(2 * self.n_hidden) if self.bias is None else as_real(self.bias),
                candidate,
                self.gate_top,
                Scaled(levels.astype(np.int64), scale) if has_levels else None,
            )
        ]

    def extra_repr(self) -> str:
        return f"n_hidden={self.n_hidden}"
