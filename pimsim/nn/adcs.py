"""Sums as ADCs give them in training: of a chip with one setting, or one gain, for all layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from pimsim.errors import PimsimError


@dataclass(frozen=True)
class UniformScale:
    """ADCs of a chip that has one setting for all layers.

    Attributes
    ----------
    step : int
        Sum of levels times codes between two codes of an ADC.
    bits : int
        Bits of an ADC's code; of pairs of cells, its sign included.
    shift : int
        A code of a layer is 2^shift codes of the ADC.
    rows : int
        Rows of an array, which is converted for itself.

    Raises
    ------
    PimsimError
        If a number is out of its range.

    Notes
    -----
    With whole levels k of L, codes u and a whole bias b of a column, the code of a layer is

        a = clip(round(sum(k u) / step), lowest, top)    for each array
        u' = clip(round((sum(a) + b) / 2^shift), 0, top of u)

    with the same step, lowest and top in all layers; no layer has a factor of its own.  In real
    numbers all signals have one step, so that a weight at the largest level is L / (2^shift step):
    the range of weights follows.
    """

    step: int
    bits: int = 8
    shift: int = 0
    rows: int = 256

    def __post_init__(self) -> None:
        bounds = {"step": 4096, "bits": 14, "shift": 8, "rows": 65_536}
        for name, most in bounds.items():
            least = {"bits": 2, "shift": 0}.get(name, 1)
            value = getattr(self, name)
            if not least <= value <= most:
                raise PimsimError(f"{name} is {value}; it is {least} to {most}")
        if self.step.bit_count() != 1:
            raise PimsimError(f"step is {self.step}; it is a power of two, such as 8")

    def weight_range(self, levels: int) -> float:
        """Weight at the largest level of -L..L."""
        return float((levels - 1) // 2 / (2**self.shift * self.step))

    def full_scale(self, levels: int, input_bits: int) -> float:
        """Largest sum of an ADC of unsigned codes [currents of a cell fully on].

        It is `adc.full_scale` of a chip file, whose DACs have `input_bits`.
        """
        top = (levels - 1) // 2 * (2**input_bits - 1)
        return float(self.step * (2**self.bits - 1) / top)


class ArrayAdcs:
    """Sums of a layer as the ADCs of its arrays give them, in training.

    Parameters
    ----------
    scale : UniformScale
    signal_step : float
        Real number that a code of the layer's inputs stands for.
    zero : int
        Code of the number 0.
    weight_step : float
        Weight of one level.
    is_signed : bool
        Whether pairs of cells give codes with a sign.
    """

    def __init__(
        self,
        scale: UniformScale,
        signal_step: float,
        zero: int,
        weight_step: float,
        is_signed: bool,
    ) -> None:
        self.scale, self.zero, self.weight_step = scale, zero, weight_step
        self.unit = signal_step * weight_step
        self.top = 2 ** (scale.bits - is_signed) - 1
        self.lowest = -self.top if is_signed else 0

    def whole(self, bias: Tensor, weight: Tensor) -> Tensor:
        """A bias as it is deployed: with what is taken off for the code of 0, codes of an ADC."""
        step = self.scale.step
        of_zero = self._of_zero(weight)
        return (rounded((bias / self.unit - of_zero) / step) * step + of_zero) * self.unit

    def sums(self, parts: Iterable[tuple[Tensor, Tensor]], weight: Tensor, bias: Tensor) -> Tensor:
        """Sums (n, n_out, ...) of all arrays, and the bias (n_out,).

        Gradients pass straight through the rounding, and are 0 where an ADC clips.

        Parameters
        ----------
        parts : iterable of (sums, weights)
            Of each array.
        weight : (n_out, ...) Tensor
            All weights.
        """
        step = self.scale.step
        total = rounded((bias / self.unit - self._of_zero(weight)) / step)
        for index, (real, own) in enumerate(parts):
            sums = real / self.unit + along_channels(self._of_zero(own), real)
            codes = rounded(sums / step).clamp(self.lowest, self.top)
            total = (total if index else along_channels(total, real)) + codes
        return total * (step * self.unit)

    def _of_zero(self, weight: Tensor) -> Tensor:
        """Sum (n_out,) of levels times codes that inputs of 0 give, which a bias takes off."""
        return weight.flatten(1).sum(dim=1) * (self.zero / self.weight_step)


@dataclass(frozen=True)
class SharedGain:
    """ADCs whose range is the same share of every layer's largest product.

    Attributes
    ----------
    bits : int
        Bits of an ADC's code, its sign included.
    full_scale : float
        Largest sum, in largest weights times largest inputs: `read_out.full_scale` of a chip file.

    Raises
    ------
    PimsimError
        If a number is out of its range.

    Notes
    -----
    The range of layer l is gain x (largest input of l) x (largest weight of l), with one gain for
    all layers, which is `full_scale`; the factor that a layer's codes then have is digital.  As
    AnalogNets have it (Zhou et al., IEEE Micro 2022) as far as we know its text.
    """

    bits: int
    full_scale: float

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 14:
            raise PimsimError(f"bits is {self.bits}; it is 2 to 14")
        if not self.full_scale > 0:
            raise PimsimError(f"full_scale is {self.full_scale}; it is above 0")


class Coded(Protocol):
    """Source of a layer's input codes: neurons of codes, or a quantiser of inputs."""

    @property
    def step(self) -> float: ...
    @property
    def lowest(self) -> int: ...


class GainAdc:
    """ADCs of a layer with pairs of cells, in training: one conversion of a whole sum.

    Parameters
    ----------
    gain : SharedGain
    source : Coded
        Of the layer's inputs, whose codes its DACs drive.
    input_bits : int
        Bits of these codes.
    largest_weight : function of no arguments
        Present weight of the largest level.
    """

    def __init__(
        self,
        gain: SharedGain,
        source: Coded,
        input_bits: int,
        largest_weight: Callable[[], float],
    ) -> None:
        self.gain, self.source, self.input_bits = gain, source, input_bits
        self.largest_weight = largest_weight
        self.top = 2 ** (gain.bits - 1) - 1

    @property
    def largest_sum(self) -> float:
        """Largest sum that is not clipped."""
        largest_input = self.source.step * float(2**self.input_bits - 1)
        return self.gain.full_scale * self.largest_weight() * largest_input

    def converted(self, sums: Tensor, weight: Tensor) -> Tensor:
        """Sums (n, n_out, ...) of weights (n_out, ...) as the ADCs give them.

        Inputs of 0 have a code above 0 where codes have a sign; what it adds to each column is
        converted, too, and taken off afterwards.  Gradients pass straight through the rounding,
        and are 0 where an ADC clips.
        """
        step = self.largest_sum / self.top
        of_zero = weight.detach().flatten(1).sum(dim=1) * (-self.source.lowest * self.source.step)
        offset = along_channels(of_zero, sums).float()
        codes = rounded((sums.float() + offset) / step).clamp(-self.top, self.top)
        found: Tensor = (codes * step - offset).to(sums.dtype)
        return found


def along_channels(values: Tensor, sums: Tensor) -> Tensor:
    """Numbers (n_channels,) as sums have them: maps have their channels first, others last."""
    return values.view(-1, 1, 1) if sums.ndim == 4 else values


def rounded(values: Tensor) -> Tensor:
    """The nearest whole numbers, halves up as ADCs have it; gradients pass straight through."""
    return values + (torch.floor(values + 0.5) - values).detach()
