"""The trigger-word GRU: a recurrent layer with a hand-written backward pass.

Plain autograd keeps a graph of some ten nodes per time step.  Here one layer is one
node over all steps: the products with the inputs are one matrix product before the
loop, the weight gradients are two after it, and only the recurrent products are
inside.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pimsim.kernels.training import NO_LIMIT
from pimsim.nn import fused
from pimsim.nn.neurons import Neuron, fire
from pimsim.train import fast
from pimsim.train.layers import Matrix, Mode
from pimsim.train.thermometer import ThermometerBits, ThermometerLayer
from pimsim.train.torch_network import FIRST, TorchNetwork
from pimsim.workload import Dense, Gru, Layer, LevelMatrix, Node


class _GruLayer(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx,
        below: Tensor,
        weights: Tensor,
        neuron: Neuron,
        noise: Tensor | None,
        start: Tensor | None,
        limit: float,
    ):
        n_steps, batch, n_below = below.shape
        hidden = weights.shape[1] // 2
        recurrent = weights[:hidden]
        noisy = (below.reshape(-1, n_below) @ weights[hidden:]).view(n_steps, batch, 2 * hidden)
        if start is not None:
            noisy += start
        if noise is not None:
            noisy += noise
        fired = torch.empty_like(noisy)
        states = noisy.new_zeros(n_steps + 1, batch, hidden)
        for step in range(n_steps):
            state, following = states[step], states[step + 1]
            noisy[step].addmm_(state, recurrent)
            fired[step] = neuron.value(noisy[step], None if noise is None else noise[step])
            gate, candidate = fired[step, :, :hidden], fired[step, :, hidden:]
            torch.lerp(candidate, state, gate, out=following)
        ctx.save_for_backward(below, weights, fired, states, neuron.slope(noisy, fired, noise))
        ctx.mark_non_differentiable(noisy, fired)
        ctx.limit = limit / batch
        return states[1:], noisy, fired

    @staticmethod
    def backward(ctx, gradient: Tensor, *_: Tensor):  # type: ignore[no-untyped-def]
        below, weights, fired, states, slope = ctx.saved_tensors
        n_steps, batch, n_below = below.shape
        hidden = weights.shape[1] // 2
        recurrent = weights[:hidden].t()
        grad_sums = torch.empty_like(slope)
        grad_state = torch.zeros_like(states[0])
        for step in range(n_steps - 1, -1, -1):
            grad_state += gradient[step]
            norm = grad_state.norm(dim=1, keepdim=True)
            grad_state *= torch.where(norm > ctx.limit, ctx.limit / norm, 1.0)
            gate, candidate = fired[step, :, :hidden], fired[step, :, hidden:]
            kept = grad_state * gate
            torch.mul(grad_state, states[step] - candidate, out=grad_sums[step, :, :hidden])
            torch.sub(grad_state, kept, out=grad_sums[step, :, hidden:])
            grad_sums[step] *= slope[step]
            grad_state = torch.addmm(kept, grad_sums[step], recurrent)
        flat = grad_sums.view(n_steps * batch, -1)
        grad_weights = torch.cat(
            [states[:-1].reshape(-1, hidden).t() @ flat, below.reshape(-1, n_below).t() @ flat]
        )
        grad_below = None
        if ctx.needs_input_grad[0]:
            grad_below = (flat @ weights[hidden:].t()).view(below.shape)
        return grad_below, grad_weights, None, None, None, None


def gru_layer(
    below: Tensor,
    weights: Tensor,
    neuron: Neuron,
    noise: Tensor | None,
    error_limit: float = NO_LIMIT,
    start: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run one GRU layer without reset gate over all time steps, eq. 7-11.

    Parameters
    ----------
    below : (n_steps, batch, n_below)
    weights : (n_hidden + n_below, 2 n_hidden)
        Rows: H(t-1), then the layer below.  Columns: gate, then candidate.
    neuron : Neuron
    noise : (n_steps, batch, 2 n_hidden) or None
        Added to the pre-activations.
    error_limit : float
        Largest norm of d loss / d H(t) of one sequence at any step, where the loss is that of
        the sequence alone (the loss of a batch is a mean, so its gradients are multiplied by
        the batch size).  Larger gradients are scaled down in the backward pass.
    start : (2 n_hidden,) or None
        Pre-activations before any input; they get no gradient.

    Returns
    -------
    hidden : (n_steps, batch, n_hidden)
    noisy : (n_steps, batch, 2 n_hidden)
        Pre-activations with their noise; not differentiable.
    fired : (n_steps, batch, 2 n_hidden)
        Gates and candidates; not differentiable.
    """
    hidden, noisy, fired = _GruLayer.apply(below, weights, neuron, noise, start, error_limit)  # type: ignore[no-untyped-call]
    return hidden, noisy, fired


def _start(gate: Matrix, candidate: Matrix, mode: Mode) -> Tensor | None:
    """Pre-activations (2 n_hidden,) of a layer before any input; None: 0."""
    found = [matrix.start(mode) for matrix in (gate, candidate)]
    if found == [None, None]:
        return None
    n_hidden = gate.weight.shape[1]
    parts = (gate.weight.new_zeros(()) if part is None else part for part in found)
    return torch.cat([part.expand(n_hidden) for part in parts])


class GruNetwork(TorchNetwork):
    """Frames -> first layer -> stacked GRU layers -> scores from the last hidden state.

    The first layer is a real-valued dense encoder, or one of thermometer bits in arrays, which the
    first GRU layer may also read itself. The output layer is real valued; GRU layers have no biases
    (contract, section 1).
    """

    batch_axis = 1

    def __init__(
        self,
        n_inputs: int,
        n_hidden: int,
        n_layers: int,
        n_classes: int,
        thermometer: ThermometerBits | None = None,
        later: bool = False,
    ) -> None:
        super().__init__(nn.Linear(n_inputs, n_hidden), thermometer, later)
        self.gates = nn.ModuleList()
        self.candidates = nn.ModuleList()
        below = n_hidden
        if thermometer is not None and not isinstance(thermometer, ThermometerLayer):
            below = thermometer.bits.n_bits
        for _ in range(n_layers):
            n_rows = n_hidden + below
            # sums have a standard deviation of about 1.7: the curved part of a sigmoid
            sigma = 3.0 * n_rows**-0.5
            # with half of all rows active, gates begin at +2: they keep the hidden state
            self.gates.append(Matrix(n_rows, n_hidden, sigma, 4.0 / n_rows))
            self.candidates.append(Matrix(n_rows, n_hidden, sigma))
            below = n_hidden
        self.output = nn.Linear(n_hidden, n_classes)

    def matrices(self) -> dict[str, Matrix]:
        found = {} if self.first is None else {FIRST: self.first.matrix}
        for index, (gate, candidate) in enumerate(self._layers()):
            found[f"gru{index}.gate"] = gate
            found[f"gru{index}.candidate"] = candidate
        return found

    def _layers(self) -> list[tuple[Matrix, Matrix]]:
        return list(zip(self.gates, self.candidates, strict=True))  # type: ignore[arg-type]

    def nodes(self, matrices: dict[str, LevelMatrix]) -> tuple[Node, ...]:
        found = dict(matrices)
        first = found.pop(FIRST, None)
        pairs = list(found.values())
        layers: list[Layer] = [Gru(*pair) for pair in zip(pairs[::2], pairs[1::2], strict=True)]
        return self.chained(layers, None if first is None else Dense(first))

    def forward(self, frames: Tensor) -> Tensor:
        """Frames (n_steps, batch, n_inputs) -> scores (batch, n_classes)."""
        mode = self.mode
        if mode.operands is not None:
            return self._forward_fast(frames, mode.operands)
        below = self._below(frames, lambda sums: fire(sums, mode.neuron, mode.source))
        for index, (gate, candidate) in enumerate(self._layers()):
            weights = torch.cat([gate.used(mode), candidate.used(mode)], dim=1)
            noise = mode.neuron.noise((*below.shape[:2], weights.shape[1]), mode.source)
            start = _start(gate, candidate, mode)
            below, sums, fired = gru_layer(
                below, weights, mode.neuron, noise, mode.error_limit, start
            )
            halves = zip(sums.chunk(2, dim=2), fired.chunk(2, dim=2), strict=True)
            for name, half in zip(("gate", "candidate"), halves, strict=True):
                mode.keep(f"gru{index}.{name}", *half)
            mode.keep(f"gru{index}.hidden", None, below)
        scores: Tensor = self.output(below[-1])
        return scores

    def _below(self, frames: Tensor, fire: Callable[[Tensor], Tensor]) -> Tensor:
        """Bits that the first GRU layer reads."""
        unit = self.thermometer
        if unit is not None and not isinstance(unit, ThermometerLayer):
            return unit.bits_of(frames, self.mode)
        sums = self.preactivations(frames)
        bits = fire(sums)
        self.keep_first(sums, bits)
        return bits

    def _forward_fast(self, frames: Tensor, operands: torch.dtype) -> Tensor:
        """Forward pass in fused kernels, for training only."""
        mode = self.mode
        below = self._below(
            frames, lambda sums: fused.fire(sums, mode.neuron, mode.source, operands)
        )
        for gate, candidate in self._layers():
            weights = torch.cat([gate.used(mode), candidate.used(mode)], dim=1)
            start = _start(gate, candidate, mode)
            below = fast.gru_layer(
                below, weights, mode.neuron, mode.source, mode.error_limit, start
            )
        scores: Tensor = self.output(below[-1].float())
        return scores
