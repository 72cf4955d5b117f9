"""Fully connected layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pimsim.importers import ops
from pimsim.nn.activations import BlockNeuron
from pimsim.nn.adcs import ArrayAdcs
from pimsim.nn.array import ArrayBlock, as_real
from pimsim.nn.weights import LevelWeight, Polarity


class Dense(ArrayBlock):
    """A fully connected layer of an array, on the last axis of its input (..., n_in).

    Parameters
    ----------
    n_in, n_out : int
    levels : int or None
        Levels of a weight: 2, 3 or an odd number up to 255; None for full precision.
    neuron : Bits, Codes or Real, optional
        Neurons of the outputs; real numbers if not given.
    bias : bool, optional
        Whether a bias is added to the sums; if not given, only without `norm`.
    norm : bool
        Whether batch normalisation stands between sums and neurons.
    cell_error : float
        Standard deviation of a cell pair's error in training, as a share of the largest weight.
    sum_noise : float
        Standard deviation of the noise of a sum in training, as a share of that of the sums.
    polarity : str
        Sign of the weights of each output (`pimsim.nn.weights.LevelWeight`).
    clip : float, optional
        Largest weight [standard deviations of the matrix]; training clips those beyond it.

    Raises
    ------
    PimsimError
        If a number is out of its range.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        levels: int | None = 7,
        neuron: BlockNeuron | None = None,
        bias: bool | None = None,
        norm: bool = False,
        cell_error: float = 0.0,
        sum_noise: float = 0.0,
        polarity: Polarity = "bipolar",
        clip: float | None = None,
    ) -> None:
        matrix = LevelWeight((n_out, n_in), levels, cell_error, polarity, clip)
        super().__init__(matrix, neuron, bias, nn.BatchNorm1d(n_out) if norm else None, sum_noise)

        # of a network with one setting for all layers (`pimsim.nn.make_uniform`)
        self.adcs: ArrayAdcs | None = None

    def sums(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.adcs is None or bias is None:
            return functional.linear(x, weight, bias)
        if not self.training:
            return functional.linear(x, weight, self.adcs.whole(bias, weight))
        # codes of ADCs are exact in float32, not in shorter numbers
        with torch.autocast(x.device.type, enabled=False):
            return self.adcs.sums(x.float(), weight.float(), bias)

    def product(self, name: str, inputs: tuple[str, ...]) -> ops.Op:
        levels, step = self.matrix.deployed()
        rows = levels.t()
        weight = (rows * step).cpu().numpy()
        bias = self.bias_or_zeros()
        if self.adcs is not None and self.bias is not None:
            bias = as_real(self.adcs.whole(self.bias.double(), levels * step))
        return ops.Dense(name, inputs, weight, bias, self.matrix.scaled(rows, step))
