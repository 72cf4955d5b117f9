"""Networks on text: symbols as input, scores at every step, bits per character."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from networks import grid, random_gru, random_lenet
from safetensors import safe_open
from text_networks import SYMBOLS, text_bits, text_codes

from pimsim.errors import DataError, PimsimError
from pimsim.workload import (
    METRICS,
    DenseEncoder,
    OneHotEncoder,
    Output,
    TextInput,
    read_network,
    run_reference,
)
from pimsim.workload.first_layer import with_first_layer_in_arrays
from pimsim.workload.metrics import ACCURACY, BITS_PER_CHARACTER
from pimsim.workload.storage import network_bytes


def symbols(n: int = 3, n_steps: int = 9) -> np.ndarray:
    return np.random.default_rng(0).integers(0, SYMBOLS, (n, n_steps)).astype(np.uint8)


def test_one_line_is_driven_at_each_step():
    network, features = text_codes(), symbols()
    numbers = network.input.numbers(features)
    assert numbers.shape == (3, 9, SYMBOLS)
    assert (numbers.argmax(axis=-1) == features).all()
    assert (numbers.sum(axis=-1) == 1).all()
    codes = network.encoder.codes(numbers)
    # at full scale: the largest code, whatever its bits
    assert (codes == 15 * numbers).all()
    assert (OneHotEncoder().codes(numbers, 255) == 255 * numbers).all()
    assert (text_bits().encoder.codes(numbers) == numbers).all()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.full((2, 3), SYMBOLS, np.uint8), "knows the symbols 0 to 77, and the data have 78"),
        (np.zeros((2, 3, 1), np.uint8), "takes texts"),
        (np.zeros((2, 3), np.float32), "takes texts"),
    ],
)
def test_other_data_are_refused(features, message):
    with pytest.raises(DataError, match=message):
        TextInput(SYMBOLS).numbers(features)


@pytest.mark.parametrize("make", [text_bits, text_codes])
def test_files_hold_them(make, tmp_path):
    network = make()
    again = read_network(network.save(tmp_path / "text.safetensors"))
    assert again.input == network.input
    assert again.encoder == network.encoder
    output = again.output
    assert (output.every_step, output.metric, output.scale) == (True, "bits_per_character", 0.25)
    features = symbols()
    assert (run_reference(again, features).scores == run_reference(network, features).scores).all()


def test_files_of_other_networks_stay_as_they_were(tmp_path):
    path = random_gru().save(tmp_path / "gru.safetensors")
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["pimsim"])
    assert "output" not in header
    assert network_bytes(read_network(path)) == path.read_bytes()


def test_scores_of_every_step_are_those_of_sequences_that_end_there():
    network, features = text_codes(), symbols()
    run = run_reference(network, features)
    assert run.scores.shape == (3, 9, SYMBOLS)
    assert (run.predictions == run.scores.argmax(axis=-1)).all()
    last = dataclasses.replace(
        network, output=dataclasses.replace(network.output, every_step=False)
    )
    for n_steps in (1, 4, 9):
        ended = run_reference(last, features[:, :n_steps])
        assert (ended.scores == run.scores[:, n_steps - 1]).all()


def test_bits_per_character_are_those_of_softmax():
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(4, 7, 5)) * 3, rng.integers(0, 5, (4, 3))
    shares = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    own = np.take_along_axis(shares[:, -3:], labels[..., None], axis=-1)[..., 0]
    found = BITS_PER_CHARACTER.of_scores(scores, labels)
    # each value is rounded to 2^-20 bits
    assert np.abs(found + np.log2(own).mean(axis=1)).max() < 2.0**-20
    # whatever is added to all scores
    assert (BITS_PER_CHARACTER.of_scores(scores + 1024, labels) == found).all()
    even = BITS_PER_CHARACTER.of_scores(np.zeros((2, 3, 8)), np.zeros((2, 2), int))
    assert (even == 3).all()


def test_accuracy_of_steps_is_the_share_of_right_symbols():
    scores = np.eye(4)[[[0, 1, 2, 3], [3, 3, 3, 3]]]
    labels = np.array([[2, 3], [3, 0]])
    assert ACCURACY.of_scores(scores, labels).tolist() == [1.0, 0.5]
    predictions = scores.argmax(axis=-1).reshape(1, -1)
    assert ACCURACY.of_predictions(predictions, None, labels).tolist() == [[1.0, 0.5]]


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_metrics_say_what_is_better(metric):
    good, bad = (0.9, 0.1) if metric.is_more_better else (0.1, 0.9)
    assert metric.best([bad, good]) == good
    assert metric.reached(np.array([good, bad]), 0.5).tolist() == [True, False]
    assert metric.text(None) == "-"


def test_values_are_shown_in_their_unit():
    assert ACCURACY.text(0.9312) == "93.12 %"
    assert ACCURACY.short_text(0.9) == "90 %"
    assert ACCURACY.signed(-0.01) == "-1.00"
    assert BITS_PER_CHARACTER.text(2.0413) == "2.0413 bits"
    assert BITS_PER_CHARACTER.clipped((-0.1, 7.0)) == (0.0, 7.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metric": "bits_per_character", "scale": None}, "needs a scale"),
        ({"metric": "perplexity"}, "known are accuracy, bits_per_character"),
        ({"scale": -1.0}, "scale is -1"),
    ],
)
def test_outputs_that_mean_nothing_are_refused(change, message):
    with pytest.raises(PimsimError, match=message):
        dataclasses.replace(text_bits().output, **change)


def test_scores_of_every_step_need_steps():
    network = random_gru()
    every = Output(network.output.weights, network.output.biases, every_step=True)
    assert dataclasses.replace(network, output=every).n_predictions(49) == 49
    image = random_lenet()
    every = Output(image.output.weights, image.output.biases, every_step=True)
    with pytest.raises(PimsimError, match="output layer scores every time step"):
        dataclasses.replace(image, output=every)


@pytest.mark.parametrize("bits", [0, 9])
def test_codes_have_one_to_eight_bits(bits):
    with pytest.raises(PimsimError, match="they have 1 to 8"):
        OneHotEncoder(bits)


def test_scores_keep_their_scale_where_the_first_layer_goes_into_arrays():
    network, rng = text_bits(), np.random.default_rng(3)
    dense = DenseEncoder(grid(rng.normal(size=(SYMBOLS, SYMBOLS))), grid(np.zeros(SYMBOLS)))
    network = dataclasses.replace(network, encoder=dense)
    moved = with_first_layer_in_arrays(network, 4, 4.0)
    assert moved.output.every_step
    assert moved.metric is BITS_PER_CHARACTER
    codes = rng.integers(0, 16, (5, network.output.weights.shape[0]))
    own = network.output.trained(network.output.scores(codes, 15), 15)
    assert np.abs(moved.output.trained(moved.output.scores(codes)) - own).max() < 1e-5
