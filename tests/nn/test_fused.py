"""Fused passes of blocks: the values and gradients of torch's own operations."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from pimsim import nn  # noqa: E402
from pimsim.nn import fused  # noqa: E402
from pimsim.nn.neurons import NoisyBinaryNeuron, NoisyContinuousNeuron, fire  # noqa: E402
from pimsim.nn.noise import NoiseSource  # noqa: E402
from pimsim.nn.quantize import MultiLevel, quantize, short  # noqa: E402

LAYOUTS = [torch.contiguous_format, torch.channels_last]


def maps(layout, dtype=torch.float32, side=6):
    torch.manual_seed(3)
    values = torch.randn(4, 5, side, side).to(dtype)
    return values.contiguous(memory_format=layout).requires_grad_()


def weights_like(values):
    return torch.linspace(-1, 1, values.numel()).view(values.shape)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("signed", [False, True])
def test_codes_have_the_values_and_gradients_of_the_quantiser(layout, signed):
    top, results = 7, []
    for quick in (False, True):
        a = maps(layout)
        alpha = torch.tensor(1.3, requires_grad=True)
        if quick:
            step = float(short(alpha.detach() / top))
            used = fused.quantise(a, alpha, step, -top if signed else 0, top)
        else:
            used = quantize(a if signed else a.clamp(min=0), alpha, MultiLevel(2 * top + 1))
        (used * weights_like(used)).sum().backward()
        results.append((used.detach(), a.grad, alpha.grad))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=2e-5, rtol=1e-4)
    assert results[0][2].abs() > 0.1


def test_codes_of_bfloat16_are_those_of_float32_within_its_rounding():
    step = float(short(torch.tensor(2.0 / 15)))
    alpha = torch.tensor(2.0, requires_grad=True)
    half = maps(torch.channels_last, torch.bfloat16)
    found = fused.quantise(half, alpha, step, 0, 15)
    assert found.dtype == torch.bfloat16
    expected = torch.round(half.detach().float() / step).clamp(0, 15) * step
    torch.testing.assert_close(found.float(), expected, atol=0, rtol=2**-8)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_fired_maps_keep_their_layout_and_have_the_values_of_torchs_graph(layout):
    neuron, results = NoisyContinuousNeuron(0.0, 0.5), []
    for quick in (False, True):
        a = maps(layout)
        source = NoiseSource(1)
        y = fused.fire(a, neuron, source, a.dtype) if quick else fire(a, neuron, source)
        (y * weights_like(y)).sum().backward()
        results.append((y.detach(), a.grad))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_largest_noisy_preactivation_of_a_window_fires_and_gets_the_gradient(dtype):
    a = maps(torch.channels_last, dtype)
    neuron, size = NoisyBinaryNeuron(0.3, 0.5, 0.5), (2, 3)
    y = fused.fire_and_pool_last(a, neuron, NoiseSource(1), size)
    y.float().sum().backward()
    noise = NoiseSource(1).view("normal", (4, 6, 6, 5)).permute(0, 3, 1, 2)
    noisy = a.detach().float() + 0.3 * noise
    largest, where = functional.max_pool2d(noisy, size, return_indices=True)
    number = noise.flatten(2).gather(2, where.flatten(2)).view(where.shape)
    smooth = torch.sigmoid(largest / 0.5)
    expected = torch.where(number.abs() < neuron.soft_below, smooth, (largest > 0).float())
    slopes = torch.zeros(4, 5, 36).scatter(
        2, where.flatten(2), (smooth * (1 - smooth) / 0.5).flatten(2)
    )
    tolerance = {"atol": 1e-5, "rtol": 1e-4 if dtype == torch.float32 else 2**-7}
    torch.testing.assert_close(y.detach().float(), expected, **tolerance)
    torch.testing.assert_close(a.grad.float(), slopes.view(a.shape), **tolerance)


def test_a_convolution_that_pools_is_the_convolution_and_torchs_pooling():
    torch.manual_seed(1)
    pooling = nn.Conv2d(3, 4, 3, pool=2, neuron=nn.Bits()).eval()
    plain = nn.Conv2d(3, 4, 3, neuron=nn.Bits()).eval()
    plain.load_state_dict(pooling.state_dict())
    x = torch.randint(0, 2, (5, 3, 10, 11)).float()
    assert torch.equal(pooling(x), functional.max_pool2d(plain(x), 2))
    assert pooling.train()(x).shape == (5, 4, 4, 4)
