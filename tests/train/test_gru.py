"""The fused recurrent layer against plain autograd."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from pimsim.kernels.training import NO_LIMIT  # noqa: E402
from pimsim.nn import fused  # noqa: E402
from pimsim.nn.neurons import (  # noqa: E402
    NoisyBinaryNeuron,
    NoisyContinuousNeuron,
    StochasticBinaryNeuron,
    _Fire,
    fire,
)
from pimsim.nn.noise import NoiseSource  # noqa: E402
from pimsim.train import fast  # noqa: E402
from pimsim.train.gru import GruNetwork, gru_layer  # noqa: E402
from pimsim.train.layers import Mode  # noqa: E402


def plain_gru(below, weights, neuron, noise, limit=None):
    """The slow twin: eq. 7-11 step by step; errors of sequences are limited one by one."""

    def limited(error):
        return torch.stack([e * min(1.0, limit / len(error) / float(e.norm())) for e in error])

    hidden = weights.shape[1] // 2
    state = below.new_zeros(below.shape[1], hidden)
    states = []
    for step, x in enumerate(below):
        a = torch.cat([state, x], dim=1) @ weights
        n = None if noise is None else noise[step]
        fired = _Fire.apply(a if n is None else a + n, neuron, n)
        gate, candidate = fired[:, :hidden], fired[:, hidden:]
        state = gate * state + (1 - gate) * candidate
        if limit is not None:
            state.register_hook(limited)
        states.append(state)
    return torch.stack(states)


def gradients(hidden, wanted, *operands):
    """Of a loss that asks a layer for something, by its operands."""
    return torch.autograd.grad((hidden.float() * wanted).sum(), operands)


@pytest.mark.parametrize(
    "neuron",
    [
        NoisyContinuousNeuron(0.0, 1.0),
        NoisyContinuousNeuron(0.4, 0.3),
        NoisyBinaryNeuron(0.4, 0.3),
        NoisyBinaryNeuron(0.4, 0.3, share=0.5),
        StochasticBinaryNeuron(2.0),
    ],
)
@pytest.mark.parametrize("limit", [None, 8.0, 1.0])
def test_fused_layer_equals_plain_autograd(neuron, limit):
    generator = torch.Generator().manual_seed(1)
    below = torch.rand(9, 5, 6, generator=generator, dtype=torch.float64).requires_grad_()
    weights = torch.randn(10, 8, generator=generator, dtype=torch.float64).requires_grad_()
    wanted = torch.randn(9, 5, 4, generator=generator, dtype=torch.float64)
    noise = neuron.noise((9, 5, 8), NoiseSource(2))
    noise = None if noise is None else noise.double()
    fused, _, _ = gru_layer(below, weights, neuron, noise, *([] if limit is None else [limit]))
    plain = plain_gru(below, weights, neuron, noise, limit)
    torch.testing.assert_close(fused, plain, atol=1e-10, rtol=0)
    found = torch.autograd.grad((fused * wanted).sum(), (below, weights))
    expected = torch.autograd.grad((plain * wanted).sum(), (below, weights))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "neuron",
    [
        NoisyContinuousNeuron(0.0, 1.0),
        NoisyContinuousNeuron(0.4, 0.3),
        NoisyBinaryNeuron(0.4, 0.3),
        StochasticBinaryNeuron(2.0),
    ],
)
@pytest.mark.parametrize("limit", [NO_LIMIT, 32.0])
def test_bfloat16_layer_equals_the_float32_one_within_its_rounding(neuron, limit):
    """On operands that bfloat16 holds exactly, only what is computed in between is rounded."""
    generator = torch.Generator().manual_seed(1)
    below = (torch.rand(9, 16, 24, generator=generator) > 0.5).bfloat16().requires_grad_()
    levels = torch.randint(-3, 4, (40, 32), generator=generator).float() / 4
    levels.requires_grad_()
    wanted = torch.randn(9, 16, 16, generator=generator)
    noise = neuron.noise((9, 16, 32), NoiseSource(2))
    expected, _, _ = gru_layer(below.float(), levels, neuron, noise, limit)
    found = fast.gru_layer(below, levels, neuron, NoiseSource(2), limit)
    is_bits = neuron.firing().soft_below == 0
    torch.testing.assert_close(found.float(), expected, atol=0 if is_bits else 0.02, rtol=0)
    both = (gradients(hidden, wanted, below, levels) for hidden in (found, expected))
    for mine, plain in zip(*both, strict=True):
        error = (mine.float() - plain.float()).norm() / plain.float().norm()
        assert float(error) < 0.03


@pytest.mark.parametrize(
    "neuron", [NoisyContinuousNeuron(0.4, 0.3), NoisyBinaryNeuron(0.4, 0.3, share=0.5)]
)
@pytest.mark.parametrize("limit", [NO_LIMIT, 8.0])
def test_passes_on_float32_equal_torch_graph(neuron, limit):
    generator = torch.Generator().manual_seed(1)
    below = torch.rand(9, 16, 24, generator=generator).requires_grad_()
    weights = (torch.randn(40, 32, generator=generator) / 4).requires_grad_()
    wanted = torch.randn(9, 16, 16, generator=generator)
    expected, _, _ = gru_layer(
        below, weights, neuron, neuron.noise((9, 16, 32), NoiseSource(2)), limit
    )
    found = fast.gru_layer(below, weights, neuron, NoiseSource(2), limit)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    both = (gradients(hidden, wanted, below, weights) for hidden in (found, expected))
    for mine, plain in zip(*both, strict=True):
        torch.testing.assert_close(mine, plain, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("has_hardware", "arithmetic", "expected"),
    [
        (True, "bfloat16", fused.HALF),
        (True, "float32", fused.SINGLE),
        (False, "bfloat16", fused.SINGLE),
    ],
)
def test_bfloat16_is_multiplied_only_by_hardware(monkeypatch, has_hardware, arithmetic, expected):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_hardware)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert fused.operands(arithmetic) == expected


@pytest.mark.parametrize(
    "neuron",
    [
        NoisyContinuousNeuron(0.4, 0.3),
        NoisyBinaryNeuron(0.4, 0.3),
        NoisyBinaryNeuron(0.4, 0.3, share=0.5),
    ],
)
def test_bfloat16_neuron_equals_the_float32_one(neuron):
    sums = torch.randn(1000, generator=torch.Generator().manual_seed(1)) * 3
    slow, quick = sums.clone().requires_grad_(), sums.clone().requires_grad_()
    fired = fused.fire(quick, neuron, NoiseSource(2), fused.HALF)
    values = fire(slow, neuron, NoiseSource(2)), fired.float()
    torch.testing.assert_close(values[1], values[0], atol=2**-8, rtol=0)
    for value in values:
        value.sum().backward()
    torch.testing.assert_close(quick.grad, slow.grad, atol=2e-3, rtol=2**-7)


@pytest.mark.parametrize("operands", [None, fused.HALF, fused.SINGLE])
def test_a_network_hands_its_limit_to_its_layers(operands):
    network = GruNetwork(n_inputs=4, n_hidden=8, n_layers=2, n_classes=3)
    frames = torch.randn(9, 16, 4, generator=torch.Generator().manual_seed(1))
    norms = {}
    for limit in (NO_LIMIT, 1e-6):
        network.zero_grad()
        network.mode = Mode(NoisyBinaryNeuron(0.3, 0.5), error_limit=limit, operands=operands)
        network(frames).logsumexp(dim=1).mean().backward()
        norms[limit] = [
            float(p.grad.norm()) for p in network.gates[0].parameters() if p.requires_grad
        ]
    assert all(0 < after < 1e-3 * before for before, after in zip(*norms.values(), strict=True))
    assert network.output.weight.grad.norm() > 1e-2


def test_bits_stay_bits_and_a_closed_gate_keeps_them():
    neuron = NoisyBinaryNeuron(0.0, 1.0)
    below = torch.ones(3, 1, 1)
    weights = torch.tensor([[0.0, 5.0], [-1.0, 1.0]])  # gate 0: the candidate passes
    hidden, sums, fired = gru_layer(below, weights, neuron, None)
    assert hidden.flatten().tolist() == [1.0, 1.0, 1.0]
    assert sums[:, 0, 1].tolist() == [1.0, 6.0, 6.0]
    weights = torch.tensor([[0.0, 0.0], [1.0, 1.0]])  # gate 1: the first state is kept
    hidden, _, fired = gru_layer(below, weights, neuron, None)
    assert fired[:, 0, 1].tolist() == [1.0, 1.0, 1.0]
    assert hidden.flatten().tolist() == [0.0, 0.0, 0.0]
