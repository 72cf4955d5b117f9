"""Recipes of one gain and of weights of one sign in convolutions: each builds and is refused."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pimsim import nn  # noqa: E402
from pimsim.config.bundled import bundled_root  # noqa: E402
from pimsim.data.dataset import Dataset  # noqa: E402
from pimsim.errors import ConfigError  # noqa: E402
from pimsim.train.block_recipe import BlockRecipe  # noqa: E402
from pimsim.train.block_task import BlockTask  # noqa: E402
from pimsim.train.block_trainer import network_of  # noqa: E402
from pimsim.train.recipe import read_recipe  # noqa: E402

STAGES = [{"name": "a", "epochs": 1, "learning_rate": 0.01}]
CODES = {"kind": "codes", "bits": 4}


def task(shape, dtype=np.float32):
    rng = np.random.default_rng(0)
    data = Dataset(rng.integers(0, 200, (12, *shape)).astype(dtype), np.arange(12) % 10)
    return BlockTask(data, data, "map")


def recipe(**keys):
    network = [{"kind": "quantiser", "bits": 4, "low": -1, "high": 1},
               {"kind": "conv2d", "channels": 3, "kernel": 3, "clip": 2, "neuron": CODES},
               {"kind": "avgpool"}, {"kind": "dense"}]  # fmt: skip
    return BlockRecipe(name="toy", data="toy", network=network, stages=STAGES, **keys)


def named(name):
    return read_recipe(bundled_root() / "models" / "train" / f"{name}.yaml")


@pytest.mark.parametrize("bits", [8, 6, 4])
def test_layers_of_one_array_fit_it_and_share_a_gain(bits):
    data = Dataset(np.random.default_rng(0).normal(size=(24, 49, 10)).astype(np.float32),
                   np.arange(24) % 12)  # fmt: skip
    plan = named(f"kws_analog_{bits}b")
    network = network_of(plan, BlockTask(data, data, "map"))
    layers = [m for m in network if hasattr(m, "adc")]
    assert {layer.adc.gain for layer in layers} == {nn.SharedGain(bits, plan.gain.full_scale)}
    sizes = [layer.matrix.weight.flatten(1).shape for layer in layers]
    assert max(rows for _, rows in sizes) <= 1024
    assert sum(columns for columns, _ in sizes) <= 512
    assert round(sum(r * c for c, r in sizes) / (1024 * 512), 2) == 0.59
    assert {layer.matrix.levels for layer in layers} == {21}


@pytest.mark.parametrize("kind", ["uniform_4b", "unipolar_2b"])
def test_pictures_have_one_setting(kind):
    network = network_of(named(f"cifar10_{kind}"), task((32, 32, 3), np.uint8))
    layers = [m for m in network if hasattr(m, "adcs")]
    assert len({layer.adcs.weight_step for layer in layers}) == 1
    assert [layer.matrix.weight.flatten(1).shape[1] for layer in layers] == [75, 800, 800, 1024]
    assert layers[-1].map_channels == 64


def test_the_mean_of_a_float_twin_is_that_of_torch():
    plan = named("kws_analog_float")
    data = Dataset(np.zeros((24, 49, 10), np.float32), np.arange(24) % 12)
    network = network_of(plan, BlockTask(data, data, "map"))
    assert any(isinstance(module, torch.nn.AvgPool2d) for module in network)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"gain": {"adc_bits": 1, "full_scale": 8}}, "bits is 1"),
        ({"gain": {"adc_bits": 8, "full_scale": -1}}, "full_scale is -1"),
        (
            {"gain": {"adc_bits": 8, "full_scale": 8}, "uniform": {"step": 8}},
            "`uniform` and `gain`",
        ),
        ({"uniform": {"step": 8}}, "several numbers of levels"),
    ],
)
def test_settings_that_do_not_fit_name_their_key(keys, said):
    with pytest.raises(ConfigError, match=said) as caught:
        network_of(recipe(**keys), task((8, 8, 1)))
    assert caught.value.place.file in ("gain", "uniform")
