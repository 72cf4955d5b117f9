from __future__ import annotations

import numpy as np
import pytest
from files import bundled_chip
from networks import grid, random_gru, random_lenet

from pimsim.circuits.digital_mac import encode_fixed, score_fixed
from pimsim.circuits.sense_amplifier import offset_sigma, sampled_noise
from pimsim.errors import MappingError
from pimsim.workload import DenseEncoder, Output
from pimsim.workload.exact import encode


def test_ktc_noise_of_two_femtofarads():
    # Ma et al., section 4: 2 mV; and 0.1 units of pre-activation at 20 mV per unit
    sigma = sampled_noise(2e-15, 300.0, 1.0)
    assert sigma * 1e3 == pytest.approx(2.03, abs=0.01)
    assert sigma / 20e-3 == pytest.approx(0.10, abs=0.005)


@pytest.mark.parametrize(
    ("capacitance", "temperature", "excess", "millivolts"),
    [(1e-15, 300, 1, 2.88), (10e-15, 300, 1, 0.91), (2e-15, 358, 1, 2.03 * 1.092),
     (2e-15, 300, 4, 2 * 2.035)],
)  # fmt: skip
def test_ktc_noise_by_the_table(capacitance, temperature, excess, millivolts):
    assert sampled_noise(capacitance, temperature, excess) * 1e3 == pytest.approx(
        millivolts, abs=0.01
    )


def test_offset_cancelling_can_be_switched_off():
    amplifier = bundled_chip().read_out
    raw = amplifier.model_copy(update={"offset_cancelling": False})
    assert offset_sigma(amplifier) == amplifier.residual_offset
    assert offset_sigma(raw) == amplifier.raw_offset


@pytest.mark.parametrize("network", [random_gru(seed=2), random_lenet(seed=2)])
def test_a_wide_fixed_point_unit_equals_the_exact_encoder(network):
    unit = bundled_chip().input_encoder.model_copy(
        update={"input_bits": 16, "input_range": 32.0, "weight_bits": 24}  # the grids themselves
    )
    rng = np.random.default_rng(0)
    shape = (30, 3, 40) if network.has_steps else (4, 28, 28, 1)
    inputs = np.round(rng.normal(size=shape) * 2**10) / 2**10
    assert np.array_equal(
        encode_fixed(network.encoder, unit, inputs), encode(network.encoder, inputs)
    )


def test_fewer_bits_change_more_of_the_encoder():
    network = random_gru(seed=4, bits=64)
    inputs = np.round(np.random.default_rng(1).normal(size=(200, 4, 40)) * 2**10) / 2**10
    exact = encode(network.encoder, inputs)
    unit = bundled_chip().input_encoder.model_copy(update={"input_bits": 13, "input_range": 16.0})
    wrong = [
        (encode_fixed(network.encoder, unit.model_copy(update={"weight_bits": b}), inputs) != exact)
        .mean()
        for b in (4, 6, 8, 12)
    ]  # fmt: skip
    assert wrong[0] > wrong[1] > wrong[2] > wrong[3]
    assert wrong[3] < 1e-3


def test_sums_that_could_not_be_exact_are_refused():
    unit = bundled_chip().input_encoder.model_copy(update={"input_bits": 24, "weight_bits": 24})
    encoder = DenseEncoder(grid(np.ones((784, 2))), grid(np.zeros(2)))
    with pytest.raises(MappingError, match="sums of 784 products take 58 bits; at most 53"):
        encode_fixed(encoder, unit, np.zeros((1, 1, 784)))


def test_inputs_beyond_the_range_saturate():
    unit = bundled_chip().input_encoder.model_copy(update={"input_range": 4.0})
    encoder = DenseEncoder(grid(np.array([[1.0], [0.0]])), grid(np.array([unit.input_range])))
    inputs = np.array([[[31.0, 0.0]]])
    assert encode(encoder, inputs) == 1
    assert encode_fixed(encoder, unit, inputs) == 0


def test_scores_within_rounding():
    rng = np.random.default_rng(3)
    output = Output(grid(rng.normal(size=(50, 10))), grid(rng.normal(size=10)))
    bits = rng.integers(0, 2, (20, 50)).astype(np.uint8)
    exact = output.scores(bits)
    largest = np.abs(output.weights).max()
    step = 2.0 ** (np.floor(np.log2(largest)) + 1 - 7)
    fixed = score_fixed(output, bundled_chip().output_unit, bits)
    assert np.abs(fixed - exact).max() <= (50 + 1) * step / 2
