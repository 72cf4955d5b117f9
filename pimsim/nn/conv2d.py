"""Convolution of maps and sequences."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from pimsim.errors import PimsimError
from pimsim.importers import ops
from pimsim.nn.activations import BlockNeuron, named_last
from pimsim.nn.array import ArrayBlock
from pimsim.nn.weights import LevelWeight, Polarity

Sides = int | tuple[int, int]


class Conv2d(ArrayBlock):
    """A convolution of maps (n, channels, height, width), or of sequences (n, channels, length).

    A sequence is a map of height 1, with a kernel (1, length).

    Parameters
    ----------
    c_in, c_out : int
        Channels of inputs and outputs.
    kernel, stride, padding, dilation : int or (vertical, horizontal)
        As in torch; padding is with zeros.
    groups : int
        Groups of channels that are convolved apart; `c_in` of them for a depthwise convolution.
    pool : int or (vertical, horizontal)
        The largest output of windows of this size follows the neurons. It is what torch's max
        pooling gives, but in training the gradient goes to the largest pre-activation.
    levels, neuron, bias, norm, cell_error, sum_noise, clip, polarity
        As in `Dense`.

    Raises
    ------
    PimsimError
        If a number is out of its range.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: Sides,
        stride: Sides = 1,
        padding: Sides = 0,
        dilation: Sides = 1,
        groups: int = 1,
        pool: Sides = 1,
        levels: int | None = 7,
        neuron: BlockNeuron | None = None,
        bias: bool | None = None,
        norm: bool = False,
        cell_error: float = 0.0,
        sum_noise: float = 0.0,
        clip: float | None = None,
        polarity: Polarity = "bipolar",
    ) -> None:
        if groups < 1 or c_in % groups or c_out % groups:
            raise PimsimError(
                f"groups is {groups}, which does not divide {c_in} and {c_out} channels"
            )
        shape = (c_out, c_in // groups, *pair(kernel))
        matrix = LevelWeight(shape, levels, cell_error, polarity, clip)
        super().__init__(matrix, neuron, bias, nn.BatchNorm2d(c_out) if norm else None, sum_noise)
        self.stride, self.padding, self.dilation = pair(stride), pair(padding), pair(dilation)
        self.groups, self.pool = groups, pair(pool)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim == 3:
            return super().forward(x.unsqueeze(2)).squeeze(2)
        return super().forward(x)

    def fire(self, sums: Tensor) -> Tensor:
        return super().fire(sums) if self.pool == (1, 1) else self.neuron.pooled(sums, self.pool)

    def sums(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        shape = self.stride, self.padding, self.dilation, self.groups
        if self.groups > 1 and self.groups == x.shape[1] and x.dtype != torch.float64:
            # backward passes of strided depthwise bfloat16 convolutions take twenty times as long
            with torch.autocast(x.device.type, enabled=False):
                return functional.conv2d(x.float(), weight, bias, *shape)
        return functional.conv2d(x, weight, bias, *shape)

    def of_arrays(self, x: Tensor, weight: Tensor, rows: int) -> Iterator[tuple[Tensor, Tensor]]:
        _, channels, *window = weight.shape
        # rows go through a window pixel by pixel, and through the channels of each
        row = torch.arange(channels * math.prod(window)).view(*window, channels).permute(2, 0, 1)
        for first in range(0, row.numel(), rows):
            own = weight * ((row >= first) & (row < first + rows)).to(weight)
            yield self.sums(x, own, None), own

    def product(self, name: str, inputs: tuple[str, ...]) -> ops.Op:
        levels, step = self.matrix.deployed()
        rows = levels.permute(2, 3, 1, 0)
        return ops.Conv(
            name,
            inputs,
            (rows * step).cpu().numpy(),
            self.bias_or_zeros(),
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            self.matrix.scaled(rows, step),
        )

    def as_ops(self, name: str, inputs: tuple[str, ...]) -> list[ops.Op]:
        found = super().as_ops(name, inputs)
        if self.pool == (1, 1):
            return found
        found = named_last(found, f"{name}.neuron")
        return [*found, ops.Pool(name, (found[-1].name,), "max", self.pool, self.pool)]

    def extra_repr(self) -> str:
        return f"stride={self.stride}, padding={self.padding}, groups={self.groups}"


def pair(sides: Sides) -> tuple[int, int]:
    """Vertical and horizontal number."""
    return (sides, sides) if isinstance(sides, int) else (sides[0], sides[1])
