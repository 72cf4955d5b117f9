"""Training of GRU layers on a CPU: matrix products by torch, fused passes between them.

Twin of `pimsim.train.gru.gru_layer`, on operands of bfloat16 or float32 (`pimsim.nn.fused`).  A
product of bfloat16 operands is summed in float32, and its result rounded to bfloat16, once for
the layer below and once more with the recurrent part: sums of quantised layers are exact up to 256
steps of a level, and rounded to 8 bits beyond.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pimsim.kernels import training
from pimsim.kernels.training import NO_LIMIT
from pimsim.nn.fused import words
from pimsim.nn.neurons import Neuron
from pimsim.nn.noise import NoiseSource


class _GruLayer(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx,
        below: Tensor,
        weights: Tensor,
        neuron: Neuron,
        source: NoiseSource,
        start: Tensor | None,
        limit: float,
    ) -> Tensor:
        n_steps, batch, n_below = below.shape
        n_hidden = weights.shape[1] // 2
        how = neuron.firing()
        noise = source.view(how.kind, (n_steps, batch, 2 * n_hidden)).numpy()
        weights = weights.to(below.dtype)
        sums = (below.reshape(-1, n_below) @ weights[n_hidden:]).view(n_steps, batch, 2 * n_hidden)
        if start is not None:
            sums += start.to(sums.dtype)
        fired, slopes = torch.empty_like(sums), torch.empty_like(sums)
        states = torch.empty(n_steps + 1, batch, n_hidden, dtype=below.dtype)
        states[0] = 0
        state = np.zeros((batch, n_hidden), np.float32)
        sum_words, fired_words, slope_words = words(sums), words(fired), words(slopes)
        state_words, operand = words(states), how.operand()
        for step in range(n_steps):
            sums[step].addmm_(states[step], weights[:n_hidden])
            training.step_forward(
                sum_words[step],
                noise[step],
                operand,
                state,
                fired_words[step],
                slope_words[step],
                state_words[step + 1],
            )
        ctx.save_for_backward(below, weights, fired, slopes, states)
        ctx.limit = limit / batch
        return states[1:]

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        below, weights, fired, slopes, states = ctx.saved_tensors
        n_steps, batch, n_below = below.shape
        n_hidden = weights.shape[1] // 2
        recurrent = weights[:n_hidden].t().contiguous()
        grad_sums = torch.empty_like(fired)
        grad_next = torch.zeros(batch, n_hidden, dtype=below.dtype)
        grad_state = np.zeros((batch, n_hidden), np.float32)
        above_words, state_words = words(gradient.contiguous()), words(states)
        fired_words, slope_words = words(fired), words(slopes)
        next_words, sum_words = words(grad_next), words(grad_sums)
        for step in range(n_steps - 1, -1, -1):
            training.step_backward(
                above_words[step],
                next_words,
                grad_state,
                state_words[step],
                fired_words[step],
                slope_words[step],
                np.float32(ctx.limit),
                sum_words[step],
            )
            torch.mm(grad_sums[step], recurrent, out=grad_next)
        flat = grad_sums.view(n_steps * batch, -1)
        rows = (states[:-1].reshape(-1, n_hidden), below.reshape(-1, n_below))
        grad_weights = torch.cat([(x.t() @ flat).float() for x in rows])
        grad_below = None
        if ctx.needs_input_grad[0]:
            grad_below = (flat @ weights[n_hidden:].t()).view(below.shape)
        return grad_below, grad_weights, None, None, None, None


def gru_layer(
    below: Tensor,
    weights: Tensor,
    neuron: Neuron,
    source: NoiseSource,
    error_limit: float = NO_LIMIT,
    start: Tensor | None = None,
) -> Tensor:
    """Hidden states of one GRU layer in fused passes; twin of `pimsim.train.gru.gru_layer`.

    Parameters
    ----------
    below : (n_steps, batch, n_below) bfloat16 or float32
    weights : (n_hidden + n_below, 2 n_hidden) float32
    neuron : Neuron
    source : NoiseSource
    error_limit, start
        As in `pimsim.train.gru.gru_layer`.

    Returns
    -------
    (n_steps, batch, n_hidden), of the type of `below`
    """
    hidden: Tensor = _GruLayer.apply(below, weights, neuron, source, start, error_limit)  # type: ignore[no-untyped-call]
    return hidden
