"""Tensors as inputs: numbers of any shape on the grid of inputs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from networks import random_gru, random_mlp, random_tensor, tensor_features
from safetensors.numpy import load_file, save_file

from pimsim.errors import DataError, PimsimError
from pimsim.workload import (
    INPUT_GRID,
    INPUT_LIMIT,
    TensorInput,
    read_network,
    run_reference,
    write_network,
)
from pimsim.workload.signals import Shape

SHAPES = {
    "vector": ((9,), False),
    "sequence": ((12, 3), False),
    "image": ((8, 7, 3), False),
    "steps": ((5,), True),
}


def plain(width: int = 3, **changes) -> dict:
    ones = np.ones(width, np.float32)
    return {"sizes": (4, width), "offset": ones, "scale": ones} | changes


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_numbers_are_those_of_the_formula(name, dtype):
    network = random_tensor(*SHAPES[name])
    features = tensor_features(network, 5)
    if dtype == np.uint8:
        features = np.abs(10 * features).astype(np.uint8)
    found, kind = network.input.numbers(features), network.input
    for index in np.ndindex(features.shape):
        x, channel = float(features[index]), index[-1]
        value = (x - float(kind.offset[channel])) * float(kind.scale[channel])
        value = min(max(value, INPUT_GRID - INPUT_LIMIT), INPUT_LIMIT - INPUT_GRID)
        assert found[index] == pytest.approx(value, abs=INPUT_GRID / 2)
    assert np.array_equal(found / INPUT_GRID, np.rint(found / INPUT_GRID))
    assert found.shape == features.shape


@pytest.mark.parametrize(
    ("name", "shape", "text"),
    [
        ("vector", Shape(9), "9 bits"),
        ("sequence", Shape(3, (12,)), "sequences of 12 places with 3 channels"),
        ("image", Shape(3, (8, 7)), "8 x 7 maps of 3 channels"),
        ("steps", Shape(5, (), True), "time steps of 5 bits"),
    ],
)
def test_the_shape_of_the_signal_follows(name, shape, text):
    network = random_tensor(*SHAPES[name])
    assert network.input.shape == shape
    assert str(shape) == text
    assert network.input.n_steps((7, 6, 5)) == (6 if name == "steps" else 1)


@pytest.mark.parametrize("name", SHAPES)
def test_a_network_comes_back_as_it_was(tmp_path, name):
    written = random_tensor(*SHAPES[name])
    read = read_network(write_network(written, tmp_path / "n.safetensors"))
    assert read.input.sizes == written.input.sizes
    assert read.input.description == written.input.description
    features = tensor_features(written, 6)
    left, right = run_reference(read, features), run_reference(written, features)
    assert all(np.array_equal(left.bits[key], right.bits[key]) for key in right.bits)
    assert left.bits.keys() == right.bits.keys()


def test_the_axis_of_one_channel_may_be_left_out():
    network = random_tensor((6, 5, 1))
    features = tensor_features(network, 3)
    assert np.array_equal(network.input.numbers(features), network.input.numbers(features[..., 0]))
    with pytest.raises(DataError, match="takes 6 x 5 x 1 numbers"):
        network.input.numbers(features.reshape(3, 5, 6))


@pytest.mark.parametrize(
    ("name", "features", "message"),
    [
        ("vector", np.zeros((2, 8), np.float32), r"takes 9 numbers .* the data have 8 \(float32\)"),
        ("vector", np.zeros((2, 9)), r"the data have 9 \(float64\)"),
        ("sequence", np.zeros((2, 3, 12), np.uint8), r"takes 12 x 3 .* have 3 x 12 \(uint8\)"),
        ("image", np.zeros((2, 8, 7), np.uint8), r"takes 8 x 7 x 3 numbers .* have 8 x 7 \("),
        ("steps", np.zeros((2, 5), np.float32), r"takes time steps x 5 numbers .* have 5 \("),
        ("steps", np.zeros((2, 0, 5), np.float32), r"have 0 x 5"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_shapes(name, features, message):
    kind = random_tensor(*SHAPES[name]).input
    with pytest.raises(DataError, match=message):
        kind.numbers(features)
    with pytest.raises(DataError, match=message):
        kind.check(features)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": ()}, r"input sizes are \(\); they are \(width,\), \(length, channels\)"),
        ({"sizes": (2, 2, 2, 3)}, "input sizes are"),
        ({"sizes": (0, 3)}, "input sizes are"),
        ({"sizes": (2**40, 3)}, "16777216 numbers are the most"),
        ({"sizes": (1, 3)}, r"a sequence of one place is a vector \(3,\)"),
        ({"has_steps": True}, r"time steps of sizes \(4, 3\); a time step is a vector"),
        ({"offset": np.zeros(2, np.float32)}, r"offset is float32 of shape \(2,\); .* \(3,\)"),
        ({"scale": np.ones(3)}, "scale is float64"),
        ({"scale": np.full(3, np.inf, np.float32)}, "scale must be finite"),
    ],
)
def test_an_input_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(PimsimError, match=message):
        TensorInput(**plain(**changes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, t: h["input"].pop("sizes"), "is damaged: .*missing .*'sizes'"),
        (lambda h, t: h["input"].update(sizes=9), "sizes is 9, which is no list"),
        (lambda h, t: h["input"].update(sizes=[9.0]), "no list of whole numbers"),
        (lambda h, t: h["input"].update(sizes=[True]), "no list of whole numbers"),
        (lambda h, t: h["input"].update(sizes=[3, 3]), r"offset is float32 of shape \(9,\)"),
        (lambda h, t: h["input"].update(has_steps=1), "has_steps is 1; it is true or false"),
        (lambda h, t: h["input"].update(layout="NCHW"), "the key 'input.layout'"),
        (lambda h, t: t.pop("input.scale"), "lacks the entry 'input.scale'"),
        (lambda h, t: t.update({"input.offset": t["input.offset"] * np.nan}), "must be finite"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change, message):
    path = write_network(random_tensor(), tmp_path / "n.safetensors")
    raw = path.read_bytes()
    head = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    header, tensors = json.loads(head["__metadata__"]["pimsim"]), load_file(path)
    change(header, tensors)
    save_file(tensors, path, metadata={"pimsim": json.dumps(header)})
    with pytest.raises(DataError, match=message):
        read_network(path)


def test_other_inputs_refuse_float32():
    with pytest.raises(DataError, match=r"3-D uint8 array, not 3-D float32 \(28 x 28 each\)"):
        random_mlp().input.check(np.zeros((2, 28, 28), np.float32))
    with pytest.raises(DataError, match=r"3-D uint8 array, not 2-D uint8 \(9 each\)"):
        random_gru().input.check(np.zeros((2, 9), np.uint8))
