"""Building blocks of trainable networks: array matrices, and modes."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from pimsim.kernels.training import NO_LIMIT
from pimsim.nn.neurons import Neuron, NoisyBinaryNeuron, NoisyContinuousNeuron
from pimsim.nn.noise import NoiseSource
from pimsim.nn.quantize import Quantizer, quantize
from pimsim.train.broken import Broken


@dataclass
class Mode:
    """Mode of a network: its neurons, weights and noise.

    Attributes
    ----------
    neuron : Neuron
        Used by the encoder and every array layer.
    quantized : bool
        Use each matrix's quantiser; otherwise full-precision weights.
    cell_error : float
        Standard deviation of a cell pair's static error as a share of alpha; new for each batch.
    in_levels : bool
        Array weights are the integer levels k instead of alpha k / L: what a step
        neuron decides is the same, and sums are exact.
    error_limit : float
        As in `pimsim.train.gru.gru_layer`.
    operands : torch.dtype or None
        Type of the operands of `pimsim.nn.fused`; None: torch's own graph, on any device.
    source : NoiseSource
        Source of random numbers.
    sums, bits : dict or None
        If given, layers store their pre-activations or outputs there, under the names of
        `pimsim.workload`.
    """

    neuron: Neuron = field(default_factory=lambda: NoisyContinuousNeuron(0.0, 1.0))
    quantized: bool = False
    cell_error: float = 0.0
    in_levels: bool = False
    error_limit: float = NO_LIMIT
    operands: torch.dtype | None = None
    source: NoiseSource = field(default_factory=lambda: NoiseSource(0))
    sums: dict[str, Tensor] | None = None
    bits: dict[str, Tensor] | None = None

    def keep(self, name: str, sums: Tensor | None, bits: Tensor) -> None:
        """Store the pre-activations and outputs of a layer, if asked for."""
        if self.sums is not None and sums is not None:
            self.sums[name] = sums
        if self.bits is not None:
            self.bits[name] = bits


# so little noise decides sums of whole levels that are 0, and no others
COIN = 1e-4


def bit_mode(quantized: bool, coins: bool = False, seed: int = 0) -> Mode:
    """Mode of deployment: step neurons; with `coins`, sums of exactly 0 give either bit."""
    neuron = NoisyBinaryNeuron(COIN if coins else 0.0, 1.0)
    return Mode(neuron, quantized, in_levels=quantized, source=NoiseSource(seed))


class Matrix(nn.Module):
    """A weight matrix (n_rows, n_columns) of an array.

    Attributes
    ----------
    weight : (n_rows, n_columns)
        Shadow weights.
    alpha : scalar
        Clipping range; trained only if it requires a gradient.
    quantizer : Quantizer or None
        Quantiser of the weights; not saved in checkpoints.
    half_levels : bool
        Whether quantised columns have thresholds half a level up, as `LevelMatrix`; not saved.
    broken : Broken or None
        Pairs of cells that fail on the chip that the network is trained on; not saved.
    """

    quantizer: Quantizer | None = None
    half_levels = False
    broken: Broken | None = None

    def __init__(self, n_rows: int, n_columns: int, sigma: float, mean: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_rows, n_columns) * sigma + mean)
        self.alpha = nn.Parameter(torch.zeros(()), requires_grad=False)

    def used(self, mode: Mode) -> Tensor:
        """Weights of one forward pass: quantised and with cell errors if the mode says so."""
        if not mode.quantized or self.quantizer is None:
            return self.weight
        if mode.in_levels:
            levels = self.quantizer.levels(self.weight, self.alpha)[0]
            return levels if self.broken is None else self.broken.put_into(levels)
        weights = quantize(self.weight, self.alpha, self.quantizer)
        if self.broken is not None:
            weights = self.broken.put_into(weights, self.step())
        if mode.cell_error > 0:
            error = mode.source.normal(tuple(weights.shape))
            weights = weights + error * (mode.cell_error * self.alpha.detach())
        return weights

    @property
    def raised(self) -> float:
        """Amount added to every threshold [levels]."""
        return 0.5 if self.half_levels else 0.0

    @torch.no_grad()
    def step(self) -> Tensor:
        """Weight of one level of a quantised matrix."""
        assert self.quantizer is not None
        return self.quantizer.levels(self.weight, self.alpha)[1]

    def start(self, mode: Mode) -> Tensor | None:
        """Sum of every column before any input (); None: 0."""
        if not self.half_levels or not mode.quantized or self.quantizer is None:
            return None
        step = torch.ones_like(self.alpha) if mode.in_levels else self.step()
        return -self.raised * step.detach()

    @torch.no_grad()
    def quantize_by(self, quantizer: Quantizer) -> None:
        """Set the quantiser, and the clipping range from the present weights (section 3.2)."""
        self.quantizer = quantizer
        self.alpha.fill_(quantizer.initial_range(self.weight))
        self.clip()

    @torch.no_grad()
    def clip(self) -> None:
        """Clip the shadow weights to a fixed clipping range (Hubara 2017)."""
        alpha = float(self.alpha)
        if alpha > 0 and not self.alpha.requires_grad:
            self.weight.clamp_(-alpha, alpha)
