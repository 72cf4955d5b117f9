"""Neurons of blocks: bits, codes, or real numbers."""

from __future__ import annotations

import dataclasses
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from pimsim.errors import PimsimError
from pimsim.importers.ops import Activation, Op, Quantise
from pimsim.nn import fused
from pimsim.nn.neurons import (
    Neuron,
    NoisyBinaryNeuron,
    NoisyContinuousNeuron,
    StochasticBinaryNeuron,
    fire,
)
from pimsim.nn.noise import GlobalNoise, NoiseSource
from pimsim.nn.quantize import MultiLevel, quantize, short
from pimsim.nn.weights import SMALLEST, require_not_negative, scaled_gradient

# a number, or its first and last value in training
Course = float | tuple[float, float]
LEAST_NOISE = 1e-3
METHODS = ("nna", "ste", "mixed")


class BlockNeuron(nn.Module):
    """A neuron as a module: from pre-activations to outputs, number by number."""

    def forward(self, a: Tensor) -> Tensor:
        """Outputs of pre-activations; in evaluation mode exactly those of the deployed network."""
        raise NotImplementedError

    def pooled(self, a: Tensor, size: tuple[int, int]) -> Tensor:
        """Largest output of each window of maps (n, channels, height, width).

        Outputs grow with pre-activations, so it is that of the largest pre-activation, which gets
        the gradient: of outputs that are equal, any could get it.
        """
        outputs: Tensor = self(functional.max_pool2d(a, size))
        return outputs

    def as_ops(self, name: str, inputs: tuple[str, ...]) -> list[Op]:
        """Operations that mean what evaluation mode computes; the last one has the name."""
        raise NotImplementedError


class Real(BlockNeuron):
    """No activation: real numbers, such as the scores of a last layer."""

    def forward(self, a: Tensor) -> Tensor:
        return a

    def as_ops(self, name: str, inputs: tuple[str, ...]) -> list[Op]:
        return []


class Relu(BlockNeuron):
    """Rectified linear unit of real numbers; an export chooses codes for it by its values."""

    def forward(self, a: Tensor) -> Tensor:
        return functional.relu(a)

    def as_ops(self, name: str, inputs: tuple[str, ...]) -> list[Op]:
        return [Activation(name, inputs, "relu")]


class Bits(BlockNeuron):
    """Bits: 1 where a > 0 (strictly), else 0; in training with noise and a smooth slope.

    Parameters
    ----------
    method : "nna", "ste" or "mixed"
        Outputs in training. ``nna``: sigmoids of noisy pre-activations (noisy neuron annealing, Ma
        et al., eq. 3-4). ``ste``: bits that are 1 with probability sigmoid(s a), with
        straight-through gradients (eq. 1-2). ``mixed``: bits of noisy pre-activations for a share
        of the neurons, sigmoids for the others, with the slope of ``nna``.
    sigma : float or (first, last)
        Standard deviation of the noise of ``nna`` and ``mixed`` [units of pre-activation].
    temperature : float or (first, last)
        Temperature of their sigmoid; between its two values it moves evenly on a logarithmic scale.
    share : float or (first, last)
        Share of the neurons of ``mixed`` that output bits.
    steepness : float or (first, last)
        s of ``ste``.

    Attributes
    ----------
    progress : float
        0 at the beginning of training to 1 at its end, set by `anneal`; 1 until then.
    noise : float
        Factor of sigma, set by `set_noise`.
    source : NoiseSource or None
        Of the noise in training, set by `draw_from`; None: torch's global generator.

    Raises
    ------
    PimsimError
        If there is no such method, or a number is out of its range.
    """

    def __init__(
        self,
        method: Literal["nna", "ste", "mixed"] = "mixed",
        sigma: Course = 0.2,
        temperature: Course = (1.0, 0.5),
        share: Course = (0.0, 1.0),
        steepness: Course = (1.0, 3.0),
    ) -> None:
        super().__init__()
        if method not in METHODS:
            raise PimsimError(f"method is '{method}'", remedy=f"Take one of {', '.join(METHODS)}")
        self.method = method
        self.sigma, self.temperature = _ends(sigma), _ends(temperature)
        self.share, self.steepness = _ends(share), _ends(steepness)
        self.progress = self.noise = 1.0
        self.source: NoiseSource | None = None
        for value in self.sigma:
            require_not_negative("sigma", value)
        if method == "mixed" and min(self.sigma) == 0:
            raise PimsimError("sigma is 0, and the noise chooses the neurons of method 'mixed'")
        for name, ends in (("temperature", self.temperature), ("steepness", self.steepness)):
            if not min(ends) > 0:
                raise PimsimError(f"{name} is {min(ends)}; it must be above 0")
        if not 0 <= min(self.share) <= max(self.share) <= 1:
            raise PimsimError(f"share is {self.share}; it must lie between 0 and 1")

    def trained(self) -> Neuron:
        """The neuron at the present progress of training."""
        first, last = self.temperature
        temperature = first * (last / first) ** self.progress
        if self.method == "ste":
            return StochasticBinaryNeuron(self._now(self.steepness))
        if self.method == "nna":
            return NoisyContinuousNeuron(self._now(self.sigma) * self.noise, temperature)
        # the noise also chooses the neurons that give bits, so some of it stays
        sigma = self._now(self.sigma) * max(self.noise, LEAST_NOISE)
        return NoisyBinaryNeuron(sigma, temperature, self._now(self.share))

    def forward(self, a: Tensor) -> Tensor:
        if not self.training:
            return (a > 0).to(a.dtype)
        source = self._source(a)
        if _is_plain(a):
            return fused.fire(a, self.trained(), source, a.dtype)
        return fire(a, self.trained(), source)

    def pooled(self, a: Tensor, size: tuple[int, int]) -> Tensor:
        if not self.training:
            return super().pooled(a, size)
        if not _is_plain(a):
            return functional.max_pool2d(self(a), size)
        height, width = (side - side % step for side, step in zip(a.shape[2:], size, strict=True))
        return fused.fire_and_pool_last(
            a[:, :, :height, :width], self.trained(), self._source(a), size
        )

    def _source(self, a: Tensor) -> NoiseSource:
        return GlobalNoise(a.device) if self.source is None else self.source

    def as_ops(self, name: str, inputs: tuple[str, ...]) -> list[Op]:
        return [Quantise(name, inputs, scale=1.0, lowest=0, highest=1, is_step=True)]

    def _now(self, ends: tuple[float, float]) -> float:
        return ends[0] + (ends[1] - ends[0]) * self.progress

    def extra_repr(self) -> str:
        return f"method={self.method}, progress={self.progress:.2f}"


class Codes(BlockNeuron):
    """Codes: multiples of a step, clipped to a range; unsigned ones are a rounded ReLU.

    y = step k with k = round(a / step), from 0 to 2^bits - 1, or from -T to T = 2^(bits-1) - 1.

    Parameters
    ----------
    bits : int
        Bits of a code, 2 to 8.
    signed : bool
        Whether codes may be negative.
    range : "learned" or float
        The largest output. A learned one begins at three standard deviations of the first batch.

    Raises
    ------
    PimsimError
        If there are no such codes.

    Notes
    -----
    Gradients pass straight through inside the range; the range learns as in `pimsim.nn.quantize`
    (learned step size, Esser et al. 2020; for unsigned codes the clipping of Choi et al. 2018).
    Steps have 5 significant bits, so that sums of levels times codes are exact.
    """

    def __init__(
        self, bits: int = 4, signed: bool = False, range: Literal["learned"] | float = "learned"
    ) -> None:
        super().__init__()
        if not 2 <= bits <= 8:
            raise PimsimError(f"bits is {bits}; codes have 2 to 8", remedy="Bits() has 1 bit")
        is_learned = range == "learned"
        if not is_learned and not (isinstance(range, (int, float)) and range > 0):
            raise PimsimError(f"range is {range}; it is 'learned' or a number above 0")
        self.bits, self.signed = bits, signed
        start = 1.0 if isinstance(range, str) else float(range)
        self.range = nn.Parameter(torch.tensor(start), requires_grad=is_learned)
        self.is_set: Tensor
        self.register_buffer("is_set", torch.tensor(not is_learned))

    @torch.no_grad()
    def fix_range(self, largest: float) -> None:
        """Set the largest output, which training then leaves as it is."""
        self.range.fill_(largest)
        self.range.requires_grad_(False)
        self.is_set.fill_(True)

    @property
    def top(self) -> int:
        """Largest multiple of the step."""
        return int(2 ** (self.bits - 1) - 1 if self.signed else 2**self.bits - 1)

    @property
    def lowest(self) -> int:
        """Smallest multiple of the step."""
        return -self.top if self.signed else 0

    @property
    def step(self) -> float:
        """Present step."""
        return float(self.present_step())

    @torch.no_grad()
    def present_step(self) -> Tensor:
        """Present step () float64."""
        return short(self.range.clamp(min=SMALLEST) / self.top).double()

    def forward(self, a: Tensor) -> Tensor:
        if self.training:
            return self._trained(a)
        step = self.present_step()
        return (torch.round(a.double() / step).clamp(self.lowest, self.top) * step).to(a.dtype)

    @torch.no_grad()
    def set_range(self, a: Tensor) -> None:
        """Begin with three standard deviations of some pre-activations."""
        self.range.fill_(max(3 * float(a.std()), SMALLEST))
        self.is_set.fill_(True)

    def _trained(self, a: Tensor) -> Tensor:
        if not self.is_set:
            self.set_range(a)
        alpha = scaled_gradient(self.range, (a[0].numel() * self.top) ** -0.5).clamp(min=SMALLEST)
        if _is_plain(a):
            return fused.quantise(a, alpha, self.step, self.lowest, self.top)
        used = a if self.signed else a.clamp(min=0)
        return quantize(used, alpha, MultiLevel(2 * self.top + 1))

    def as_ops(self, name: str, inputs: tuple[str, ...]) -> list[Op]:
        return [Quantise(name, inputs, scale=self.step, lowest=self.lowest, highest=self.top)]

    def extra_repr(self) -> str:
        return f"bits={self.bits}, signed={self.signed}, range={float(self.range):.4g}"


def anneal(module: nn.Module, progress: float) -> None:
    """Set the progress of training, 0 to 1, of all `Bits` in a module.

    Raises
    ------
    PimsimError
        If the progress is not between 0 and 1.
    """
    if not 0 <= progress <= 1:
        raise PimsimError(
            f"progress is {progress}; it runs from 0 to 1",
            remedy="Give epoch / (epochs - 1)",
        )
    for part in module.modules():
        if isinstance(part, Bits):
            part.progress = progress


def carry_state(module: nn.Module, carries: bool) -> None:
    """Let layers with a state begin, in training, with that of the batch before, or with 0.

    The batches' sequences then follow one another, row by row; no gradient goes back to the batch
    before. Either way the next batch begins with 0.
    """
    for part in module.modules():
        if hasattr(part, "carries"):
            part.carries, part.kept = carries, None  # type: ignore[assignment]


def set_noise(module: nn.Module, factor: float) -> None:
    """Set the factor of all noise that blocks have in training: of cells, sums and neurons.

    Raises
    ------
    PimsimError
        If the factor is negative.
    """
    require_not_negative("factor", factor)
    for part in module.modules():
        if isinstance(getattr(part, "noise", None), float):
            part.noise = factor  # type: ignore[assignment]


def draw_from(module: nn.Module, source: NoiseSource | None) -> None:
    """Set the source of noise of all `Bits` in a module; None: torch's global generator."""
    for part in module.modules():
        if isinstance(part, Bits):
            part.source = source


def named_last(ops: list[Op], name: str) -> list[Op]:
    """The operations, with a name for the last one."""
    return [*ops[:-1], dataclasses.replace(ops[-1], name=name)]


def _is_plain(a: Tensor) -> bool:
    """Whether the fused passes can read a tensor."""
    return a.device.type == "cpu" and a.dtype in (torch.bfloat16, torch.float32)


def _ends(course: Course) -> tuple[float, float]:
    first, last = course if isinstance(course, tuple) else (course, course)
    return float(first), float(last)
