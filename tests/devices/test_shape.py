"""Cells that are not normal: lognormal, or of measured quantiles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from files import bundled_device
from scipy import stats
from scipy.special import ndtri

from pimsim.config import NoiseConfig
from pimsim.config.device import States
from pimsim.devices import cell_model, neighbour_errors
from pimsim.devices.shape import DEVIATES


def states(mean, spread=None, **entries) -> States:
    return States.model_validate(
        {
            "mean": [f"{m} %" for m in mean],
            "spread": [f"{s} %" for s in (spread or [1.0] * len(mean))],
            "source": "test",
            "certainty": "assumed",
            **entries,
        }
    )


def shaped(distribution, mean=(10, 40, 100), spread=(4, 8, 6), **entries):
    block = {"distribution": distribution, **entries}
    return bundled_device("reram").model_copy(update={"states": states(mean, spread, **block)})


def draws(model, level, n=200_000):
    z = np.random.default_rng(level).standard_normal(n)
    return model.current(np.full(n, level), z)


def test_lognormal_cells_are_drawn_lognormal():
    device = shaped("lognormal")
    model = cell_model(device, 3, NoiseConfig().only("programming"))
    for level in range(3):
        drawn = draws(model, level)
        assert drawn.mean() == pytest.approx(model.mean[level], rel=3e-3)
        assert drawn.std() == pytest.approx(model.sigma[level], rel=2e-2)
        assert stats.skew(np.log(drawn)) == pytest.approx(0, abs=0.03)
        assert stats.kurtosis(np.log(drawn)) == pytest.approx(0, abs=0.06)


def test_quantiles_give_the_measured_shape_with_the_stated_moments():
    rng = np.random.default_rng(1)
    # two populations of cells, as no normal is
    sample = np.concatenate([rng.normal(30, 2, 60_000), rng.normal(48, 2, 40_000)])
    p = [
        0.001,
        0.01,
        0.05,
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
        0.55,
        0.6,
        0.65,
        0.7,
        0.8,
        0.9,
        0.95,
        0.99,
        0.999,
    ]
    rows = [[f"{m + s * z} %" for z in ndtri(p)] for m, s in ((10, 4), (100, 6))]
    middle = [f"{q} %" for q in np.quantile(sample, p)]
    device = shaped(
        "quantiles", (10, sample.mean(), 100), (4, sample.std(), 6),
        probabilities=p, quantiles=[rows[0], middle, rows[1]],
    )  # fmt: skip
    model = cell_model(device, 3, NoiseConfig().only("programming"))
    span = model.choice.mean[-1] - model.choice.mean[0]
    drawn = draws(model, 1) * span * 100
    assert drawn.mean() == pytest.approx(sample.mean(), rel=3e-3)
    assert drawn.std() == pytest.approx(sample.std(), rel=1e-2)
    assert np.allclose(np.quantile(drawn, p[1:-1]), np.quantile(sample, p[1:-1]), atol=0.4)


def test_other_sources_add_a_normal_part_to_any_shape():
    device = shaped("lognormal")
    device = device.model_copy(update={"rtn": device.rtn.model_copy(update={"absolute": 0.03})})
    model = cell_model(device, 3, NoiseConfig())
    rng, n = np.random.default_rng(8), 200_000
    for level in range(3):
        mean, parts = model.mean[level], {k: v[level] for k, v in model.sigmas.items()}
        sigma = np.sqrt(np.log1p((parts["programming"] / mean) ** 2))
        exact = mean * np.exp(sigma * rng.standard_normal(n) - sigma**2 / 2)
        exact += parts["rtn"] * rng.standard_normal(n)
        drawn = draws(model, level)
        assert stats.ks_2samp(exact, drawn).statistic < 0.006
        assert drawn.std() == pytest.approx(model.sigma[level], rel=2e-2)


def test_errors_between_neighbours_of_any_shape():
    device = shaped("lognormal", mean=(20, 50, 100), spread=(8, 15, 20))
    model = cell_model(device, 3, NoiseConfig())
    errors = neighbour_errors(model)
    for pair in range(2):
        low, high = draws(model, pair), draws(model, pair + 1)
        threshold = np.quantile(low, 1 - errors[pair])
        assert (high < threshold).mean() == pytest.approx(errors[pair], rel=0.05)
    # a normal shape in a table errs as the formula says
    plain = cell_model(bundled_device("pcm"), 4, NoiseConfig())
    table = replace(plain, shape=np.tile(DEVIATES, (4, 1)))
    assert np.allclose(neighbour_errors(table), neighbour_errors(plain), rtol=2e-3)
    assert np.allclose(table.clipped, plain.clipped, atol=2e-4)
    assert table.highest == pytest.approx(plain.highest)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"distribution": "lognormal", "mean": (0, 40, 100)}, "lognormal state of mean 0"),
        ({"distribution": "quantiles"}, "needs quantiles with distribution"),
        ({"distribution": "normal", "quantiles": [["1 %"]]}, "needs quantiles with distribution"),
        ({"distribution": "quantiles", "quantiles": [["1 %"]]}, "both probabilities and quantiles"),
        ({"distribution": "quantiles", "quantiles": [["1 %"] * 3],
          "probabilities": [0.1, 0.5, 0.9]}, "needs 3 rows of 3 quantiles"),
        ({"distribution": "quantiles", "quantiles": [["1 %"] * 3] * 3,
          "probabilities": [0.5, 0.1, 0.9]}, "probabilities between 0 and 1"),
        ({"distribution": "quantiles", "quantiles": [["2 %", "1 %", "3 %"]] * 3,
          "probabilities": [0.1, 0.5, 0.9]}, "quantiles that fall"),
    ],
)  # fmt: skip
def test_a_distribution_that_makes_no_sense_is_refused(entries, message):
    with pytest.raises(ValueError, match=message):
        shaped(**entries)
