"""Neurons: values against their equations, slopes against the closed form."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from pimsim.nn.neurons import (  # noqa: E402
    NoisyBinaryNeuron,
    NoisyContinuousNeuron,
    StochasticBinaryNeuron,
    fire,
    fire_and_pool,
)
from pimsim.nn.noise import NoiseSource  # noqa: E402

A = torch.linspace(-2, 2, 41, dtype=torch.float64)


def gradient(neuron, a):
    a = a.clone().requires_grad_()
    fire(a, neuron, NoiseSource(0)).sum().backward()
    return a.grad


def test_continuous_neuron_is_a_sharpened_sigmoid_with_its_derivative():
    neuron = NoisyContinuousNeuron(0.0, 0.3)
    y = 1 / (1 + torch.exp(-A / 0.3))
    torch.testing.assert_close(fire(A, neuron, NoiseSource(0)), y)
    torch.testing.assert_close(gradient(neuron, A), y * (1 - y) / 0.3)
    assert torch.autograd.gradcheck(
        lambda a: fire(a, neuron, NoiseSource(0)), A.clone().requires_grad_()
    )


def test_continuous_neuron_differentiates_at_the_noisy_preactivation():
    a = torch.zeros(1000, dtype=torch.float64)
    noise = NoiseSource(5).normal((1000,)) * 0.7
    y = torch.sigmoid(noise.double() / 0.3)
    a.requires_grad_()
    fire(a, NoisyContinuousNeuron(0.7, 0.3), NoiseSource(5)).sum().backward()
    torch.testing.assert_close(a.grad, y * (1 - y) / 0.3, atol=1e-6, rtol=1e-5)


def test_binary_neuron_is_a_strict_step_with_the_continuous_slope():
    neuron = NoisyBinaryNeuron(0.0, 0.3)
    assert torch.equal(fire(A, neuron, NoiseSource(0)), (A > 0).double())
    torch.testing.assert_close(gradient(neuron, A), gradient(NoisyContinuousNeuron(0.0, 0.3), A))


def test_binary_neuron_fires_with_the_normal_distributions_probability():
    a = torch.full((200_000,), 0.5)
    rate = float(fire(a, NoisyBinaryNeuron(0.8, 0.3), NoiseSource(1)).mean())
    p = 0.5 * (1 + math.erf(0.5 / 0.8 / math.sqrt(2)))
    assert rate == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / len(a)))


def test_stochastic_neuron_fires_with_the_sigmoids_probability_and_passes_its_slope():
    neuron = StochasticBinaryNeuron(3.0)
    a = torch.full((200_000,), 0.2)
    p = 1 / (1 + math.exp(-0.6))
    rate = float(fire(a, neuron, NoiseSource(1)).mean())
    assert rate == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / len(a)))
    torch.testing.assert_close(
        gradient(neuron, a), torch.full_like(a, 3 * p * (1 - p)), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize(
    "neuron",
    [
        NoisyContinuousNeuron(0.5, 0.3),
        NoisyBinaryNeuron(0.5, 0.3),
        StochasticBinaryNeuron(1.0),
    ],
)
def test_pooling_first_gives_the_largest_output(neuron):
    a = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    pooled = fire_and_pool(a, neuron, NoiseSource(4), 2)
    fired = fire(a, neuron, NoiseSource(4))
    assert torch.equal(pooled, torch.nn.functional.max_pool2d(fired, 2))


def test_pooling_sends_the_gradient_to_the_neuron_that_decides():
    a = torch.tensor([[[[0.1, 0.4], [0.3, -1.0]]]], requires_grad=True)
    fire_and_pool(a, NoisyBinaryNeuron(0.0, 1.0), NoiseSource(0), 2).sum().backward()
    s = 1 / (1 + math.exp(-0.4))
    expected = torch.tensor([[[[0.0, s * (1 - s)], [0.0, 0.0]]]])
    torch.testing.assert_close(a.grad, expected)


def test_noise_is_a_function_of_its_seed_and_normal():
    one, two, other = NoiseSource(1, 1 << 16), NoiseSource(1, 1 << 16), NoiseSource(2, 1 << 16)
    x = one.normal((10_000,))
    assert torch.equal(x, two.normal((10_000,)))
    assert not torch.equal(x, other.normal((10_000,)))
    assert not torch.equal(x, one.normal((10_000,)))
    assert float(x.mean()) == pytest.approx(0, abs=0.04)
    assert float(x.std()) == pytest.approx(1, abs=0.03)


def test_a_share_of_binary_neurons_puts_out_bits():
    neuron = NoisyBinaryNeuron(0.5, 1.0, share=0.25)
    a = torch.full((40_000,), 0.3)
    y = fire(a, neuron, NoiseSource(3))
    bits = (y == 0) | (y == 1)
    assert float(bits.float().mean()) == pytest.approx(0.25, abs=0.01)
    noise = neuron.noise((40_000,), NoiseSource(3))
    assert float(noise[bits].abs().min()) > float(noise[~bits].abs().max())
    torch.testing.assert_close(y[~bits], torch.sigmoid(0.3 + noise[~bits]))
