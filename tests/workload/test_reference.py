from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.fft
from networks import grid, random_features, random_gru, random_lenet, random_matrix

from pimsim.errors import DataError
from pimsim.workload import DenseEncoder, mfcc, run_reference, speech_inputs
from pimsim.workload.exact import BitMachine, encode
from pimsim.workload.inputs import cosine_transform
from pimsim.workload.neurons import decide
from pimsim.workload.patches import patches, pool


def test_gate_bit_of_one_keeps_the_old_hidden_bit():
    network = random_gru(seed=3)
    bits = run_reference(network, random_features(network, 6)).bits
    for layer in ("gru0", "gru1"):
        gate, candidate, hidden = (bits[f"{layer}.{k}"] for k in ("gate", "candidate", "hidden"))
        old = np.concatenate([np.zeros_like(hidden[:, :1]), hidden[:, :-1]], axis=1)
        assert np.array_equal(hidden, np.where(gate == 1, old, candidate))
        assert 0 < gate.mean() < 1


def test_rows_are_the_old_state_first():
    # one hidden unit that copies its own old state or, by its row, the input
    rng = np.random.default_rng(0)
    network = random_gru(seed=1, hidden=3, bits=2)
    layer = network.layers[0]
    below = rng.integers(0, 2, (1, 1, 2)).astype(np.uint8)
    rows = np.concatenate([np.zeros((1, 3), np.uint8), below[:, 0]], axis=1)
    hidden, out = BitMachine(network).run(network.nodes[0], [below])
    assert np.array_equal(out["gru0.gate"][:, 0], decide(layer.gate, rows))
    assert np.array_equal(hidden[:, 0], decide(layer.candidate, rows) & ~out["gru0.gate"][:, 0] & 1)


def test_a_sum_at_the_threshold_gives_zero():
    matrix = random_matrix(np.random.default_rng(0), 6, 5, thresholds=3)
    bits = np.eye(6, dtype=np.uint8)
    sums = matrix.levels.astype(int)
    assert np.array_equal(decide(matrix, bits), (sums > matrix.thresholds).astype(np.uint8))
    assert (sums == matrix.thresholds).any()


def test_encoder_sums_are_exact_in_any_order():
    rng = np.random.default_rng(5)
    network = random_gru(seed=5)
    inputs = network.input.numbers(random_features(network, 20))
    weights = network.encoder.weights.astype(np.float64)
    order = rng.permutation(40)
    assert np.array_equal(inputs @ weights, inputs[..., order] @ weights[order])
    # a threshold that a sum meets exactly stays a strict comparison
    edge = DenseEncoder(grid(np.ones((40, 1))), grid(inputs[0, 0].sum().reshape(1) * 0 + 1.5))
    level = np.zeros((1, 1, 40))
    level[0, 0, 0] = 1.5
    assert encode(edge, level)[0, 0, 0] == 0


def test_a_normalised_clip_is_the_same_by_any_microphone():
    rng = np.random.default_rng(6)
    clips = rng.integers(60, 160, (5, 98, 40)).astype(np.uint8)
    colour = rng.integers(-60, 90, (5, 1, 40))  # of a gain in decibels, too
    scaling = dataclasses.replace(random_gru().input, level=150.0)
    found = speech_inputs(clips, scaling)
    assert np.array_equal(speech_inputs((clips + colour).astype(np.uint8), scaling), found)
    assert np.array_equal(speech_inputs(clips[3:4], scaling)[0], found[3])
    unscaled = found * scaling.deviation + scaling.mean
    step = 200.0 * 2**-10
    np.testing.assert_allclose(unscaled[:, :, 0].max(axis=1), 150.0 * np.sqrt(40), atol=step)
    np.testing.assert_allclose(unscaled[:, :, 1:].mean(axis=1), 1.0, atol=step)
    plain = speech_inputs(clips, random_gru().input)
    moved = found - plain
    np.testing.assert_allclose(moved, moved[:, :1].repeat(moved.shape[1], axis=1), atol=2**-9)


def test_mfcc_is_an_orthonormal_transform_of_averaged_frames():
    logmel = np.random.default_rng(0).integers(0, 256, (2, 9, 40), dtype=np.uint8)
    coefficients = mfcc(logmel, 2)
    assert coefficients.shape == (2, 4, 40)
    averaged = logmel[:, :8].reshape(2, 4, 2, 40).mean(axis=2)
    expected = scipy.fft.dct(averaged, type=2, norm="ortho", axis=2)
    assert np.abs(coefficients - expected).max() < 40 * 256 * 2.0**-25
    # exact sums: a clip alone gives the same numbers, in any order of its bands
    assert np.array_equal(mfcc(logmel[1:], 2)[0], coefficients[1])
    order = np.random.default_rng(1).permutation(40)
    assert np.array_equal(averaged[..., order] @ cosine_transform(40)[order], coefficients)


def test_patches_and_pool_by_hand():
    maps = np.arange(2 * 4 * 4 * 3).reshape(2, 4, 4, 3) % 2
    cut = patches(maps, 3, stride=1, padding=1)
    assert cut.shape == (2, 4, 4, 27)
    assert np.array_equal(cut[1, 2, 1].reshape(3, 3, 3), maps[1, 1:4, 0:3])
    assert (cut[:, 0, 0].reshape(2, 3, 3, 3)[:, 0] == 0).all()
    bits = np.zeros((1, 4, 4, 1), np.uint8)
    bits[0, 1, 2] = 1
    assert pool(bits, 2, 2)[0, ..., 0].tolist() == [[0, 1], [0, 0]]


def test_features_of_another_shape_are_refused():
    network = random_gru()
    with pytest.raises(DataError, match="expects 40 mel bands and the data have 32"):
        network.input.numbers(np.zeros((1, 98, 32), np.uint8))
    with pytest.raises(DataError, match="must be a 3-D uint8 array, not 3-D float64"):
        network.input.numbers(np.zeros((1, 98, 40)))


def test_lenet_shapes():
    network = random_lenet()
    run = run_reference(network, random_features(network, 3))
    assert {name: bits.shape[1:] for name, bits in run.bits.items()} == {
        "encoder": (24, 24, 4), "maxpool0": (12, 12, 4), "conv2d1": (8, 8, 6),
        "maxpool2": (4, 4, 6), "dense3": (20,), "dense4": (14,),
    }  # fmt: skip
    assert run.scores.shape == (3, 10)
