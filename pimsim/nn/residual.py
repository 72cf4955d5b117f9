"""Convolution with a residual connection that is added on the bit lines."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from pimsim.importers import ops
from pimsim.nn.activations import BlockNeuron
from pimsim.nn.array import ArrayBlock
from pimsim.nn.conv2d import Conv2d, Sides, pair
from pimsim.nn.weights import LevelWeight


class ResidualConv2d(Conv2d):
    """A convolution of maps, plus weights times a further map of the output's places.

    Both are rows of one array, so that sums of bits and a residual connection (He et al. 2016)
    meet on the bit lines, before the neurons: no adder is needed, and outputs stay bits.

    Parameters
    ----------
    c_in, c_skip, c_out : int
        Channels of the map that is convolved, of the further one, and of outputs.
    kernel, padding, pool : int or (vertical, horizontal)
        As in `Conv2d`; there is no stride.
    levels, neuron, bias, norm, cell_error, sum_noise
        As in `Dense`.
    """

    def __init__(
        self,
        c_in: int,
        c_skip: int,
        c_out: int,
        kernel: Sides,
        padding: Sides = 0,
        pool: Sides = 1,
        levels: int | None = 7,
        neuron: BlockNeuron | None = None,
        bias: bool | None = None,
        norm: bool = False,
        cell_error: float = 0.0,
        sum_noise: float = 0.0,
        clip: float | None = None,
    ) -> None:
        self.window = (c_in, *pair(kernel))
        rows = math.prod(self.window) + c_skip
        matrix = LevelWeight((c_out, rows), levels, cell_error, clip=clip)
        batch_norm = nn.BatchNorm2d(c_out) if norm else None
        ArrayBlock.__init__(self, matrix, neuron, bias, batch_norm, sum_noise)
        self.stride, self.padding, self.dilation = (1, 1), pair(padding), (1, 1)
        self.groups, self.pool = 1, pair(pool)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:  # type: ignore[override]
        """Outputs (n, c_out, height, width) of maps (n, c_in, ...) and (n, c_skip, ...)."""
        return super().forward(torch.cat([x, skip], dim=1))

    def sums(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        c_in = self.window[0]
        kernels, across = self._parts(weight)
        sums = functional.conv2d(x[:, :c_in], kernels, bias, self.stride, self.padding)
        return sums + functional.conv2d(x[:, c_in:], across[:, :, None, None])

    def product(self, name: str, inputs: tuple[str, ...]) -> ops.Op:
        levels, step = self.matrix.deployed()
        kernels, across = self._parts(levels)
        kernels = kernels.permute(2, 3, 1, 0)
        rows = torch.cat([kernels.flatten(0, 2), across.T])
        return ops.Conv(
            name,
            # one signal may be both
            (inputs[0], inputs[-1]),
            (kernels * step).cpu().numpy(),
            self.bias_or_zeros(),
            self.stride,
            self.padding,
            scaled=self.matrix.scaled(rows, step),
            across=(across.T * step).cpu().numpy(),
        )

    def _parts(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Kernels (c_out, c_in, height, width), and weights (c_out, c_skip) of the further map."""
        size = math.prod(self.window)
        return weight[:, :size].reshape(-1, *self.window), weight[:, size:]
