"""Quantisation of weights: levels in the forward pass, full-precision shadow weights.

Every quantiser gives integer levels k and the step alpha / L; the weight in the forward
pass is step * k.  Gradients pass straight through to the shadow weights, and to the
clipping range if it is learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Quantizer(Protocol):
    """Interface of a quantiser: levels and step of a matrix of shadow weights."""

    @property
    def n_levels(self) -> int:
        """Number of levels of a weight."""
        ...

    def initial_range(self, weights: Tensor) -> float:
        """Clipping range alpha from the distribution of pre-trained weights."""
        ...

    def levels(self, weights: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
        """Levels k (integers stored as float), and the step alpha / L."""
        ...


def short(step: Tensor) -> Tensor:
    """Round a step to 5 significant bits.

    Levels of up to 3 bits times such a step are exact in bfloat16, and their sums in
    float32: a sum that is 0 on the chip is 0 in training, in either arithmetic.
    """
    mantissa, exponent = torch.frexp(step)
    return torch.ldexp(torch.round(mantissa * 32), exponent - 5)


@dataclass(frozen=True)
class MultiLevel:
    """k = round(L clip(w / alpha, -1, 1)), weight alpha k / L, n = 2 L + 1 levels.

    Gradient: dw_q/dw = 1 inside the clipping range, 0 outside.
    Source: Ma et al., section 3.2.  `range_deviations` is alpha in standard
    deviations of the pre-trained matrix; 2 is near the least squared error of
    seven levels on a normal distribution (Max 1960), 2.5 that of fifteen.
    """

    n_levels: int
    range_deviations: float = 2.0

    def initial_range(self, weights: Tensor) -> float:
        return self.range_deviations * float(weights.std())

    def levels(self, weights: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
        top = (self.n_levels - 1) // 2
        step = short(alpha / top)
        return torch.round(weights / step).clamp_(-top, top), step


@dataclass(frozen=True)
class Ternary:
    """k = sign(w) where |w| > 0.7 mean|w|, else 0; alpha = mean of |w| where k is not 0.

    Gradient: straight through.  Source: Li et al. 2016 (ternary weight networks).
    """

    n_levels: int = 3

    def initial_range(self, weights: Tensor) -> float:
        return float(self.levels(weights, torch.zeros(()))[1])

    def levels(self, weights: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
        magnitude = weights.abs()
        k = torch.where(magnitude > 0.7 * magnitude.mean(), weights.sign(), 0.0)
        kept = k.abs()
        return k, short((magnitude * kept).sum() / kept.sum().clamp(min=1.0))


@dataclass(frozen=True)
class Binary:
    """k = +1 where w >= 0, else -1; alpha = mean|w|.

    Gradient: straight through.  Source: Rastegari et al. 2016 (XNOR-Net).
    """

    n_levels: int = 2

    def initial_range(self, weights: Tensor) -> float:
        return float(weights.abs().mean())

    def levels(self, weights: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
        return torch.where(weights >= 0, 1.0, -1.0).to(weights), short(weights.abs().mean())


def quantizer_for(n_levels: int, range_deviations: float = 2.0) -> Quantizer:
    """The paper's quantiser for a number of levels."""
    if n_levels == 2:
        return Binary()
    if n_levels == 3:
        return Ternary()
    return MultiLevel(n_levels, range_deviations)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weights: Tensor, alpha: Tensor, quantizer: Quantizer) -> Tensor:  # type: ignore[no-untyped-def]
        k, step = quantizer.levels(weights, alpha)
        used = k * step
        if isinstance(quantizer, MultiLevel):
            inside = weights.abs() <= alpha
            slope = (used - weights * inside) / alpha if ctx.needs_input_grad[1] else None
            ctx.save_for_backward(inside, slope)
        else:
            ctx.save_for_backward(None, None)
        return used

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        inside, slope = ctx.saved_tensors
        grad_range = None if slope is None else (gradient * slope).sum()
        return gradient if inside is None else gradient * inside, grad_range, None


def quantize(weights: Tensor, alpha: Tensor, quantizer: Quantizer) -> Tensor:
    """Quantise weights, with straight-through gradients to the shadow weights and the range.

    With q = alpha k / L: dq/dw = 1 inside the clipping range, 0 outside;
    dq/dalpha = (q - w) / alpha inside and k / L = +-1 outside (learned step size
    quantisation, Esser et al. 2020, for alpha instead of the step).
    """
    value: Tensor = _StraightThrough.apply(weights, alpha, quantizer)  # type: ignore[no-untyped-call]
    return value
