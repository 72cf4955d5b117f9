"""Fully connected layer."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional

from pimsim.importers import ops
from pimsim.nn.activations import BlockNeuron
from pimsim.nn.array import ArrayBlock
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
        # channels of flattened maps that it reads: torch has the places of a channel together, and
        # the rows of a chip the channels of a place
        self.map_channels = 1

    def sums(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return functional.linear(x, weight, bias)

    def of_arrays(self, x: Tensor, weight: Tensor, rows: int) -> Iterator[tuple[Tensor, Tensor]]:
        if self.map_channels > 1:
            x, weight = self._by_place(x), self._by_place(weight)
        for first in range(0, weight.shape[1], rows):
            part = slice(first, first + rows)
            yield functional.linear(x[..., part], weight[:, part]), weight[:, part]

    def _by_place(self, values: Tensor) -> Tensor:
        """Numbers (..., n_in) of channels and their places, as places and their channels."""
        by_channel: Tensor = values.unflatten(-1, (self.map_channels, -1))
        return by_channel.transpose(-1, -2).flatten(-2)

    def product(self, name: str, inputs: tuple[str, ...]) -> ops.Op:
        levels, step = self.matrix.deployed()
        rows = levels.t()
        weight = (rows * step).cpu().numpy()
        return ops.Dense(name, inputs, weight, self.bias_or_zeros(), self.matrix.scaled(rows, step))
