"""Weights clipped in training, and ADCs of one gain: a training pass is the chip's arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from files import bundled_chip, bundled_device  # noqa: E402

from pimsim import nn  # noqa: E402
from pimsim.chip import build_chip  # noqa: E402
from pimsim.config import NoiseConfig  # noqa: E402
from pimsim.data.dataset import Dataset  # noqa: E402
from pimsim.errors import PimsimError  # noqa: E402
from pimsim.importers.torch_export import export  # noqa: E402
from pimsim.nn.weights import LevelWeight  # noqa: E402
from pimsim.simulate import encode_inputs, run_chips  # noqa: E402

# a step of 4 levels x codes: of 7 levels, codes of 4 bits and ADCs of 6
GAIN = nn.SharedGain(6, 4 * 31 / (3 * 15))


def chain(gain=GAIN):
    torch.manual_seed(1)
    network = torch.nn.Sequential(
        nn.Quantiser(4, -1.0, 1.0),
        nn.Conv2d(1, 5, 3, 2, 1, levels=7, clip=2.5, neuron=nn.Codes(4)),
        nn.Conv2d(5, 6, 3, 1, 1, levels=7, clip=2.5, neuron=nn.Codes(4)),
        torch.nn.Flatten(),
        nn.Dense(6 * 9, 4, levels=7, clip=2.5, neuron=nn.Codes(6, signed=True)),
    )
    if gain is not None:
        nn.share_gain(network, gain)
    return network


def test_a_training_pass_is_the_arithmetic_of_a_chip_with_that_full_scale():
    """Codes of the scores, one by one: inputs have a sign, layers clip, all have one gain."""
    network, rng = chain(), np.random.default_rng(0)
    pixels = (rng.integers(-256, 257, (40, 6, 6, 1)) / 256).astype(np.float32)
    x = torch.from_numpy(pixels).movedim(-1, 1)
    with torch.no_grad():
        network.train()(x)  # sets the ranges of codes
        trained = network(x).numpy()
    found = export(network, torch.zeros(1, 1, 6, 6), Dataset(pixels, np.zeros(40, np.int64)))
    config = bundled_chip("analog_kws_14nm")
    bits = {"bits": GAIN.bits, "full_scale": GAIN.full_scale}
    config = config.model_copy(
        update={
            "drive": config.drive.model_copy(update={"bits": 4}),
            "read_out": config.read_out.model_copy(update=bits),
        }
    )
    exact = NoiseConfig.ideal().model_copy(update={"fixed_point": True})
    chip = build_chip(found, config, bundled_device("ideal"), exact)
    run = run_chips(chip, encode_inputs(chip, pixels), [0], 1, keep_bits=True)
    scores = run.bits[found.nodes[-1].name][0].reshape(40, 4).astype(int) - 31
    assert np.unique(scores).size > 10
    step = network[-1].neuron.step
    assert np.mean(np.abs(scores - np.round(trained / step)) <= 1) == 1
    assert np.mean(scores == np.round(trained / step)) > 0.97
    assert any(run.counts.clipped_share(tile.name) for tile in chip.tiles)


def test_the_largest_sum_is_the_gain_times_the_largest_input_and_weight():
    network = chain()
    first, second = network[1], network[2]
    second.neuron.set_range(torch.randn(100))
    assert first.adc.largest_sum == pytest.approx(
        GAIN.full_scale * first.matrix.largest() * 15 * network[0].step
    )
    assert network[4].adc.largest_sum == pytest.approx(
        GAIN.full_scale * network[4].matrix.largest() * 15 * second.neuron.step
    )


def test_weights_beyond_so_many_deviations_are_clipped_and_the_range_is_that():
    torch.manual_seed(0)
    matrix = LevelWeight((30, 40), 21, 0.0, clip=1.5)
    sigma = float(matrix.weight.detach().std())
    assert float(matrix.range.detach()) == pytest.approx(1.5 * sigma, rel=1e-6)
    matrix.trained()
    assert float(matrix.weight.detach().abs().max()) == pytest.approx(1.5 * sigma, rel=1e-6)
    with pytest.raises(PimsimError, match="clip is 0"):
        LevelWeight((3, 4), 21, 0.0, clip=0)


def test_real_weights_have_errors_in_training_too():
    torch.manual_seed(0)
    matrix = LevelWeight((60, 50), None, 0.1)
    error = (matrix.trained() - matrix.weight).detach()
    assert float(error.std()) == pytest.approx(
        0.1 * float(matrix.weight.detach().abs().max()), rel=0.05
    )


@pytest.mark.parametrize(
    ("bits", "full_scale", "said"), [(1, 3.0, "bits is 1"), (6, 0.0, "full_scale is 0")]
)
def test_numbers_out_of_range_are_refused(bits, full_scale, said):
    with pytest.raises(PimsimError, match=said):
        nn.SharedGain(bits, full_scale)


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([nn.Dense(4, 4, neuron=nn.Codes(4))], "begins without a quantiser"),
        ([nn.Quantiser(4), nn.Dense(4, 4, neuron=nn.Relu())], "no codes"),
        ([nn.Quantiser(4), nn.Gru(4, 4)], "has a Gru"),
    ],
)
def test_other_networks_are_refused(layers, said):
    with pytest.raises(PimsimError, match=said):
        nn.share_gain(torch.nn.Sequential(*layers), GAIN)
