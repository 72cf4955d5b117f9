"""Training layers on a CPU: matrix products by torch, fused passes between them.

Twins of `pimsim.nn.neurons.fire` and `fire_and_pool` and of `pimsim.train.gru.gru_layer`, on
operands of bfloat16 or float32.  Where the processor multiplies bfloat16 matrices in hardware,
bfloat16 is several times as fast; on other processors torch takes fifty times as long with it,
so `operands` chooses float32 there.  Parameters and the optimiser stay in float32.  A product of
bfloat16 operands is summed in float32, and its result rounded to bfloat16, once for the layer
below and once more with the recurrent part: sums of quantised layers are exact up to 256 steps
of a level, and rounded to 8 bits beyond.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pimsim.kernels import training
from pimsim.kernels.training import NO_LIMIT
from pimsim.nn.neurons import Neuron
from pimsim.nn.noise import NoiseSource

HALF, SINGLE = torch.bfloat16, torch.float32


def operands(arithmetic: str) -> torch.dtype:
    """Type of the operands on this processor: bfloat16 if wanted and fast, else float32."""
    # private functions of torch, which a later version may not have
    tests = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    has_hardware = any(getattr(torch.cpu, name, lambda: False)() for name in tests)
    return HALF if arithmetic == "bfloat16" and has_hardware else SINGLE


def _words(values: Tensor) -> NDArray[np.uint16] | NDArray[np.float32]:
    """View of a tensor for the kernels: the bits of bfloat16 values, or float32 values."""
    return (values.view(torch.uint16) if values.dtype == HALF else values).numpy()


class _Fire(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx, sums: Tensor, neuron: Neuron, source: NoiseSource, kind: torch.dtype
    ) -> Tensor:
        how = neuron.firing()
        noise = source.view(how.kind, sums.shape).numpy().reshape(-1)
        fired, slopes = torch.empty_like(sums, dtype=kind), torch.empty_like(sums, dtype=kind)
        flat = sums.detach().contiguous().view(-1)
        training.fire(
            flat.numpy(), noise, how.operand(), _words(fired.view(-1)), _words(slopes.view(-1))
        )
        ctx.save_for_backward(slopes)
        return fired

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        (slopes,) = ctx.saved_tensors
        return (gradient * slopes).float(), None, None, None


def fire(preactivation: Tensor, neuron: Neuron, source: NoiseSource, kind: torch.dtype) -> Tensor:
    """Neuron outputs for all pre-activations, as operands; twin of `neurons.fire`."""
    value: Tensor = _Fire.apply(preactivation, neuron, source, kind)  # type: ignore[no-untyped-call]
    return value


class _FireAndPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx, sums: Tensor, neuron: Neuron, source: NoiseSource, size: int) -> Tensor:  # type: ignore[no-untyped-def]
        n, channels, height, width = sums.shape
        how = neuron.firing()
        maps = sums.detach().contiguous().view(-1, height, width)
        noise = source.view(how.kind, maps.shape)
        fired = maps.new_empty(len(maps), height // size, width // size)
        slopes = torch.empty_like(fired)
        winners = torch.empty_like(fired, dtype=torch.uint8)
        outputs = (x.numpy() for x in (fired, slopes, winners))
        training.fire_and_pool(maps.numpy(), noise.numpy(), how.operand(), size, *outputs)
        ctx.save_for_backward(slopes, winners)
        ctx.size, ctx.shape = size, sums.shape
        return fired.view(n, channels, *fired.shape[1:])

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        slopes, winners = ctx.saved_tensors
        grad_values = gradient.contiguous().view(slopes.shape)
        grad_sums = torch.empty(ctx.shape)
        maps = grad_sums.view(-1, *ctx.shape[2:])
        inputs = (x.numpy() for x in (grad_values, slopes, winners))
        training.unpool(*inputs, ctx.size, maps.numpy())
        return grad_sums, None, None, None


def fire_and_pool(preactivation: Tensor, neuron: Neuron, source: NoiseSource, size: int) -> Tensor:
    """Largest output of each window of a feature map; twin of `neurons.fire_and_pool`."""
    value: Tensor = _FireAndPool.apply(preactivation, neuron, source, size)  # type: ignore[no-untyped-call]
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
        weights = weights.to(below.dtype)
        sums = (below.reshape(-1, n_below) @ weights[n_hidden:]).view(n_steps, batch, 2 * n_hidden)
        fired, slopes = torch.empty_like(sums), torch.empty_like(sums)
        states = torch.empty(n_steps + 1, batch, n_hidden, dtype=below.dtype)
        states[0] = 0
        state = np.zeros((batch, n_hidden), np.float32)
        sum_words, fired_words, slope_words = _words(sums), _words(fired), _words(slopes)
        state_words, operand = _words(states), how.operand()
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
        above_words, state_words = _words(gradient.contiguous()), _words(states)
        fired_words, slope_words = _words(fired), _words(slopes)
        next_words, sum_words = _words(grad_next), _words(grad_sums)
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
        return grad_below, grad_weights, None, None, None


def gru_layer(
    below: Tensor,
    weights: Tensor,
    neuron: Neuron,
    source: NoiseSource,
    error_limit: float = NO_LIMIT,
) -> Tensor:
    """Hidden states of one GRU layer in fused passes; twin of `pimsim.train.gru.gru_layer`.

    Parameters
    ----------
    below : (n_steps, batch, n_below) bfloat16 or float32
    weights : (n_hidden + n_below, 2 n_hidden) float32
    neuron : Neuron
    source : NoiseSource
    error_limit : float
        As in `pimsim.train.gru.gru_layer`.

    Returns
    -------
    (n_steps, batch, n_hidden), of the type of `below`
    """
    hidden: Tensor = _GruLayer.apply(below, weights, neuron, source, error_limit)  # type: ignore[no-untyped-call]
    return hidden
