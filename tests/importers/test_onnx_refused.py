"""Nodes that cannot be brought over are refused by their name, with what works instead."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs onnx: pimsim[onnx]")

from onnx import TensorProto, helper  # noqa: E402
from onnx_files import graph_file, random  # noqa: E402

from pimsim.errors import PimsimError  # noqa: E402
from pimsim.importers.onnx import read_onnx  # noqa: E402
from pimsim.importers.onnx.operators import INSTEAD  # noqa: E402
from pimsim.importers.ops import NetworkImportError  # noqa: E402

MAP, ROW, STEPS = (1, 4, 6, 6), (1, 4), (5, 1, 4)
WEIGHTS = {
    "w": random(2, 4, 3, 3), "m": random(4, 3), "two": np.float32(2), "zero": np.float32(0),
    "low": np.float32(-np.inf), "eight": np.float32(8), "half": np.float32(0.5),
    "each": np.full(4, 0.5, np.float32), "first": np.array(0, np.int64), "place": random(6, 6),
    "gw": random(1, 9, 4), "gr": random(1, 9, 3), "gs": random(1, 1, 3),
    "lw": random(1, 12, 4), "lr": random(1, 12, 3), "lp": random(1, 9), "k": np.array([1]),
    "shape": np.array([1, 2, 72], np.int64), "narrow": random(5, 3), "nan": np.full((4, 3), np.nan),
    "sums": np.array([1, 2, 3], np.int64),
}  # fmt: skip


def node(op, *inputs, domain="", **attributes):
    return helper.make_node(op, ["x", *inputs], ["y"], name="n", domain=domain, **attributes)


def quant(scale="half", zero="zero", bits="eight", **attributes):
    return node(
        "Quant", scale, zero, bits, domain="onnx.brevitas", signed=1, narrow=0, **attributes
    )


CASES = [
    (ROW, node("HardSigmoid"), "HardSigmoid", "not supported", "Relu, Clip"),
    (ROW, node("LeakyRelu"), "LeakyRelu", "not supported", "Relu, Clip"),
    (ROW, node("Softplus"), "Softplus", "not supported", "Relu, Clip"),
    (MAP, node("InstanceNormalization", "each", "each"), "Instance", "not supported", "Batch"),
    (MAP, node("ConvInteger", "w"), "ConvInteger", "not supported", "QDQ"),
    (STEPS, node("RNN", "gw", "gr"), "RNN", "not supported", "Train an LSTM, or a GRU"),
    (MAP, node("ConvTranspose", "w"), "ConvTranspose", "not supported", "Use Conv"),
    (ROW, node("Trunc", "half", "zero", "eight", "eight", domain="onnx.brevitas"), "Trunc",
     "of the domain 'onnx.brevitas' that is not supported", "AveragePool"),
    (ROW, node("Relux", domain="mine"), "Relux", "of the domain 'mine'", "Did you mean 'Relu'"),
    (ROW, node("Pow", "two"), "Pow", "not supported", "powers of constants"),
    (MAP, node("Conv", "w", group=2), "Conv", "in 2 groups, and gets 4", "Export"),
    (MAP, node("Conv", "w", dilations=[3, 3]), "Conv", "smaller", "smaller window"),
    (ROW, node("Conv", "w"), "Conv", r"reads \(batch 1, channel 4\)", "Transpose"),
    (MAP, node("AveragePool", kernel_shape=[2, 2], pads=[1, 1, 1, 1]), "AveragePool", "pads by",
     "without padding"),
    (MAP, node("MaxPool", kernel_shape=[2, 2], ceil_mode=1), "MaxPool", "ceil_mode = 1",
     "ceil_mode=False"),
    (MAP, node("MaxPool", kernel_shape=[2, 2], dilations=[2, 2]), "MaxPool", "dilations",
     "neighbouring"),
    (MAP, node("ReduceMean", axes=[1]), "ReduceMean", "over channel", "Reduce over all sides"),
    (MAP, node("MatMul", "place"), "MatMul", "sums over the axis 'x'", "Flatten"),
    (ROW, node("MatMul", "narrow"), "MatMul", "for 5 numbers, and gets 4", "Export"),
    (ROW, node("MatMul", "nan"), "MatMul", "not finite", "anew"),
    (ROW, node("MatMul", "x"), "MatMul", "from the signal of 'input'", "Add and Concat only"),
    (ROW, node("Mul", "x"), "Mul", "Mul of two signals", "Add and Concat only"),
    (ROW, node("Div", "zero"), "Div", "by zero", "not zero"),
    (MAP, node("Add", "place"), "Add", r"constant of shape \(6, 6\)", "one for each channel"),
    (MAP, node("Concat", "x", axis=2), "Concat", "joins along the axis 'y'", "along channels"),
    (ROW, node("Clip", "low", "two"), "Clip", "clips to -inf..2", "two finite bounds"),
    (ROW, node("Cast", to=TensorProto.INT32), "Cast", "into INT32", "Quant of QONNX"),
    (MAP, node("Reshape", "shape"), "Reshape", r"the shape \[1, 2, 72\]", "nn.Flatten"),
    (MAP, node("Flatten", axis=2), "Flatten", "from axis 2", "nn.Flatten"),
    (MAP, node("Squeeze", "first"), "Squeeze", "drops axes", "direction of a GRU"),
    (ROW, node("Gather", "first", axis=1), "Gather", "entry 0 of the axis 'channel'", "last time"),
    (MAP, node("Softmax", axis=2), "Softmax", "along 'y'", "over the classes"),
    (STEPS, node("GRU", "gw", "gr", hidden_size=3), "GRU", "linear_before_reset = 0",
     "reset gate after the product"),
    (STEPS, node("GRU", "gw", "gr", linear_before_reset=1, direction="reverse"), "GRU",
     "direction = 'reverse'", "one direction"),
    (STEPS, node("GRU", "gw", "gr", linear_before_reset=1, activations=["Relu", "Tanh"]), "GRU",
     "activations", "Sigmoid and Tanh"),
    (STEPS, node("GRU", "gw", "gr", "", "", "gs", linear_before_reset=1), "GRU", "not zero",
     "zeros"),
    (STEPS, node("LSTM", "lw", "lr", direction="reverse"), "LSTM", "direction = 'reverse'",
     "an LSTM of one direction"),
    (STEPS, node("LSTM", "lw", "lr", activations=["Sigmoid", "Tanh", "Relu"]), "LSTM",
     "has the activations", "Sigmoid and Tanh"),
    (STEPS, node("LSTM", "lw", "lr", input_forget=1), "LSTM", "input_forget = 1", "of their own"),
    (STEPS, node("LSTM", "lw", "lr", "", "", "", "gs"), "LSTM", "not zero", "from zeros"),
    (STEPS, node("LSTM", "lw", "lr", "", "", "", "", "lp"), "LSTM", "peepholes", "without them"),
    (STEPS, node("LSTM", "gw", "gr"), "LSTM", "has weights of shapes", "Export it again"),
    (STEPS, node("GRU", "gw", "gr", linear_before_reset=1, clip=1.0), "GRU", "attribute 'clip'",
     "older version"),
    (ROW, quant(rounding_mode="FLOOR"), "Quant", "rounds by FLOOR", "rounding_mode ROUND"),
    (ROW, quant(bits="half"), "Quant", r"bit widths \[0.5\]", "whole number"),
    (ROW, quant(scale="zero"), "Quant", "scale of 0", "above 0"),
    (ROW, quant(zero="half"), "Quant", "no whole number", "whole zero points"),
    (ROW, helper.make_node("Quant", ["nan", "half", "zero", "eight"], ["y"], name="n",
                           domain="onnx.brevitas"), "Quant", "weights that are not finite", "anew"),
    (ROW, quant(scale="w"), "Quant", "scale", "Scales are above 0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sizes", "bad", "op", "said", "remedy"), CASES, ids=[f"{c[2]} {c[3][:24]}" for c in CASES]
)
def test_a_node_is_refused_with_its_name_and_a_remedy(sizes, bad, op, said, remedy, tmp_path):
    opset = 13 if bad.op_type in ("ReduceMean",) else 18
    path = graph_file(tmp_path, [bad], {"x": sizes}, WEIGHTS, opset=opset)
    with pytest.raises(NetworkImportError, match=said) as caught:
        read_onnx(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: node 'n' ({bad.op_type}")
    assert op in bad.op_type or op in text
    assert remedy in text


def test_every_remedy_is_a_sentence():
    assert all(text[0].isupper() and not text.endswith(".") for text in INSTEAD.values())


def test_what_follows_a_softmax_is_refused(tmp_path):
    nodes = [
        helper.make_node("Softmax", ["x"], ["s"], axis=1),
        helper.make_node("MatMul", ["s", "m"], ["y"], name="n"),
    ]
    with pytest.raises(NetworkImportError, match="output of a softmax"):
        read_onnx(graph_file(tmp_path, nodes, {"x": ROW}, WEIGHTS))


@pytest.mark.parametrize(
    ("inputs", "outputs", "said"),
    [
        ({"x": ROW, "z": ROW}, ("y",), "has the inputs 'x', 'z'; one is needed"),
        ({"x": ("n", "c")}, ("y",), "leaves the size of its input 'x' along channel open"),
        ({"x": (1, 2, 3, 4, 5)}, ("y",), "of 5 axes"),
        ({"x": ROW}, ("y", "x"), "has outputs 'y', 'x'"),
        ({"x": ROW}, ("x",), "computes nothing"),
    ],
)
def test_inputs_and_outputs_that_do_not_fit_are_refused(inputs, outputs, said, tmp_path):
    nodes = [helper.make_node("MatMul", ["x", "m"], ["y"])]
    with pytest.raises(NetworkImportError, match=said):
        read_onnx(graph_file(tmp_path, nodes, inputs, WEIGHTS, outputs=outputs))


def test_an_input_of_whole_numbers_is_refused(tmp_path):
    nodes = [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)]
    path = graph_file(tmp_path, nodes, {"x": ROW}, {}, types={"x": TensorProto.INT64})
    with pytest.raises(NetworkImportError, match="'x' of INT64"):
        read_onnx(path)


def test_arithmetic_with_the_size_of_a_signal_is_refused(tmp_path):
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Cast", ["s"], ["c"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["c", "first"], ["g"]),
        helper.make_node("Mul", ["x", "g"], ["y"], name="n"),
    ]
    with pytest.raises(NetworkImportError, match="computes with the size of a signal"):
        read_onnx(graph_file(tmp_path, nodes, {"x": ROW}, WEIGHTS))


def test_damaged_files_end_in_an_error_of_the_user(tmp_path):
    nodes = [
        helper.make_node("GRU", ["x", "gw", "gr"], ["a", "h"], linear_before_reset=1),
        helper.make_node("Squeeze", ["h", "first"], ["b"]),
        helper.make_node("Quant", ["v", "half", "zero", "eight"], ["q"], domain="onnx.brevitas"),
        helper.make_node("MatMul", ["b", "q"], ["y"]),
    ]
    names = ("gw", "gr", "first", "half", "zero", "eight")
    weights = {name: WEIGHTS[name] for name in names} | {"v": random(3, 2)}
    path = graph_file(tmp_path, nodes, {"x": STEPS}, weights)
    whole = path.read_bytes()
    read_onnx(path)
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(300):
        content = bytearray(whole)
        content[rng.integers(len(content))] = rng.integers(256)
        path.write_bytes(bytes(content))
        try:
            read_onnx(path)
        except PimsimError:
            refused += 1
    assert refused > 50
