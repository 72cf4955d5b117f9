"""Neurons and codes on a CPU in one pass over memory, on operands of bfloat16 or float32.

Twins of `pimsim.nn.neurons.fire` and `fire_and_pool`.  Where the processor multiplies bfloat16
matrices in hardware, bfloat16 is several times as fast; on other processors torch takes fifty times
as long with it, so `operands` chooses float32 there.  Parameters and the optimiser stay in float32.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pimsim.kernels import training
from pimsim.nn.neurons import Neuron
from pimsim.nn.noise import NoiseSource

HALF, SINGLE = torch.bfloat16, torch.float32


def operands(arithmetic: str) -> torch.dtype:
    """Type of the operands on this processor: bfloat16 if wanted and fast, else float32."""
    # private functions of torch, which a later version may not have
    tests = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    has_hardware = any(getattr(torch.cpu, name, lambda: False)() for name in tests)
    return HALF if arithmetic == "bfloat16" and has_hardware else SINGLE


def words(values: Tensor) -> NDArray[np.uint16] | NDArray[np.float32]:
    """View of a tensor for the kernels: the bits of bfloat16 values, or float32 values."""
    return (values.view(torch.uint16) if values.dtype == HALF else values).numpy()


def in_memory_order(values: Tensor) -> Tensor:
    """Numbers (n,) of a tensor as they lie in memory: channels last in maps stored so."""
    if values.ndim == 4 and values.is_contiguous(memory_format=torch.channels_last):
        return values.permute(0, 2, 3, 1).reshape(-1)
    return values.reshape(-1)


class _Fire(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx, sums: Tensor, neuron: Neuron, source: NoiseSource, kind: torch.dtype
    ) -> Tensor:
        how = neuron.firing()
        numbers = in_memory_order(sums.detach()).contiguous()
        noise = source.view(how.kind, numbers.shape).numpy()
        fired, slopes = torch.empty_like(sums, dtype=kind), torch.empty_like(sums, dtype=kind)
        outputs = (words(in_memory_order(x)) for x in (fired, slopes))
        training.fire(words(numbers), noise, how.operand(), *outputs)
        ctx.save_for_backward(slopes)
        ctx.kind = sums.dtype
        return fired

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        (slopes,) = ctx.saved_tensors
        return (gradient * slopes).to(ctx.kind), None, None, None


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


class _FireAndPoolLast(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx, sums: Tensor, neuron: Neuron, source: NoiseSource, size: tuple[int, int]
    ) -> Tensor:
        how = neuron.firing()
        maps = sums.detach().permute(0, 2, 3, 1).contiguous()
        n, height, width, channels = maps.shape
        noise = source.view(how.kind, maps.shape).numpy()
        fired = maps.new_empty(n, height // size[0], width // size[1], channels)
        slopes, winners = torch.empty_like(fired), torch.empty_like(fired, dtype=torch.uint8)
        outputs = words(fired), words(slopes), winners.numpy()
        training.fire_and_pool_last(words(maps), noise, how.operand(), size, *outputs)
        ctx.save_for_backward(slopes, winners)
        ctx.size, ctx.shape = size, maps.shape
        return fired.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        slopes, winners = ctx.saved_tensors
        grad_values = gradient.to(slopes.dtype).permute(0, 2, 3, 1).contiguous()
        grad_sums = slopes.new_empty(ctx.shape)
        inputs = words(grad_values), words(slopes), winners.numpy()
        training.unpool_last(*inputs, ctx.size, words(grad_sums))
        return grad_sums.permute(0, 3, 1, 2), None, None, None


def fire_and_pool_last(
    preactivation: Tensor, neuron: Neuron, source: NoiseSource, size: tuple[int, int]
) -> Tensor:
    """Largest output of each window of maps (n, channels, height, width) stored channels last.

    Operands are those of the pre-activations; the size (vertical, horizontal) divides the maps.
    """
    value: Tensor = _FireAndPoolLast.apply(preactivation, neuron, source, size)  # type: ignore[no-untyped-call]
    return value


class _Quantise(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx, a: Tensor, alpha: Tensor, step: float, lowest: int, highest: int
    ) -> Tensor:
        values = in_layout_of(a.detach(), a)
        used = torch.empty_like(values)
        limits = (np.float32(x) for x in (step, lowest, highest))
        training.quantise(_flat(values), *limits, _flat(used))
        ctx.save_for_backward(values, used)
        ctx.high = float(alpha.detach())
        ctx.low = -ctx.high if lowest < 0 else 0.0
        return used

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        values, used = ctx.saved_tensors
        grad_used = in_layout_of(gradient.to(values.dtype), values)
        grad_values = torch.empty_like(values)
        arrays = (_flat(x) for x in (values, used, grad_used))
        ends = np.float32(ctx.low), np.float32(ctx.high)
        grad_alpha = training.quantise_backward(*arrays, *ends, _flat(grad_values))
        return grad_values, torch.tensor(grad_alpha, dtype=torch.float32), None, None, None


def quantise(a: Tensor, alpha: Tensor, step: float, lowest: int, highest: int) -> Tensor:
    """Multiples of a step from `lowest` to `highest`; twin of `quantize` for neurons' outputs.

    Parameters
    ----------
    a : Tensor
        bfloat16 or float32, as the result.
    alpha : Tensor ()
        float32: the largest output, which gets a gradient, too.
    step : float
    lowest, highest : int
        Smallest multiple, 0 or -highest, and the largest.
    """
    value: Tensor = _Quantise.apply(a, alpha, step, lowest, highest)  # type: ignore[no-untyped-call]
    return value


def in_layout_of(values: Tensor, like: Tensor) -> Tensor:
    """A tensor as another one lies in memory: with channels last, or contiguous."""
    if like.ndim == 4 and like.is_contiguous(memory_format=torch.channels_last):
        return values.contiguous(memory_format=torch.channels_last)
    return values.contiguous()


def _flat(values: Tensor) -> NDArray[np.uint16] | NDArray[np.float32]:
    return words(in_memory_order(values))
