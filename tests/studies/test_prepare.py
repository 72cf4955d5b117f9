"""Networks of bits with thresholds on chips with ADCs: their bits are decided from numbers."""

from __future__ import annotations

import numpy as np
import pytest
from files import write_model
from networks import random_gru, random_lenet

from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.prepare import prepare
from pimsim.workload import run_reference
from pimsim.workload.formats import with_bit_formats

OPTIONS = {"chip": "adc_pim_16nm", "device": "ideal"}


@pytest.mark.parametrize("kind", ["gru", "lenet"])
def test_thresholds_on_a_chip_with_adcs(tmp_path, kind):
    make = {"gru": random_gru, "lenet": random_lenet}[kind]
    network = make(thresholds=9)
    codes = (f"networks.codes={kind}.safetensors",)
    prepared = prepare(write_model(tmp_path, kind, network), OPTIONS, codes)
    assert prepared.network.has_formats
    assert prepared.network.is_of_bits
    chip = prepared.chip(prepared.setup.noise.ideal())
    features = prepared.data.features
    exact = run_reference(network, features)
    found = run_chips(chip, encode_inputs(chip, features), [0], 1, keep_bits=True)
    for name, bits in exact.signals.items():
        assert np.array_equal(found.bits[name][0], bits), name
    assert np.array_equal(found.predictions[0], exact.predictions)


def test_formats_change_no_bit():
    network = random_lenet(thresholds=5)
    features = np.random.default_rng(0).integers(0, 256, (9, 28, 28)).astype(np.uint8)
    one, other = (
        run_reference(network, features),
        run_reference(with_bit_formats(network), features),
    )
    for name, bits in one.signals.items():
        assert np.array_equal(other.signals[name], bits), name
    assert np.array_equal(one.scores, other.scores)


def test_a_network_without_thresholds_stays_as_it_is(tmp_path):
    codes = ("networks.codes=gru.safetensors",)
    prepared = prepare(write_model(tmp_path, "gru", random_gru()), OPTIONS, codes)
    assert not prepared.network.has_formats


@pytest.mark.parametrize("kind", ["gru", "lenet"])
def test_a_first_layer_in_an_array_is_the_rounded_encoder(tmp_path, kind):
    """Codes by plain arithmetic: inputs of 8 bits, weights of 255 levels, sigmoids rounded."""
    network = {"gru": random_gru, "lenet": random_lenet}[kind]()
    assignments = (f"networks.codes={kind}.safetensors", "chip.first_layer=array")
    prepared = prepare(write_model(tmp_path, kind, network), OPTIONS, assignments)
    encoder, features = network.encoder, prepared.data.features
    inputs = network.input.numbers(features)
    low, high = network.input.ends(8, prepared.setup.chip.input_encoder.input_range)
    step = (high - low) / 255
    rounded = low + step * np.clip(np.floor((inputs - low) / step + 0.5), 0, 255)
    largest = np.abs(encoder.columns).max()
    weights = np.round(encoder.columns / largest * 127) * largest / 127
    values = encoder.rows(rounded) @ weights - encoder.thresholds
    expected = np.floor(255 / (1 + np.exp(-values)) + 0.5)
    exact = run_reference(prepared.network, features)
    assert (exact.signals["first"] != expected).mean() < 1e-4
    chip = prepared.chip(prepared.setup.noise.ideal())
    found = run_chips(chip, encode_inputs(chip, features), [0], 1, keep_bits=True)
    for name, codes in exact.signals.items():
        assert np.array_equal(found.bits[name][0], codes), name
