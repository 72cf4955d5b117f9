"""Neurons for training binary activations: their outputs and surrogate gradients.

A neuron turns a pre-activation a and a random number n into an output y.  Its
`slope` is the dy/da that training propagates.  The recurrent loop of
`pimsim.train.gru` calls `value` step by step and `slope` once for all steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

from pimsim.kernels import training
from pimsim.nn.noise import NoiseSource


class Neuron(Protocol):
    """Interface of a neuron: noise, output and slope."""

    def noise(self, shape: tuple[int, ...], source: NoiseSource) -> Tensor | None:
        """Draw n for pre-activations of this shape; None where the neuron has no noise."""
        ...

    def value(self, noisy: Tensor, noise: Tensor | None) -> Tensor:
        """y from a + n and n."""
        ...

    def slope(self, noisy: Tensor, value: Tensor, noise: Tensor | None) -> Tensor:
        """dy/da from a + n, y and n."""
        ...

    def firing(self) -> Firing:
        """Parameters of the neuron, for `pimsim.nn.fused`."""
        ...


@dataclass(frozen=True)
class Firing:
    """Parameters of a neuron: y is a function of a + scale n, the slope that of a sigmoid.

    Attributes
    ----------
    kind : "normal" or "logistic"
        Distribution of n.
    scale : float
        Factor of n.
    steepness : float
        1 / temperature of the sigmoid.
    soft_below : float
        y is the sigmoid where |n| is smaller, otherwise a step.
    clean : bool
        The slope is taken at a, not at a + n.
    """

    kind: str
    scale: float
    steepness: float
    soft_below: float = math.inf
    clean: bool = False

    def operand(self) -> training.Firing:
        """The same parameters in the types of the kernels."""
        return training.Firing(
            np.float32(self.scale),
            np.float32(self.steepness),
            np.float32(self.soft_below),
            self.clean,
        )


def _gaussian(sigma: float, shape: tuple[int, ...], source: NoiseSource) -> Tensor | None:
    return source.normal(shape).mul_(sigma) if sigma > 0 else None


@dataclass(frozen=True)
class NoisyContinuousNeuron:
    """y = sigmoid((a + n) / tau), n ~ N(0, sigma^2).

    Gradient: dy/da = y (1 - y) / tau, exact (the noise is reparameterised).
    Source: Ma et al., eq. 3-4; eq. 4 leaves the factor 1/tau to the learning rate.
    With sigma 0 and tau 1 it is the plain sigmoid of the float baseline.
    """

    sigma: float
    temperature: float

    def noise(self, shape: tuple[int, ...], source: NoiseSource) -> Tensor | None:
        return _gaussian(self.sigma, shape, source)

    def value(self, noisy: Tensor, noise: Tensor | None) -> Tensor:
        return torch.sigmoid(noisy / self.temperature)

    def slope(self, noisy: Tensor, value: Tensor, noise: Tensor | None) -> Tensor:
        return (1 - value).mul_(value).div_(self.temperature)

    def firing(self) -> Firing:
        return Firing("normal", self.sigma, 1 / self.temperature)


@dataclass(frozen=True)
class NoisyBinaryNeuron:
    """y = 1 if a + n > 0 else 0, n ~ N(0, sigma^2).

    Gradient: that of the step is zero, so training uses that of the noisy continuous
    neuron at the same noise, s (1 - s) / tau with s = sigmoid((a + n) / tau).
    Source: Ma et al., eq. 5 (value, there for inference only) and eq. 4 (slope);
    using both together in a last training stage is ours.

    With a `share` below 1, that share of the neurons outputs bits and the others output the
    sigmoid: those with the smallest noise in magnitude, so that no further random numbers
    are needed.  Raising the share from 0 to 1 leads from the continuous to the binary
    network (quantisation noise, Fan et al. 2021, applied to activations).
    """

    sigma: float
    temperature: float
    share: float = 1.0

    @property
    def soft_below(self) -> float:
        """Bound on |n| / sigma below which the output is the sigmoid."""
        return float(ndtri(1 - self.share / 2)) if self.share < 1 else 0.0

    def noise(self, shape: tuple[int, ...], source: NoiseSource) -> Tensor | None:
        return _gaussian(self.sigma, shape, source)

    def value(self, noisy: Tensor, noise: Tensor | None) -> Tensor:
        step = noisy.sign().clamp_(min=0.0)
        if noise is None or self.share == 1:
            return step
        is_soft = noise.abs() < self.sigma * self.soft_below
        return torch.where(is_soft, torch.sigmoid(noisy / self.temperature), step)

    def slope(self, noisy: Tensor, value: Tensor, noise: Tensor | None) -> Tensor:
        smooth = torch.sigmoid(noisy / self.temperature)
        return (1 - smooth).mul_(smooth).div_(self.temperature)

    def firing(self) -> Firing:
        return Firing("normal", self.sigma, 1 / self.temperature, self.soft_below)


@dataclass(frozen=True)
class StochasticBinaryNeuron:
    """y = 1 with probability sigmoid(s a), else 0.

    Gradient: straight-through, dy/da = s p (1 - p) with p = sigmoid(s a): the
    sampling is ignored.  Source: Ma et al., eq. 1-2, after Bengio 2013; eq. 2
    leaves the factor s to the learning rate.  The sample is drawn as
    a + n > 0 with n logistic of scale 1/s, which has the same distribution.
    """

    steepness: float

    def noise(self, shape: tuple[int, ...], source: NoiseSource) -> Tensor | None:
        return source.logistic(shape).div_(self.steepness)

    def value(self, noisy: Tensor, noise: Tensor | None) -> Tensor:
        return noisy.sign().clamp_(min=0.0)

    def slope(self, noisy: Tensor, value: Tensor, noise: Tensor | None) -> Tensor:
        clean = noisy if noise is None else noisy - noise
        p = torch.sigmoid(clean * self.steepness)
        return (1 - p).mul_(p).mul_(self.steepness)

    def firing(self) -> Firing:
        return Firing("logistic", 1 / self.steepness, self.steepness, soft_below=0.0, clean=True)


class _Fire(torch.autograd.Function):
    """Value forward, slope backward, for layers without recurrence."""

    @staticmethod
    def forward(ctx, noisy: Tensor, neuron: Neuron, noise: Tensor | None) -> Tensor:  # type: ignore[no-untyped-def]
        value = neuron.value(noisy, noise)
        ctx.save_for_backward(neuron.slope(noisy, value, noise))
        return value

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        (slope,) = ctx.saved_tensors
        return gradient * slope, None, None


def fire(preactivation: Tensor, neuron: Neuron, source: NoiseSource) -> Tensor:
    """Neuron outputs for all pre-activations; the gradient is the neuron's slope."""
    noise = neuron.noise(tuple(preactivation.shape), source)
    noisy = preactivation if noise is None else preactivation + noise
    value: Tensor = _Fire.apply(noisy, neuron, noise)  # type: ignore[no-untyped-call]
    return value


def fire_and_pool(preactivation: Tensor, neuron: Neuron, source: NoiseSource, size: int) -> Tensor:
    """Largest output of each window of a feature map (n, channels, height, width).

    The size divides height and width.

    The output of a neuron grows with its noisy pre-activation, so the largest output is
    that of the largest noisy pre-activation. That neuron gets the gradient, without the
    ties that bits would have.
    """
    noise = neuron.noise(tuple(preactivation.shape), source)
    noisy = preactivation if noise is None else preactivation + noise
    # several times as fast as max_pool2d with indices
    corners = [(..., slice(y, None, size), slice(x, None, size)) for y, x in np.ndindex(size, size)]
    largest, noise_of_largest = noisy[corners[0]], None if noise is None else noise[corners[0]]
    for corner in corners[1:]:
        if noise is not None and noise_of_largest is not None:
            noise_of_largest = torch.where(noisy[corner] > largest, noise[corner], noise_of_largest)
        largest = torch.maximum(largest, noisy[corner])
    value: Tensor = _Fire.apply(largest, neuron, noise_of_largest)  # type: ignore[no-untyped-call]
    return value
