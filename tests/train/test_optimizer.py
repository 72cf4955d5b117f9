"""Muon in float32 against its definition and against torch's."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from pimsim.train.optimizer import Muon, orthogonal  # noqa: E402

QUINTIC = (3.4445, -4.7750, 2.0315)
SHAPES = pytest.mark.parametrize("shape", [(64, 20), (20, 64), (32, 32)])


@SHAPES
def test_an_update_keeps_its_directions_and_makes_them_alike(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    left, stretch, right = torch.linalg.svd(matrix, full_matrices=False)
    assert float(stretch[0] / stretch[-1]) > 2
    inner = left.t() @ orthogonal(matrix, QUINTIC, 5) @ right.t()
    sizes = inner.diagonal()
    assert float((inner - torch.diag(sizes)).abs().max()) < 1e-3
    assert 0.5 < float(sizes.min()) <= float(sizes.max()) < 1.3


@SHAPES
def test_steps_are_torchs_within_the_rounding_of_bfloat16(shape):
    generator = torch.Generator().manual_seed(2)
    start = torch.randn(shape, generator=generator)
    weights = [torch.nn.Parameter(start.clone()) for _ in range(2)]
    how = {"lr": 1e-2, "weight_decay": 0.1, "adjust_lr_fn": "match_rms_adamw"}
    steppers = [Muon([weights[0]], **how), torch.optim.Muon([weights[1]], **how)]
    for _ in range(3):
        gradient = torch.randn(shape, generator=generator)
        for weight, stepper in zip(weights, steppers, strict=True):
            weight.grad = gradient.clone()
            stepper.step()
    moved = [weight.detach() - start for weight in weights]
    assert float((moved[0] - moved[1]).norm() / moved[1].norm()) < 0.03
