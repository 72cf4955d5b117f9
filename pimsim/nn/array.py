"""Common parts of dense layers and convolutions: weights, sums, norm and neuron."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pimsim.importers.ops import Norm, Op
from pimsim.nn.activations import BlockNeuron, Real, named_last
from pimsim.nn.adcs import ArrayAdcs, GainAdc, along_channels
from pimsim.nn.weights import LevelWeight, require_not_negative

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d


class ArrayBlock(nn.Module):
    """A layer of an array: sums of weights times inputs, batch normalisation if wanted, a neuron.

    In training its weights have few levels and the errors of cells, and its sums have noise. In
    evaluation mode it computes in double precision exactly what a chip without errors does.

    Attributes
    ----------
    matrix : LevelWeight
    bias : Parameter (n_out,) or None
    norm : batch normalisation, or None
    neuron : BlockNeuron
    sum_noise : float
    noise : float
        Factor of the noise of sums, set by `set_noise`.
    """

    def __init__(
        self,
        matrix: LevelWeight,
        neuron: BlockNeuron | None,
        bias: bool | None,
        norm: BatchNorm | None,
        sum_noise: float,
    ) -> None:
        super().__init__()
        require_not_negative("sum_noise", sum_noise)
        self.matrix, self.norm, self.sum_noise, self.noise = matrix, norm, sum_noise, 1.0
        self.neuron = Real() if neuron is None else neuron
        # of a network with one setting for all layers (`pimsim.nn.make_uniform`), or whose layers
        # share one gain (`pimsim.nn.share_gain`)
        self.adcs: ArrayAdcs | None = None
        self.adc: GainAdc | None = None
        # a shift of the norm does what a bias would
        with_bias = norm is None if bias is None else bias
        self.bias = nn.Parameter(torch.zeros(len(matrix.weight))) if with_bias else None
        # sums of weights of one sign have a mean far from 0, which the first batch shows
        self.is_centred = self.bias is None or matrix.polarity == "bipolar"

    def sums(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Sums of weights times inputs, plus the bias."""
        raise NotImplementedError

    def of_arrays(self, x: Tensor, weight: Tensor, rows: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Sums of each array of so many rows, and its weights, outputs first."""
        raise NotImplementedError

    def product(self, name: str, inputs: tuple[str, ...]) -> Op:
        """Operation that gives the sums of evaluation mode."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of the neurons; their type is that of the inputs."""
        if self.training:
            weight = self.matrix.trained()
            if not self.is_centred:
                self._centre(x, weight)
            sums = self._in_training(x, weight)
            return self.fire(self._normed(sums))
        levels, step = self.matrix.deployed()
        sums = self.sums(x.double(), levels * step, self._deployed_bias(levels * step))
        if self.norm is not None:
            scale, shift = (along_channels(t, sums) for t in norm_line(self.norm))
            sums = sums * scale + shift
        return self.fire(sums).to(x.dtype)

    def _in_training(self, x: Tensor, weight: Tensor) -> Tensor:
        """Sums and bias with noise, as ADCs give them where training knows some."""
        sigma = self.sum_noise * self.noise
        if self.adcs is not None and self.bias is not None:
            # codes of ADCs are exact in float32, not in shorter numbers
            with torch.autocast(x.device.type, enabled=False):
                parts = self.of_arrays(x.float(), weight.float(), self.adcs.scale.rows)
                return noisy(self.adcs.sums(parts, weight.float(), self.bias), sigma)
        if self.adc is None:
            return noisy(self.sums(x, weight, self.bias), sigma)
        sums = self.adc.converted(noisy(self.sums(x, weight, None), sigma), weight)
        return sums if self.bias is None else sums + along_channels(self.bias, sums)

    def _deployed_bias(self, weight: Tensor) -> Tensor | None:
        """Bias (n_out,) float64 as it is deployed with such weights."""
        if self.bias is None or self.adcs is None:
            return None if self.bias is None else self.bias.double()
        return self.adcs.whole(self.bias.double(), weight)

    @torch.no_grad()
    def _centre(self, x: Tensor, weight: Tensor) -> None:
        """Set biases that were never trained so that sums have a mean of 0."""
        assert self.bias is not None
        if not self.bias.any():
            sums = self.sums(x, weight, self.bias)
            self.bias.copy_(-sums.float().movedim(1, -1).flatten(0, -2).mean(dim=0))
        self.is_centred = True

    def fire(self, sums: Tensor) -> Tensor:
        """Outputs of the neurons for their pre-activations."""
        outputs: Tensor = self.neuron(sums)
        return outputs

    def _normed(self, sums: Tensor) -> Tensor:
        if self.norm is None:
            return sums
        if isinstance(self.norm, nn.BatchNorm2d):
            normed: Tensor = self.norm(sums)
        else:
            normed = self.norm(sums.flatten(0, -2)).view(sums.shape)
        return normed

    def as_ops(self, name: str, inputs: tuple[str, ...]) -> list[Op]:
        """Operations that mean what evaluation mode computes.

        Parameters
        ----------
        name : str
            Name of the last operation; those before it add a part to it.
        inputs : tuple of str
            Names of the operations whose output it reads.
        """
        found = [self.product(f"{name}.sums", inputs)]
        if self.norm is not None:
            scale, shift = (as_real(t) for t in norm_line(self.norm))
            found.append(Norm(f"{name}.norm", (found[-1].name,), scale, shift))
        return named_last([*found, *self.neuron.as_ops(name, (found[-1].name,))], name)

    def bias_or_zeros(self) -> NDArray[np.float64]:
        """Bias (n_out,) as exported."""
        levels, step = self.matrix.deployed()
        bias = self._deployed_bias(levels * step)
        return np.zeros(len(self.matrix.weight)) if bias is None else as_real(bias)


def noisy(sums: Tensor, sigma: float) -> Tensor:
    """Sums with Gaussian noise of sigma times their standard deviation."""
    if sigma == 0:
        return sums
    return sums + torch.randn_like(sums) * (sigma * sums.detach().std())


@torch.no_grad()
def norm_line(norm: BatchNorm) -> tuple[Tensor, Tensor]:
    """Scale and shift (n_channels,) float64 of batch normalisation in evaluation."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    return scale, norm.bias.double() - norm.running_mean.double() * scale


def as_real(values: Tensor) -> NDArray[np.float64]:
    """A tensor as a float64 array."""
    return values.detach().cpu().double().numpy()
