"""LeNet5 by fused passes against torch's own graph."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from pimsim.nn import fused  # noqa: E402
from pimsim.nn.neurons import (  # noqa: E402
    NoisyBinaryNeuron,
    NoisyContinuousNeuron,
    StochasticBinaryNeuron,
)
from pimsim.nn.noise import NoiseSource  # noqa: E402
from pimsim.nn.quantize import quantizer_for  # noqa: E402
from pimsim.train.layers import Mode  # noqa: E402
from pimsim.train.lenet5 import Lenet5  # noqa: E402


@pytest.mark.parametrize(
    "neuron",
    [
        NoisyContinuousNeuron(0.0, 1.0),
        NoisyContinuousNeuron(0.4, 0.3),
        NoisyBinaryNeuron(0.4, 0.3, share=0.5),
        StochasticBinaryNeuron(2.0),
    ],
)
def test_fused_passes_give_the_scores_and_gradients_of_torchs_graph(neuron):
    torch.manual_seed(1)
    network = Lenet5((4, 6), (20, 10), 10)
    for matrix in network.matrices().values():
        matrix.quantize_by(quantizer_for(7))
    images = torch.randn(8, 1, 28, 28)
    found = {}
    for operands in (None, fused.SINGLE):
        network.zero_grad()
        network.mode = Mode(neuron, quantized=True, operands=operands, source=NoiseSource(3))
        scores = network(images)
        scores.logsumexp(dim=1).sum().backward()
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        assert len(gradients) == 7
        found[operands] = [scores.detach(), *gradients]
    for one, other in zip(*found.values(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)
