"""Folding: comparators of registers, and first matrices of bands, decide as before."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from networks import random_features, random_gru, thermometer_gru

from pimsim.errors import PimsimError
from pimsim.workload import INPUT_GRID, Running, SpeechInput, ThermometerEncoder, speech_inputs
from pimsim.workload.fold import register_limits, without_transform
from pimsim.workload.inputs import band_means

RUNNING = Running(130.0, 0.0625, 6)


def some_clips() -> np.ndarray:
    return np.random.default_rng(6).integers(0, 256, (8, 98, 40)).astype(np.uint8)


def test_comparators_of_registers_decide_as_those_of_standardised_bands():
    rng = np.random.default_rng(1)
    scaling = SpeechInput(
        rng.uniform(60, 120, 40).astype(np.float32),
        rng.uniform(15, 60, 40).astype(np.float32),
        level=150.0,
        running=RUNNING,
        transform="none",
    )
    clips = some_clips()
    inputs = speech_inputs(clips, scaling)
    # some limits that an input meets exactly, and some beyond any input
    channel = np.repeat(np.arange(40, dtype=np.int32), 3)
    limits = inputs[0, :120].reshape(-1)[:120].astype(np.float32)
    limits = np.where(np.arange(120) % 3 == 0, inputs[3, 7, channel], limits).astype(np.float32)
    limits[[1, 4]] = -31, 31
    encoder = ThermometerEncoder(limits, channel)
    registers = RUNNING.normalised(clips.astype(float), band_means(scaling)) * 2**8
    assert np.array_equal(registers, np.round(registers))
    found = registers[..., channel] >= register_limits(scaling, encoder)
    assert np.array_equal(found, encoder.bits(inputs))
    assert 0.1 < found.mean() < 0.9


def test_limits_of_registers_need_bands_and_running_means():
    network = thermometer_gru()
    with pytest.raises(PimsimError, match="need a running normalisation, and bands"):
        register_limits(network.input, network.encoder)


@pytest.mark.parametrize(
    ("level", "running"), [(None, None), (150.0, None), (150.0, RUNNING)], ids=str
)
def test_a_first_matrix_of_bands_decides_as_one_of_coefficients(level, running):
    network = random_gru(hidden=40)
    clips = random_features(network, 10)
    rng = np.random.default_rng(3)
    scaling = dataclasses.replace(
        network.input,
        mean=(rng.normal(0, 20, 40) + 600 * (np.arange(40) == 0)).astype(np.float32),
        deviation=rng.uniform(20, 100, 40).astype(np.float32),
        level=level,
        running=running,
    )
    network = dataclasses.replace(network, input=scaling)
    folded = without_transform(network)
    assert not folded.input.has_transform
    before = network.encoder.preactivations(network.input.numbers(clips))
    after = folded.encoder.preactivations(folded.input.numbers(clips))
    assert np.abs(after - before).max() < 40 * INPUT_GRID
    assert ((after > 0) == (before > 0)).mean() > 0.998
    assert np.abs(before).mean() > 1


def test_only_what_has_a_transform_is_folded():
    with pytest.raises(PimsimError, match="only inputs of cepstral coefficients"):
        without_transform(without_transform(random_gru()))
    with pytest.raises(PimsimError, match="into a dense encoder alone"):
        without_transform(thermometer_gru())
