"""Weight quantisers: levels, ranges, gradients."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from pimsim.nn.quantize import Binary, MultiLevel, Ternary, quantize, quantizer_for  # noqa: E402

W = torch.randn(64, 32, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("n_levels", [5, 7, 15])
def test_levels_are_integers_within_range_and_nearest(n_levels):
    quantizer = MultiLevel(n_levels)
    alpha = torch.tensor(quantizer.initial_range(W))
    k, step = quantizer.levels(W, alpha)
    top = (n_levels - 1) // 2
    assert float(alpha) == pytest.approx(2 * float(W.std()))
    assert torch.equal(k, k.round())
    assert int(k.max()) == top == -int(k.min())
    clipped = W.clamp(-alpha, alpha)
    assert (
        float((k * step - clipped).abs().max())
        <= float(step) / 2 + top * abs(float(step) - float(alpha) / top) + 1e-6
    )


@pytest.mark.parametrize("n_levels", [2, 3, 7])
def test_quantising_is_odd_and_idempotent(n_levels):
    quantizer = quantizer_for(n_levels)
    alpha = torch.tensor(quantizer.initial_range(W))
    once = quantize(W, alpha, quantizer)
    assert torch.equal(quantize(-W, alpha, quantizer), -once)
    torch.testing.assert_close(quantize(once, alpha, quantizer), once)


def test_more_levels_err_less():
    errors = []
    for n_levels, deviations in ((5, 1.8), (7, 2.0), (15, 2.5)):
        quantizer = MultiLevel(n_levels, deviations)
        q = quantize(W, torch.tensor(quantizer.initial_range(W)), quantizer)
        errors.append(float((q - W).square().mean()))
    assert errors == sorted(errors, reverse=True)


def test_gradient_passes_inside_the_range_only():
    w = torch.tensor([-3.0, -0.5, 0.2, 3.0], requires_grad=True)
    quantize(w, torch.tensor(1.0), MultiLevel(7)).sum().backward()
    assert w.grad.tolist() == [0.0, 1.0, 1.0, 0.0]


def test_ternary_follows_li_2016():
    w = torch.tensor([[1.0, -0.2, 0.1, -0.7]])
    k, step = Ternary().levels(w, torch.zeros(()))
    assert k.tolist() == [[1.0, 0.0, 0.0, -1.0]]  # threshold 0.7 * 0.5
    assert float(step) == pytest.approx(0.85, rel=1 / 64)


def test_binary_follows_rastegari_2016():
    w = torch.tensor([[1.0, -0.2, 0.0, -0.8]])
    k, step = Binary().levels(w, torch.zeros(()))
    assert k.tolist() == [[1.0, -1.0, 1.0, -1.0]]
    assert float(step) == 0.5


@pytest.mark.parametrize("n_levels", [3, 7, 15])
def test_levels_times_step_are_exact_in_bfloat16_and_their_sums_in_float32(n_levels):
    quantizer = quantizer_for(n_levels)
    k, step = quantizer.levels(W, torch.tensor(quantizer.initial_range(W)))
    assert torch.equal((k * step).bfloat16().float(), k * step)
    bits = (torch.rand(64, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    assert torch.equal(bits @ (k * step), (bits @ k) * step)


def test_gradient_of_a_learned_range_is_that_of_its_closed_form():
    w = torch.tensor([-3.0, -0.5, 0.2, 3.0])
    alpha = torch.tensor(0.75, requires_grad=True)  # a step of 0.25: nothing is rounded
    used = quantize(w, alpha, MultiLevel(7))
    assert used.tolist() == [-0.75, -0.5, 0.25, 0.75]
    used.sum().backward()
    assert float(alpha.grad) == pytest.approx(-1 + 0 + (0.25 - 0.2) / 0.75 + 1)
