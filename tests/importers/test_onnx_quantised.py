"""Quantisers of QONNX, beside qonnx's own executor."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs onnx: pimsim[onnx]")

from onnx import helper, numpy_helper
from onnx_files import graph_file, random
from real_data import BESIDE

from pimsim.data import catalog
from pimsim.importers import build, float_run
from pimsim.importers.onnx import read_onnx
from pimsim.importers.ops import Conv, Dense, Quantise
from pimsim.workload import run_reference


def by_qonnx(path, inputs):
    """Outputs of qonnx's executor for a batch, node by node."""
    pytest.importorskip("qonnx", reason="needs qonnx")
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_node
    from qonnx.util.cleanup import cleanup_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = cleanup_model(ModelWrapper(str(path)))
        opset = next(o.version for o in model.model.opset_import if o.domain == "")
        graph = model.graph
        values = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        for node in graph.node:
            if node.op_type == "Reshape":  # of one item in the file
                values[node.input[1]] = np.array([len(inputs), -1])
        for signal in (*graph.input, *graph.value_info, *graph.output):
            items = signal.type.tensor_type.shape.dim[:1]
            if signal.name not in values and items and items[0].dim_value == 1:
                items[0].dim_value = len(inputs)
        values[graph.input[0].name] = inputs.astype(np.float32)
        values |= {node.output[0]: np.zeros(()) for node in graph.node}
        for node in graph.node:
            execute_node(node, values, graph, opset_version=opset)
    return values[graph.output[0].name]


@pytest.fixture(scope="module")
def digits():
    return catalog.load("mnist-1000")


def zoo(name):
    """Path of a file of QONNX's model zoo; skips the test where it is absent."""
    roots = [os.environ.get(catalog.ENVIRONMENT), BESIDE]
    found = [path for root in roots if root for path in Path(root).rglob(name)]
    if not found:
        pytest.skip(f"{name} is not here; set {catalog.ENVIRONMENT} to the folder that has it")
    return found[0]


@pytest.mark.parametrize(("name", "correct"), [("TFC_1W1A", 913), ("TFC_2W2A", 966)])
def test_networks_of_the_zoo_give_the_classes_of_qonnx_on_a_thousand_digits(name, correct, digits):
    path = zoo(f"{name}.onnx")
    pixels = digits.features / 255
    trained = read_onnx(path)
    assert trained.sizes == (28, 28, 1)
    found = float_run.scores(trained, pixels[..., None])
    wanted = by_qonnx(path, pixels[:, None])
    assert (found.argmax(1) == wanted.argmax(1)).all()
    assert found == pytest.approx(wanted, abs=1e-5)
    assert (found.argmax(1) == digits.labels).sum() == correct
    dense = [op for op in trained.ops if isinstance(op, Dense)]
    assert [op.weight.shape for op in dense] == [(784, 64), (64, 64), (64, 64), (64, 10)]
    magnitudes = {1} if name == "TFC_1W1A" else {0, 1}
    for op in dense:
        assert set(np.unique(np.abs(op.scaled.levels))) == magnitudes
        assert op.scaled.scale == 1


@pytest.mark.parametrize("name", ["TFC_1W1A", "TFC_2W2A"])
def test_networks_of_the_zoo_become_networks_of_pimsim(name, digits):
    trained = read_onnx(zoo(f"{name}.onnx"))
    network = build.network(trained, digits, name=name)
    classes = run_reference(network, digits.features).predictions
    scores = np.sort(float_run.scores(trained, digits.features[..., None] / 255), axis=1)
    is_tie = np.isclose(scores[:, -1], scores[:, -2])  # scores of whole sums can be equal
    wanted = float_run.scores(trained, digits.features[..., None] / 255).argmax(1)
    assert (classes == wanted)[~is_tie].all()
    assert is_tie.mean() < 0.03


def quantised_file(folder, *, signed, narrow, bits, zero, scale, domain="onnx.brevitas"):
    """A convolution whose weights and inputs are quantised."""
    kinds = {"domain": domain, "narrow": narrow, "rounding_mode": "ROUND"}
    nodes = [
        helper.make_node("Quant", ["x", "step", "zero", "bits"], ["q"], signed=signed, **kinds),
        helper.make_node("Quant", ["w", "scale", "none", "bits"], ["v"], signed=1, **kinds),
        helper.make_node("Conv", ["q", "v"], ["c"]),
        helper.make_node("Flatten", ["c"], ["y"]),
    ]
    weights = {
        "w": random(3, 2, 3, 3), "step": np.float32(0.25), "zero": np.float32(zero),
        "none": np.float32(0), "bits": np.float32(bits), "scale": np.float32(scale),
    }  # fmt: skip
    return graph_file(folder, nodes, {"x": (1, 2, 5, 5)}, weights, opset=13)


@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("narrow", [0, 1])
@pytest.mark.parametrize(("bits", "zero"), [(2, 0), (3, 1), (8, 0)])
def test_quant_is_that_of_qonnx(signed, narrow, bits, zero, tmp_path):
    scale = np.array([0.2, 0.3, 0.7]).reshape(3, 1, 1, 1)
    path = quantised_file(tmp_path, signed=signed, narrow=narrow, bits=bits, zero=zero, scale=scale)
    trained = read_onnx(path)
    # quarters and halves of the step, so that halves are rounded to even
    inputs = np.round(16 * random(4, 2, 5, 5)) / 16
    found = float_run.scores(trained, np.moveaxis(inputs, 1, -1))
    assert found == pytest.approx(by_qonnx(path, inputs), abs=1e-5)
    (conv,) = (op for op in trained.ops if isinstance(op, Conv))
    assert conv.weight == pytest.approx(conv.scaled.levels * conv.scaled.scale)
    assert conv.scaled.scale == pytest.approx(scale.ravel())
    assert conv.scaled.levels.min() >= -(2 ** (bits - 1)) + narrow


def test_one_bit_with_a_sign_is_bipolar(tmp_path):
    path = quantised_file(tmp_path, signed=1, narrow=1, bits=1, zero=0, scale=0.5)
    trained = read_onnx(path)
    (quantise,) = (op for op in trained.ops if isinstance(op, Quantise))
    assert quantise.is_bipolar
    inputs = random(3, 2, 5, 5)
    found = float_run.scores(trained, np.moveaxis(inputs, 1, -1))
    assert found == pytest.approx(by_qonnx(path, inputs), abs=1e-5)


def test_the_domain_of_qonnx_is_known_too(tmp_path):
    path = quantised_file(
        tmp_path, signed=1, narrow=0, bits=4, zero=0, scale=0.5, domain="qonnx.custom_op.general"
    )
    assert sum(isinstance(op, Quantise) for op in read_onnx(path).ops) == 1


@pytest.mark.parametrize(("shape", "works"), [((1, 3), True), ((4, 1), False)])
def test_weights_have_a_scale_for_each_output_and_not_for_each_input(shape, works, tmp_path):
    nodes = [
        helper.make_node("Quant", ["w", "s", "zero", "bits"], ["v"], domain="onnx.brevitas"),
        helper.make_node("MatMul", ["x", "v"], ["y"], name="product"),
    ]
    weights = {
        "w": random(4, 3), "s": np.full(shape, 0.1, np.float32), "zero": np.float32(0),
        "bits": np.float32(4),
    }  # fmt: skip
    path = graph_file(tmp_path, nodes, {"x": (1, 4)}, weights)
    if works:
        assert read_onnx(path).ops[0].scaled.scale == pytest.approx(0.1)
    else:
        with pytest.raises(Exception, match=r"'product' .* scales of shape \(4, 1\)"):
            read_onnx(path)
