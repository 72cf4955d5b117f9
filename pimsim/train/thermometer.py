"""First layer in arrays: thermometer bits of the inputs, and the weights that read them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from pimsim.nn import Thermometer
from pimsim.nn.quantize import Quantizer, short
from pimsim.train.imitation import imitate
from pimsim.train.layers import Matrix, Mode
from pimsim.workload.thermometer import Spacing, ThermometerEncoder, limits_of

# a bias is rows that are always on; with so many it reaches as far as a tenth of the others
BIAS_ROWS = 24
SMALLEST = 1e-6
# rows of bits that levels are chosen by
EXAMPLES = 60_000


class ThermometerBits(nn.Module):
    """Bits of inputs by comparators, which drive the word lines of a network's first array.

    Parameters
    ----------
    counts : sequence of int
        Bits of each input channel.
    spacing : "quantile" or "even"
        As in `pimsim.workload.limits_of`.
    learned : bool
        Whether limits are trained.

    Attributes
    ----------
    bits : Thermometer
    """

    channel_axis = -1

    def __init__(self, counts: Sequence[int], spacing: Spacing, learned: bool) -> None:
        super().__init__()
        self.counts, self.spacing = list(counts), spacing
        channel = np.repeat(np.arange(len(counts)), counts)
        even = np.concatenate([np.linspace(-2, 2, n + 2)[1:-1] for n in counts])
        axis = self.channel_axis
        self.bits = Thermometer(even.tolist(), channel.tolist(), axis, learned)

    @torch.no_grad()
    def choose_limits(self, values: Tensor) -> None:
        """Set limits by the distribution of inputs."""
        last = values.movedim(self.channel_axis, -1).cpu().numpy()
        limits, _ = limits_of(last, self.counts, self.spacing)
        self.bits.start.copy_(torch.from_numpy(limits.astype(np.float64)))

    def encoder(self) -> ThermometerEncoder:
        """The comparators as deployed."""
        limits = self.bits.limits().numpy().astype(np.float32)
        return ThermometerEncoder(limits, self.bits.channel.numpy().astype(np.int32))

    def bits_of(self, inputs: Tensor, mode: Mode) -> Tensor:
        """Bits (..., n_bits, ...) of inputs (..., n_channels, ...), as operands of the mode."""
        found = self._compared(inputs, mode.operands or inputs.dtype)
        mode.keep("encoder", None, found.movedim(self.channel_axis, -1))
        return found

    def _compared(self, inputs: Tensor, kind: torch.dtype) -> Tensor:
        if self.bits.shift is not None:
            found: Tensor = self.bits(inputs)
            return found.to(kind)
        axis = self.channel_axis
        limits = self.bits.limits().to(inputs.dtype).view(-1, *[1] * (-1 - axis))
        return (inputs.index_select(axis, self.bits.channel) > limits).to(kind)


class ThermometerLayer(ThermometerBits):
    """Pre-activations of a first layer that reads thermometer bits alone.

    Parameters
    ----------
    n_outputs : int
    counts, spacing, learned
        As in `ThermometerBits`.

    Attributes
    ----------
    matrix : Matrix
        Of (n_bits, n_outputs).
    bias : Parameter (n_outputs,)
        Deployed as thresholds in whole levels, or half-way between two.
    """

    # places of the inputs that an output reads
    n_places = 1

    def __init__(
        self, n_outputs: int, counts: Sequence[int], spacing: Spacing, learned: bool
    ) -> None:
        super().__init__(counts, spacing, learned)
        n_rows = self.bits.n_bits * self.n_places
        self.matrix = Matrix(n_rows, n_outputs, 3.0 * n_rows**-0.5)
        self.bias = nn.Parameter(torch.zeros(n_outputs))

    def thresholds(self) -> Tensor:
        """Deployed thresholds (n_outputs,) in whole levels, as float; `raised` comes on top."""
        quantizer = self.matrix.quantizer
        assert quantizer is not None
        step = self.matrix.step().clamp(min=SMALLEST)
        reach = BIAS_ROWS * max(1, (quantizer.n_levels - 1) // 2)
        whole: Tensor = torch.round(-self.bias / step - self.matrix.raised).clamp(-reach, reach)
        return whole

    def forward(self, inputs: Tensor, mode: Mode) -> Tensor:
        """Pre-activations of inputs in a mode; channels become outputs."""
        bits, weights = self.bits_of(inputs, mode), self.matrix.used(mode)
        if mode.operands is not None:
            return self.sums(bits, weights.to(mode.operands), self._bias(mode)).float()
        return self.sums(bits, weights, self._bias(mode))

    def sums(self, bits: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        """Sums of bits (..., n_bits) with weights (n_bits, n_outputs), plus the bias."""
        return bits @ weights + bias

    def rows(self, bits: Tensor) -> Tensor:
        """Bits (..., n_bits) as they drive the word lines: (n, n_rows)."""
        return bits.reshape(-1, bits.shape[-1])

    @torch.no_grad()
    def imitate(self, inputs: Tensor, sums: Tensor, quantizer: Quantizer) -> None:
        """Take levels and thresholds whose sums over the bits are nearest to given sums.

        Parameters
        ----------
        inputs, sums : Tensor
            Examples of inputs (..., n_channels, ...), and what a layer of real numbers gives for
            them, (..., n_outputs, ...).
        quantizer : Quantizer
            Of 3 levels or more.
        """
        top = (quantizer.n_levels - 1) // 2
        rows = self.rows(self._compared(inputs, inputs.dtype))
        wanted = sums.movedim(self.channel_axis, -1).flatten(0, -2)
        # evenly over all examples; more than so many say nothing new
        every = -(-len(rows) // EXAMPLES)
        found = imitate(rows[::every], wanted[::every], top)
        # one step for all columns: what a column decides does not depend on its scale
        step = found.steps.median()
        self.matrix.quantizer = quantizer
        self.matrix.alpha.copy_(top * short(step))
        self.matrix.weight.copy_(found.levels * short(step))
        self.bias.copy_(-found.thresholds * short(step))

    def _bias(self, mode: Mode) -> Tensor:
        quantizer = self.matrix.quantizer
        if not mode.quantized or quantizer is None:
            return self.bias
        with torch.no_grad():
            start = -(self.thresholds() + self.matrix.raised)
        if mode.in_levels:
            return start
        # deployed thresholds decide; gradients pass straight through
        return self.bias + (start * self.matrix.step() - self.bias).detach()
