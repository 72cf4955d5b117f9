"""Training layers in bfloat16 on a CPU: torch's matrix products, our passes between them.

Twins of `pimsim.train.neurons.fire` and `pimsim.train.gru.gru_layer` with operands rounded
to bfloat16, several times as fast where the processor multiplies bfloat16 matrices in
hardware.  Parameters and the optimiser stay in float32.  A product is summed in float32,
and its result rounded to bfloat16, once for the layer below and once more with the
recurrent part: sums of quantised layers are exact up to 256 steps of a level, and rounded
to 8 bits beyond.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pimsim.kernels import training
from pimsim.kernels.training import NO_LIMIT
from pimsim.train.neurons import Neuron
from pimsim.train.noise import NoiseSource

HALF = torch.bfloat16


def _words(values: Tensor) -> NDArray[np.uint16]:
    """The bits of bfloat16 values, in the same memory."""
    return values.view(torch.uint16).numpy()


class _Fire(torch.autograd.Function):
    @staticmethod
    def forward(ctx, sums: Tensor, neuron: Neuron, source: NoiseSource) -> Tensor:  # type: ignore[no-untyped-def]
        how = neuron.firing()
        noise = source.view(how.kind, sums.shape).numpy().reshape(-1)
        fired, slopes = torch.empty_like(sums, dtype=HALF), torch.empty_like(sums, dtype=HALF)
        flat = sums.detach().contiguous().view(-1)
        training.fire(
            flat.numpy(), noise, how.operand(), _words(fired.view(-1)), _words(slopes.view(-1))
        )
        ctx.save_for_backward(slopes)
        return fired

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        (slopes,) = ctx.saved_tensors
        return (gradient * slopes).float(), None, None


def fire(preactivation: Tensor, neuron: Neuron, source: NoiseSource) -> Tensor:
    """Outputs of one neuron for each pre-activation, in bfloat16; twin of `neurons.fire`."""
    value: Tensor = _Fire.apply(preactivation, neuron, source)  # type: ignore[no-untyped-call]
    return value


class _GruLayer(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx, below: Tensor, weights: Tensor, neuron: Neuron, source: NoiseSource, limit: float
    ) -> Tensor:
        n_steps, batch, n_below = below.shape
        n_hidden = weights.shape[1] // 2
        how = neuron.firing()
        noise = source.view(how.kind, (n_steps, batch, 2 * n_hidden)).numpy()
        half = weights.to(HALF)
        sums = (below.reshape(-1, n_below) @ half[n_hidden:]).view(n_steps, batch, 2 * n_hidden)
        fired, slopes = torch.empty_like(sums), torch.empty_like(sums)
        states = torch.empty(n_steps + 1, batch, n_hidden, dtype=HALF)
        states[0] = 0
        state = np.zeros((batch, n_hidden), np.float32)
        words = [_words(x) for x in (sums, fired, slopes, states)]
        operand = how.operand()
        for step in range(n_steps):
            sums[step].addmm_(states[step], half[:n_hidden])
            training.step_forward(
                words[0][step],
                noise[step],
                operand,
                state,
                words[1][step],
                words[2][step],
                words[3][step + 1],
            )
        ctx.save_for_backward(below, half, fired, slopes, states)
        ctx.limit = limit / batch
        return states[1:]

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        below, half, fired, slopes, states = ctx.saved_tensors
        n_steps, batch, n_below = below.shape
        n_hidden = half.shape[1] // 2
        recurrent = half[:n_hidden].t().contiguous()
        delta = torch.empty_like(fired)
        through = torch.zeros(batch, n_hidden, dtype=HALF)
        kept = np.zeros((batch, n_hidden), np.float32)
        words = [_words(x) for x in (gradient.contiguous(), states, fired, slopes, delta)]
        for step in range(n_steps - 1, -1, -1):
            training.step_backward(
                words[0][step],
                _words(through),
                kept,
                words[1][step],
                words[2][step],
                words[3][step],
                np.float32(ctx.limit),
                words[4][step],
            )
            torch.mm(delta[step], recurrent, out=through)
        flat = delta.view(n_steps * batch, -1)
        rows = (states[:-1].reshape(-1, n_hidden), below.reshape(-1, n_below))
        to_weights = torch.cat([(x.t() @ flat).float() for x in rows])
        to_below = None
        if ctx.needs_input_grad[0]:
            to_below = (flat @ half[n_hidden:].t()).view(below.shape)
        return to_below, to_weights, None, None, None


def gru_layer(
    below: Tensor,
    weights: Tensor,
    neuron: Neuron,
    source: NoiseSource,
    error_limit: float = NO_LIMIT,
) -> Tensor:
    """Hidden states of one GRU layer in bfloat16; twin of `pimsim.train.gru.gru_layer`.

    Parameters
    ----------
    below : (n_steps, batch, n_below) bfloat16
    weights : (n_hidden + n_below, 2 n_hidden) float32
    neuron : Neuron
    source : NoiseSource
    error_limit : float
        As of `pimsim.train.gru.gru_layer`.

    Returns
    -------
    (n_steps, batch, n_hidden) bfloat16
    """
    hidden: Tensor = _GruLayer.apply(below, weights, neuron, source, error_limit)  # type: ignore[no-untyped-call]
    return hidden
