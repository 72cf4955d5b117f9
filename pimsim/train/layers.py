"""Building blocks of trainable networks: a matrix of an array, and how a stage runs it."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from pimsim.train.neurons import Neuron, NoisyContinuousNeuron
from pimsim.train.noise import NoiseSource
from pimsim.train.quantize import Quantizer, quantize


@dataclass
class Mode:
    """How a network runs: its neurons, its weights and its noise.

    Attributes
    ----------
    neuron : Neuron
        Used by the encoder and every array layer.
    quantizer : Quantizer or None
        None: full-precision weights.
    cell_error : float
        Static error of a cell pair as a fraction of alpha, drawn anew for every batch.
    source : NoiseSource
        Where noise comes from.
    seen : dict or None
        Where a dict is given, layers leave their noisy pre-activations in it.
    """

    neuron: Neuron = field(default_factory=lambda: NoisyContinuousNeuron(0.0, 1.0))
    quantizer: Quantizer | None = None
    cell_error: float = 0.0
    source: NoiseSource = field(default_factory=lambda: NoiseSource(0))
    seen: dict[str, Tensor] | None = None


class Matrix(nn.Module):
    """A weight matrix (n_rows, n_columns) that will be held by an array."""

    alpha: Tensor

    def __init__(self, n_rows: int, n_columns: int, spread: float, mean: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_rows, n_columns) * spread + mean)
        self.register_buffer("alpha", torch.zeros(()))

    def used(self, mode: Mode) -> Tensor:
        """The weights of one forward pass: quantised and strayed, as the mode says."""
        if mode.quantizer is None:
            return self.weight
        weights = quantize(self.weight, self.alpha, mode.quantizer)
        if mode.cell_error > 0:
            error = mode.source.normal(tuple(weights.shape))
            weights = weights + error * (mode.cell_error * self.alpha)
        return weights

    @torch.no_grad()
    def set_range(self, quantizer: Quantizer) -> None:
        """Take the clipping range from the present weights (section 3.2)."""
        self.alpha.fill_(quantizer.initial_range(self.weight))

    @torch.no_grad()
    def clip(self) -> None:
        """Keep the shadow weights within the clipping range, as Hubara 2017 does."""
        alpha = float(self.alpha)
        if alpha > 0:
            self.weight.clamp_(-alpha, alpha)
