"""Thermometer bits: what a bit means, where limits are put, and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from networks import random_features, thermometer_gru, thermometer_lenet
from test_storage import rewrite

from pimsim.errors import DataError, PimsimError
from pimsim.workload import (
    ThermometerEncoder,
    limits_of,
    read_network,
    run_quantized,
    run_reference,
    run_smooth,
    write_network,
)
from pimsim.workload.formats import with_bit_formats
from pimsim.workload.neurons import Activation
from pimsim.workload.signals import Shape


def encoder(limits, channel) -> ThermometerEncoder:
    return ThermometerEncoder(np.array(limits, np.float32), np.array(channel, np.int32))


def test_a_bit_is_one_above_its_limit_and_zero_at_it():
    own = encoder([-1.0, 0.5, 0.5, 2.0], [0, 0, 2, 2])
    step = 2.0**-10
    inputs = np.array([[-1.0, 9, 0.5], [-1 + step, 9, 0.5 + step], [31, -31, 2.0]])
    assert own.bits(inputs).tolist() == [[0, 0, 0, 0], [1, 0, 1, 0], [1, 1, 1, 0]]
    assert own.codes(inputs, 255).max() == 255
    assert (own.n_bits, own.n_channels) == (4, 2)
    assert own.description == "thermometer, 4 bits of 2 channels, 2 of each"


def test_places_and_steps_stay_and_channels_become_bits():
    own = encoder([0, 1, 2], [0, 1, 1])
    assert own.shape(Shape(2, (5, 4))) == Shape(3, (5, 4))
    assert own.shape(Shape(2, (), has_steps=True)) == Shape(3, (), has_steps=True)
    assert own.bits(np.zeros((7, 5, 4, 2))).shape == (7, 5, 4, 3)
    with pytest.raises(PimsimError, match="looks at channel 1, and inputs have 1, from 0 on"):
        own.shape(Shape(1))


@pytest.mark.parametrize(
    ("limits", "channel", "message"),
    [
        (np.zeros((2, 2), np.float32), np.zeros(2, np.int32), "limits must be 1-D float32"),
        (np.zeros(2), np.zeros(2, np.int32), "not 1-D float64"),
        (np.zeros(0, np.float32), np.zeros(0, np.int32), "has 0 bits; it has 1 to"),
        (np.zeros(2, np.float32), np.zeros(3, np.int32), r"channel must be int32 of shape \(2,\)"),
        (np.zeros(2, np.float32), np.zeros(2, np.int64), "not int64"),
        (np.full(1, 0.3, np.float32), np.zeros(1, np.int32), "multiples of 2.-10 below 32"),
        (np.full(1, 32, np.float32), np.zeros(1, np.int32), "multiples of 2.-10 below 32"),
        (np.full(1, np.nan, np.float32), np.zeros(1, np.int32), "multiples of 2.-10 below 32"),
        (np.zeros(2, np.float32), np.array([1, 0], np.int32), "0 or more, and ascend"),
        (np.zeros(1, np.float32), np.array([-1], np.int32), "0 or more, and ascend"),
    ],
)
def test_wrong_thermometers_are_refused(limits, channel, message):
    with pytest.raises(PimsimError, match=message):
        ThermometerEncoder(limits, channel)


def test_quantiles_divide_values_equally_and_even_limits_the_range():
    values = np.stack([np.arange(100.0) / 4, np.full(100, -3.0)], axis=-1).reshape(10, 10, 2)
    limits, channel = limits_of(values, (3, 1))
    assert channel.tolist() == [0, 0, 0, 1]
    # quarters of 0, 0.25, ... 24.75, on the grid of 1/32
    assert limits.tolist() == [6.1875, 12.375, 18.5625, -3.0]
    assert limits_of(values, (2, 0), "even")[0].tolist() == [8.25, 16.5]
    assert limits_of(values, 1, grid=1.0)[0].tolist() == [12.0, -3.0]
    ThermometerEncoder(limits, channel)
    shares = ThermometerEncoder(limits, channel).bits(values)[..., :3].mean(axis=(0, 1))
    assert np.allclose(shares, [0.75, 0.5, 0.25], atol=0.011)


@pytest.mark.parametrize("counts", [(1, 2, 3), (-1, 2), 0, (0, 0)])
def test_counts_that_do_not_fit_are_refused(counts):
    with pytest.raises(PimsimError, match="bits of channels are .* inputs have 2 channels"):
        limits_of(np.zeros((5, 2)), counts)
    with pytest.raises(PimsimError, match="spacing is 'odd'; quantile or even"):
        limits_of(np.zeros((5, 2)), 1, "odd")
    with pytest.raises(PimsimError, match="grid is 0.3; it is a multiple of"):
        limits_of(np.zeros((5, 2)), 1, grid=0.3)
    with pytest.raises(PimsimError, match="limits need finite values"):
        limits_of(np.full((5, 2), np.inf), 1)


@pytest.mark.parametrize("network", [thermometer_gru(), thermometer_lenet()], ids=["gru", "lenet"])
def test_the_first_matrix_reads_the_bits(network):
    features = random_features(network, 6)
    run = run_reference(network, features)
    inputs, own = network.input.numbers(features), network.encoder
    above = np.stack([inputs[..., c] > t for t, c in zip(own.limits, own.channel, strict=True)], -1)
    assert np.array_equal(run.bits["encoder"], above)
    assert 0.1 < run.bits["encoder"].mean() < 0.9
    # of the sums of the first node, one by hand
    levels = network.matrices()[0][1].levels.astype(np.int64)
    if network.has_steps:
        rows = above
    else:
        rows = above[:, 3:8, 2:7].reshape(6, -1)
        expected = run.bits["conv2d0"][:, 3, 2]
    sums = rows @ levels
    expected = run.bits["dense0"] if network.has_steps else expected
    assert np.array_equal(expected, sums > 0)
    assert network.is_of_bits
    assert not network.has_formats


def test_other_machines_take_the_same_bits():
    network, activation = thermometer_gru(), Activation(4)
    features = random_features(network, 3)
    bits = run_reference(network, features).bits["encoder"]
    codes = run_quantized(network, features, activation).codes["encoder"]
    assert np.array_equal(codes, 15 * bits)
    assert np.array_equal(run_smooth(network, features).signals["encoder"], bits)
    formats = with_bit_formats(network)
    assert formats.shapes["encoder"].codes.bits == 1
    assert formats.is_of_bits
    left, right = run_reference(formats, features), run_reference(network, features)
    assert all(np.array_equal(left.bits[name], right.bits[name]) for name in right.bits)


def test_it_comes_back_from_its_file_and_bad_files_are_refused(tmp_path):
    network = thermometer_gru(counts=tuple(range(40)))
    path = write_network(network, tmp_path / "n.safetensors")
    read = read_network(path)
    assert np.array_equal(read.encoder.limits, network.encoder.limits)
    assert np.array_equal(read.encoder.channel, network.encoder.channel)
    assert read.encoder.channel.dtype == np.int32
    assert read.encoder.description.endswith("780 bits of 39 channels, 1 to 39 of each")

    def refused(change, message):
        write_network(network, path)
        rewrite(path, change)
        with pytest.raises(DataError, match=message) as caught:
            read_network(path)
        assert str(caught.value).startswith(str(path))

    refused(lambda h, t: t.pop("encoder.limits"), "lacks the entry 'encoder.limits'")
    refused(lambda h, t: t.pop("encoder.channel"), "lacks the entry 'encoder.channel'")
    refused(lambda h, t: t.update({"encoder.channel": t["encoder.channel"] + 1}),
            "looks at channel 40, and inputs have 40")  # fmt: skip
    refused(lambda h, t: t.update({"encoder.channel": t["encoder.channel"].astype("i8")}),
            "not int64 of shape")  # fmt: skip
    refused(lambda h, t: h["encoder"].update(zero=1), "the key 'encoder.zero'")
    refused(lambda h, t: h["encoder"].update(kind="thermo"), "the unknown encoder kind 'thermo'")


def test_bits_that_do_not_fit_the_first_matrix_are_refused():
    network = thermometer_gru()
    with pytest.raises(PimsimError, match="dense0 has 120 rows and gets 4 bits"):
        dataclasses.replace(network, encoder=encoder([0] * 4, [0] * 4))
