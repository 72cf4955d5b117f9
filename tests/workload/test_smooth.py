"""The network of sigmoids against scalar arithmetic."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from networks import random_features, random_gru, random_lenet

from pimsim.errors import PimsimError
from pimsim.workload import chain, gaussian, read_network, run_smooth, write_network


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def scalar_gru(network, features, tau):
    """Scores of one clip, and the means of Pg and Pc by numerical derivatives of the new state."""
    below = network.input.numbers(features[None])[0]
    encoder = network.encoder
    below = [
        [sigmoid((x @ encoder.weights[:, j] - encoder.thresholds[j]) / tau)
         for j in range(encoder.weights.shape[1])]
        for x in below
    ]  # fmt: skip
    penalties = []
    for layer in network.layers:
        gate_w, candidate_w = layer.gate.real_weights, layer.candidate.real_weights
        state, states, gates, candidates = [0.0] * layer.n_hidden, [], [], []
        for x in below:
            rows = np.array([*state, *x])
            new = []
            for unit in range(layer.n_hidden):
                a, b = float(rows @ gate_w[:, unit]), float(rows @ candidate_w[:, unit])

                def h(a, b, old=state[unit]):
                    gate = sigmoid(a / tau)
                    return gate * old + (1 - gate) * sigmoid(b / tau)

                d = 1e-5
                gates.append(((h(a + d, b) - h(a - d, b)) / (2 * d)) ** 2)
                candidates.append(((h(a, b + d) - h(a, b - d)) / (2 * d)) ** 2)
                new.append(h(a, b))
            state = new
            states.append(state)
        penalties.append((np.mean(gates), np.mean(candidates)))
        below = states
    return np.array(below[-1]) @ network.output.weights + network.output.biases, penalties


@pytest.mark.parametrize("tau", [1.0, 0.3])
def test_scores_and_penalties_are_those_of_scalar_arithmetic(tau):
    network = random_gru(hidden=4, bits=3)
    features = random_features(network, 2)
    found = run_smooth(network, features, tau)
    expected = [scalar_gru(network, clip, tau) for clip in features]
    np.testing.assert_allclose(found.scores, [scores for scores, _ in expected], atol=1e-4)
    for index, layer in enumerate(("gru0", "gru1")):
        mean = np.mean([penalties[index] for _, penalties in expected], axis=0)
        np.testing.assert_allclose(found.penalty[layer], mean, rtol=2e-3)


def test_full_precision_weights_take_the_place_of_levels(tmp_path):
    network = random_gru(hidden=4, bits=3)
    layer = network.layers[0]
    weights = np.random.default_rng(1).normal(size=layer.gate.levels.shape).astype(np.float32)
    gate = dataclasses.replace(layer.gate, weights=weights)
    layers = (dataclasses.replace(layer, gate=gate), *network.layers[1:])
    changed = dataclasses.replace(network, nodes=chain(layers))
    write_network(changed, tmp_path / "float.safetensors")
    again = read_network(tmp_path / "float.safetensors")
    np.testing.assert_array_equal(again.layers[0].gate.real_weights, weights)
    assert again.layers[0].candidate.weights is None
    features = random_features(network, 3)
    scores = [run_smooth(x, features).scores for x in (network, changed, again)]
    assert np.array_equal(scores[1], scores[2])
    assert not np.allclose(scores[0], scores[1])
    with pytest.raises(PimsimError, match="weights must be finite numbers of shape"):
        dataclasses.replace(layer.gate, weights=weights[:1])


def test_noise_is_a_pure_function_of_seed_and_counter():
    network = random_lenet()
    features = random_features(network, 5)
    quiet = run_smooth(network, features).scores
    noisy = [
        run_smooth(network, features, noise=gaussian(0.5, *key)).scores
        for key in ((1, 0), (1, 0), (1, 1), (2, 0))
    ]
    assert np.array_equal(noisy[0], noisy[1])
    assert not np.allclose(noisy[0], noisy[2])
    assert not np.allclose(noisy[0], noisy[3])
    assert not np.allclose(noisy[0], quiet)
    assert gaussian(0.0, 1) is None
    draws = gaussian(2.0, 3, 4)((200, 200))
    assert float(draws.std()) == pytest.approx(2.0, rel=0.02)
