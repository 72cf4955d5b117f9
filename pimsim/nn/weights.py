"""Weights of few levels, with the errors of a chip's cells in training."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from pimsim.errors import PimsimError
from pimsim.importers.ops import Scaled
from pimsim.nn.quantize import MultiLevel, quantize, quantizer_for

MAX_LEVELS = 255
Polarity = Literal["bipolar", "positive", "negative", "halves"]
POLARITIES = get_args(Polarity)


class LevelWeight(nn.Module):
    """A weight tensor w = alpha k / L of integer levels k in -L..L.

    Parameters
    ----------
    shape : tuple of int
        Outputs first, as in torch's layers.
    levels : int or None
        2 (k is -1 or +1), 3, or an odd number up to 255; None for full precision.
    cell_error : float
        Standard deviation of a cell pair's static error as a share of the largest weight, drawn
        anew in every forward pass of training.
    polarity : str
        Sign of the weights of an output: "positive", "negative", "halves" (positive in the first
        half of the outputs, negative in the others), or "bipolar", either one in each.  A weight of
        one sign has levels 0..L or -L..0.
    clip : float or None
        Largest magnitude of a shadow weight [standard deviations of all of them]: training clips
        those beyond it, so that the largest of a matrix does not set the level of all others.

    Attributes
    ----------
    weight : Parameter
        Full-precision weights that training moves.
    noise : float
        Factor of the errors, set by `set_noise`.
    range : Parameter
        alpha. It is learned for 5 levels and more, and follows from the weights for 2 and 3.

    Raises
    ------
    PimsimError
        If there are no such levels, or the error is negative.

    Notes
    -----
    Gradients pass straight through the rounding (`pimsim.nn.quantize`); Ma et al., section 3.2.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        levels: int | None,
        cell_error: float,
        polarity: Polarity = "bipolar",
        clip: float | None = None,
    ) -> None:
        super().__init__()
        if polarity not in POLARITIES:
            raise PimsimError(
                f"polarity is '{polarity}'", remedy=f"Take one of {', '.join(POLARITIES)}"
            )
        if polarity != "bipolar" and levels == 2:
            raise PimsimError(
                "levels is 2, -1 and +1, and weights of one sign begin at 0",
                remedy="Take 3 levels, of which weights of one sign use two",
            )
        if levels is not None and not (
            levels == 2 or (3 <= levels <= MAX_LEVELS and levels % 2 == 1)
        ):
            raise PimsimError(
                f"levels is {levels}; a weight has 2 levels, or an odd number to {MAX_LEVELS}",
                remedy="Take 7, or None for full precision",
            )
        require_not_negative("cell_error", cell_error)
        if clip is not None and not clip > 0:
            raise PimsimError(f"clip is {clip}; it is a number of standard deviations above 0")
        self.levels, self.cell_error, self.noise, self.clip = levels, cell_error, 1.0, clip
        self.polarity = polarity
        fan_in = int(np.prod(shape[1:]))
        self.weight = nn.Parameter(torch.randn(shape) * 2 * fan_in**-0.5)
        self.sign: Tensor | None
        self.register_buffer("sign", _signs(shape, polarity), persistent=False)
        if self.sign is not None:
            with torch.no_grad():
                self.weight.uniform_(0, 2 * fan_in**-0.5).mul_(self.sign)
        reach = clip or _deviations(levels or 0)
        self.quantizer = None if levels is None else quantizer_for(levels, reach)
        is_learned = isinstance(self.quantizer, MultiLevel)
        self.range = nn.Parameter(torch.ones(()), requires_grad=is_learned)
        self.reset_range()

    @torch.no_grad()
    def reset_range(self) -> None:
        """Set alpha from the present weights, such as those of a float network that was loaded."""
        if self.quantizer is None:
            return
        if self.sign is None:
            self.range.fill_(self.quantizer.initial_range(self.weight))
        else:
            top = max(1, (self.quantizer.n_levels - 1) // 2)
            self.range.fill_(float(self.weight.abs().max()) * top / LARGEST_AT_START)

    @torch.no_grad()
    def fix_range(self, alpha: float) -> None:
        """Set alpha, which training then leaves as it is; weights keep their levels."""
        assert self.levels is not None
        self.quantizer = MultiLevel(self.levels, _deviations(self.levels))
        self.reset_range()
        self.weight.mul_(alpha / self.range)
        self.range.fill_(alpha)
        self.range.requires_grad_(False)

    @torch.no_grad()
    def keep_signs(self) -> None:
        """Set weights of the other sign than their output's to 0."""
        if self.sign is not None:
            self.weight.mul_(self.sign).clamp_(min=0).mul_(self.sign)

    @torch.no_grad()
    def keep_range(self) -> None:
        """Clip weights beyond `clip` standard deviations."""
        if self.clip is not None:
            largest = self.clip * float(self.weight.std())
            self.weight.clamp_(-largest, largest)

    def trained(self) -> Tensor:
        """Weights of a training pass: clipped, quantised, with cell errors."""
        self.keep_signs()
        self.keep_range()
        used: Tensor = self.weight
        if self.quantizer is not None:
            top = (self.quantizer.n_levels - 1) // 2 or 1
            alpha = scaled_gradient(self.range, (self.weight.numel() * top) ** -0.5)
            used = quantize(self.weight, alpha.clamp(min=SMALLEST), self.quantizer)
        if self.cell_error * self.noise > 0:
            error = torch.randn_like(used) * (self.cell_error * self.noise)
            used = used + error * used.detach().abs().max()
        return used

    @torch.no_grad()
    def largest(self) -> float:
        """Present weight of the largest level."""
        assert self.quantizer is not None
        top = (self.quantizer.n_levels - 1) // 2 or 1
        return float(self.quantizer.levels(self.weight, self.range.clamp(min=SMALLEST))[1]) * top

    @torch.no_grad()
    def deployed(self) -> tuple[Tensor, Tensor]:
        """Levels, and the weight () of one level; of full precision the weights, and 1."""
        self.keep_signs()
        if self.quantizer is None:
            return self.weight.double(), torch.ones((), device=self.weight.device)
        k, step = self.quantizer.levels(self.weight, self.range.clamp(min=SMALLEST))
        return k.double(), step.double()

    def scaled(self, levels: Tensor, step: Tensor) -> Scaled | None:
        """Levels (in any order of axes) as exported; None for full precision."""
        if self.quantizer is None:
            return None
        return Scaled(levels.cpu().numpy().astype(np.int64), np.asarray(float(step), np.float64))

    def extra_repr(self) -> str:
        signs = "" if self.polarity == "bipolar" else f", polarity={self.polarity}"
        return f"{tuple(self.weight.shape)}, levels={self.levels}{signs}"


# Largest weight of one sign before training, in levels: few weights are above half a level then,
# and sums, in which nothing cancels, stay within the range of neurons.
LARGEST_AT_START = 0.6
# smallest clipping range that is used: it never becomes zero
SMALLEST = 1e-6


def scaled_gradient(value: Tensor, factor: float) -> Tensor:
    """The value, with its gradient times a factor.

    A range is moved by the sum of many gradients, and 1 / sqrt(numbers x levels) brings it to the
    size of those of single weights (learned step size, Esser et al. 2020).
    """
    small = value * factor
    return small + (value - small).detach()


def _signs(shape: tuple[int, ...], polarity: Polarity) -> Tensor | None:
    """Sign of the weights of each output, (n_out, 1, ...); None for either one."""
    if polarity == "bipolar":
        return None
    n_positive = {"positive": shape[0], "negative": 0, "halves": -(-shape[0] // 2)}[polarity]
    signs = torch.where(torch.arange(shape[0]) < n_positive, 1.0, -1.0)
    return signs.view(-1, *[1] * (len(shape) - 1))


def require_not_negative(name: str, value: float) -> None:
    """Raise a PimsimError for a standard deviation below 0."""
    if not value >= 0:
        raise PimsimError(f"{name} is {value}; a standard deviation cannot be negative")


def _deviations(levels: int) -> float:
    """Clipping range of least squared error on normal weights [standard deviations] (Max 1960)."""
    return 2.0 if levels <= 7 else 2.5 if levels <= 15 else 3.0
