"""Blocks of a recipe's network: their keys, and the torch modules that they stand for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch import nn as torch_nn

from pimsim import nn
from pimsim.errors import ConfigError, PimsimError, Place
from pimsim.nn.weights import Polarity
from pimsim.train.block_keys import (
    Before,
    BlockKeys,
    Count,
    Deviation,
    Edges,
    Inputs,
    Sides,
    Width,
)
from pimsim.train.neuron_keys import NeuronKeys, RealKeys, Strict
from pimsim.train.recurrent_blocks import GruBlock, LstmBlock
from pimsim.workload.inputs.base import sides
from pimsim.workload.thermometer import Spacing, spaced


class QuantiserBlock(BlockKeys):
    """Inputs as codes (`pimsim.nn.Quantiser`).

    Without `low` and `high`, each channel's range is its mean over the training data and so many
    standard deviations to both sides.
    """

    kind: Literal["quantiser"]
    bits: int = 8
    low: float | None = None
    high: float | None = None
    deviations: Annotated[float, Field(gt=0)] = 3.0

    def build(self, before: Before) -> list[torch_nn.Module]:
        axis = -1 if before.has_steps else 1
        if (self.low is None) != (self.high is None):
            raise PimsimError("needs both 'low' and 'high', or neither")
        if self.low is not None and self.high is not None:
            return [nn.Quantiser(self.bits, self.low, self.high, axis)]
        reach = self.deviations * before.inputs.deviation.double()
        mean = before.inputs.mean.double()
        return [nn.Quantiser(self.bits, (mean - reach).tolist(), (mean + reach).tolist(), axis)]


class ThermometerBlock(BlockKeys):
    """Inputs as thermometer bits (`pimsim.nn.Thermometer`).

    Limits divide the training data of each channel into equal shares (`quantile`), or its range
    into equal parts (`even`). The window of learned limits is in standard deviations of their
    channel.
    """

    kind: Literal["thermometer"]
    counts: Count | tuple[Count, ...] = 3
    spacing: Spacing = "quantile"
    learned: bool = False
    window: Annotated[float, Field(gt=0)] = 0.25
    bits: Annotated[int, Field(ge=3, le=16)] = 8

    def build(self, before: Before) -> list[torch_nn.Module]:
        facts = before.inputs
        limits, channel = spaced(facts.quantiles.numpy(), self.counts, self.spacing)
        return [
            nn.Thermometer(
                limits.tolist(),
                channel.tolist(),
                -1 if before.has_steps else 1,
                self.learned,
                (self.window * facts.deviation.double()).tolist(),
                self.bits,
            )
        ]


class ArrayKeys(BlockKeys):
    """Keys that layers of arrays have in common."""

    levels: int | None = 7
    norm: bool | None = None
    bias: bool | None = None
    cell_error: Deviation = 0.0
    sum_noise: Deviation = 0.0
    clip: Annotated[float, Field(gt=0)] | None = None
    neuron: NeuronKeys = RealKeys()

    def common(self) -> dict[str, Any]:
        """Arguments of the module; neurons have batch normalisation before them, scores none."""
        norm = not isinstance(self.neuron, RealKeys) if self.norm is None else self.norm
        return {
            "levels": self.levels,
            "neuron": self.neuron.module(),
            "bias": self.bias,
            "norm": norm,
            "cell_error": self.cell_error,
            "sum_noise": self.sum_noise,
            "clip": self.clip,
        }


class DenseBlock(ArrayKeys):
    """A fully connected layer; without `units` its outputs are the classes.

    Maps are flattened before it. Of time steps it reads each before a GRU or LSTM, and the last
    one after all of them; of a text, each.
    """

    kind: Literal["dense"]
    units: Width | None = None
    polarity: Polarity = "bipolar"

    def build(self, before: Before) -> list[torch_nn.Module]:
        found: list[torch_nn.Module] = []
        if before.has_steps:
            n_in = before.signal.shape[-1]
            if not before.steps_follow and not before.inputs.every_step:
                found.append(LastStep())
        else:
            n_in = math.prod(before.signal.shape[1:])
            if before.signal.ndim > 2:
                found.append(torch_nn.Flatten())
        n_out = before.inputs.n_classes if self.units is None else self.units
        return [*found, nn.Dense(n_in, n_out, **self.common(), polarity=self.polarity)]


class Conv2dBlock(ArrayKeys):
    """A convolution of maps, or of sequences, where one number is that along the sequence."""

    kind: Literal["conv2d"]
    channels: Width
    kernel: Sides
    stride: Sides = 1
    padding: Edges = 0
    dilation: Sides = 1
    groups: Width = 1
    pool: Sides = 1
    polarity: Polarity = "bipolar"

    def build(self, before: Before) -> list[torch_nn.Module]:
        require_places(before)
        is_sequence = before.signal.ndim == 3
        kernel, stride, dilation, pool = (
            along(sides, is_sequence, 1)
            for sides in (self.kernel, self.stride, self.dilation, self.pool)
        )
        padding = along(self.padding, is_sequence, 0)
        c_in = before.signal.shape[1]
        shape = (kernel, stride, padding, dilation, self.groups, pool)
        layer = nn.Conv2d(c_in, self.channels, *shape, **self.common(), polarity=self.polarity)
        return [layer]


class ResidualBlock(BlockKeys):
    """Convolutions; the last one also reads the block's input, which is added on its bit lines."""

    kind: Literal["residual"]
    convolutions: Annotated[tuple[Conv2dBlock, ...], Field(min_length=1)]

    def build(self, before: Before) -> list[torch_nn.Module]:
        require_places(before)
        if before.signal.ndim == 3:
            raise PimsimError("adds maps, not sequences", remedy="Set the recipe's layout to map")
        *first, last = self.convolutions
        if (last.stride, last.dilation, last.groups) != (1, 1, 1):
            raise PimsimError("the last convolution has a stride, a dilation or groups")
        if last.polarity != "bipolar":
            raise PimsimError("the last convolution has weights of one sign; it takes both")
        body: list[torch_nn.Module] = []
        signal = before.signal
        for block in first:
            body += block.build(replace(before, signal=signal))
            with torch.no_grad():
                signal = body[-1].eval()(signal)
        c_in, c_skip = signal.shape[1], before.signal.shape[1]
        shape = (last.kernel, last.padding, last.pool)
        joined = nn.ResidualConv2d(c_in, c_skip, last.channels, *shape, **last.common())
        return [Residual(body, joined)]


class MaxPoolBlock(BlockKeys):
    """Largest value of windows, which do not overlap."""

    kind: Literal["maxpool"]
    size: Sides

    def build(self, before: Before) -> list[torch_nn.Module]:
        require_places(before)
        if before.signal.ndim == 3:
            return [torch_nn.MaxPool1d(along(self.size, True, 1)[1])]
        return [torch_nn.MaxPool2d(self.size)]


class AvgPoolBlock(BlockKeys):
    """Mean of codes, or of real numbers, over windows, which do not overlap.

    Without `size` it is the mean of the whole map.
    """

    kind: Literal["avgpool"]
    size: Sides | None = None

    def build(self, before: Before) -> list[torch_nn.Module]:
        require_places(before)
        size = self.size
        is_sequence = before.signal.ndim == 3
        whole = None if size is None else along(size, is_sequence, 1)
        if before.is_real():
            # of a float twin, whose means are not rounded
            height, width = before.signal.shape[-2:]
            return [torch_nn.AvgPool2d((height, width) if whole is None else whole)]
        return [nn.AvgPool2d(before.codes(), whole)]


Block = Annotated[
    QuantiserBlock
    | ThermometerBlock
    | DenseBlock
    | Conv2dBlock
    | ResidualBlock
    | GruBlock
    | LstmBlock
    | MaxPoolBlock
    | AvgPoolBlock,
    Field(discriminator="kind"),
]


class Residual(torch_nn.Module):
    """Convolutions of maps, and one that joins their output with their input."""

    def __init__(self, body: list[torch_nn.Module], joined: nn.ResidualConv2d) -> None:
        super().__init__()
        self.body, self.joined = torch_nn.Sequential(*body), joined

    def forward(self, x: Tensor) -> Tensor:
        joined: Tensor = self.joined(self.body(x), x)
        return joined


class LastStep(torch_nn.Module):
    """The last of the time steps (n, n_steps, width)."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, -1]


class UniformKeys(Strict):
    """One setting for all layers of a network (`pimsim.nn.UniformScale`)."""

    step: int
    adc_bits: int = 8
    shift: int = 0
    rows: int = 256

    def scale(self) -> nn.UniformScale:
        return nn.UniformScale(self.step, self.adc_bits, self.shift, self.rows)


class GainKeys(Strict):
    """One gain of the ADCs of all layers (`pimsim.nn.SharedGain`)."""

    adc_bits: int
    full_scale: float

    def gain(self) -> nn.SharedGain:
        return nn.SharedGain(self.adc_bits, self.full_scale)


def build_blocks(
    blocks: tuple[Block, ...],
    inputs: Inputs,
    sample: tuple[int, ...],
    uniform: UniformKeys | None = None,
    gain: GainKeys | None = None,
) -> torch_nn.Sequential:
    """Build the network of a recipe.

    Parameters
    ----------
    blocks : tuple of Block
    inputs : Inputs
    sample : tuple of int
        Shape of one sample as torch has it: (width,), (channels, length), (channels, height,
        width) or (n_steps, width).

    Returns
    -------
    torch.nn.Sequential
        Its initial weights come from torch's global random generator.

    Raises
    ------
    ConfigError
        If a block does not fit the one before it, or its numbers are wrong; it names the block.
    """
    signal = torch.zeros(1, *sample)
    modules: list[torch_nn.Module] = []
    for index, block in enumerate(blocks):
        steps_follow = any(later.kind in ("gru", "lstm") for later in blocks[index:])
        before = Before(inputs, signal, modules, steps_follow)
        try:
            added = block.build(before)
            with torch.no_grad():
                for module in added:
                    signal = module.eval()(signal)
        except (PimsimError, RuntimeError) as error:
            message = getattr(error, "message", str(error).splitlines()[0])
            raise ConfigError(
                f"{message} (its input is {sides(before.signal.shape[1:])})",
                place=Place(f"network[{index}]", None, block.kind),
                remedy=getattr(error, "remedy", ""),
            ) from error
        modules += added
    steps = signal.shape[1:-1] if inputs.every_step else ()
    if signal.shape != (1, *steps, inputs.n_classes):
        raise ConfigError(
            f"the network gives {sides(signal.shape[1:])} numbers, and the data have "
            f"{inputs.n_classes} classes",
            remedy="End it with a dense block without 'units'",
        )
    network = torch_nn.Sequential(*modules)
    if uniform is not None and gain is not None:
        raise ConfigError(
            "the recipe has `uniform` and `gain`; one of them sets the ADCs",
            place=Place("gain"),
            remedy="Leave one out",
        )
    if uniform is not None:
        _settle("uniform", UniformKeys, lambda: nn.make_uniform(network, uniform.scale()))
    if gain is not None:
        _settle("gain", GainKeys, lambda: nn.share_gain(network, gain.gain()))
    return network.train()


def _settle(key: str, keys: type[Strict], settle: Callable[[], None]) -> None:
    """Give a network what a key of the recipe says; errors name the key."""
    try:
        settle()
    except PimsimError as error:
        is_of_key = error.message.startswith((*keys.model_fields, "bits is"))
        message = error.message if is_of_key else f"the network {error.message}"
        raise ConfigError(message, place=Place(key), remedy=error.remedy) from error


def require_places(before: Before) -> None:
    """Raise a PimsimError unless there is a map or a sequence to take windows of."""
    if before.signal.ndim < 3 or before.has_steps:
        raise PimsimError("needs maps or sequences", remedy="Set the recipe's layout")


def along(sides: Any, is_sequence: bool, other: int) -> tuple[int, int]:
    """Vertical and horizontal number; one number is, of a sequence, the horizontal one."""
    if isinstance(sides, int):
        return (other if is_sequence else sides), sides
    return sides[0], sides[1]
