"""Fully connected layer."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pimsim.importers import ops
from pimsim.nn.activations import BlockNeuron
from pimsim.nn.array import ArrayBlock
from pimsim.nn.weights import LevelWeight


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
    ) -> None:
        matrix = LevelWeight((n_out, n_in), levels, cell_error)
        super().__init__(matrix, neuron, bias, nn.BatchNorm1d(n_out) if norm else None, sum_noise)

    def sums(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return functional.linear(x, weight, bias)

    def product(self, name: str, inputs: tuple[str, ...]) -> ops.Op:
        levels, step = self.matrix.deployed()
        rows = levels.t()
        weight = (rows * step).cpu().numpy()
        bias = self.bias_or_zeros()
        return ops.Dense(name, inputs, weight, bias, self.matrix.scaled(rows, step))
