"""Pairs of QuantizeLinear and DequantizeLinear, beside the standard's own evaluator."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs onnx: pimsim[onnx]")

from onnx import helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402
from onnx_files import graph_file, random  # noqa: E402

from pimsim import Dataset  # noqa: E402
from pimsim import run as run_network  # noqa: E402
from pimsim.importers import build, float_run  # noqa: E402
from pimsim.importers.onnx import read_onnx  # noqa: E402
from pimsim.importers.ops import Conv, Dense, NetworkImportError, Quantise  # noqa: E402
from pimsim.workload import run_reference  # noqa: E402

node = helper.make_node


def pair(name, scale, zero, source, **attributes):
    """Both nodes around a tensor; the result is called after it."""
    return [
        node("QuantizeLinear", [source, scale, zero], [f"{name}_q"], **attributes),
        node("DequantizeLinear", [f"{name}_q", scale, zero], [name], **attributes),
    ]


def perceptron(folder, activation=(0.03713977, -128), weights=0.02, kind=np.int8):
    """Inputs, weights, activations and biases quantised as tools for deployment write it."""
    whole = np.random.default_rng(0).integers(-127, 128, (16, 8)).astype(np.int8)
    held = {
        "w": whole, "ws": np.float32(weights), "wz": np.int8(0),
        "b": np.random.default_rng(1).integers(-900, 900, 16).astype(np.int32),
        "bs": np.float32(weights * 0.0625), "bz": np.int32(0),
        "v": random(4, 16), "vs": np.full(4, 0.03, np.float32), "vz": np.zeros(4, np.int8),
        "xs": np.float32(0.0625), "xz": np.int8(3),
        "as": np.float32(activation[0]), "az": kind(activation[1]),
    }  # fmt: skip
    nodes = [
        *pair("xd", "xs", "xz", "x"),
        node("DequantizeLinear", ["w", "ws", "wz"], ["wd"]),
        node("DequantizeLinear", ["b", "bs", "bz"], ["bd"]),
        node("Gemm", ["xd", "wd", "bd"], ["h"], transB=1),
        node("Relu", ["h"], ["r"]),
        *pair("rd", "as", "az", "r"),
        # weights that are quantised in the file, one scale for each row
        *pair("vd", "vs", "vz", "v", axis=0),
        node("Gemm", ["rd", "vd"], ["y"], transB=1),
    ]
    return graph_file(folder, nodes, {"x": ("n", 8)}, held, opset=21)


def convolution(folder, zero=-7):
    """A network of maps whose weights have a scale for each channel out."""
    whole = np.random.default_rng(2).integers(-127, 128, (6, 2, 3, 3)).astype(np.int8)
    held = {
        "w": whole, "ws": np.linspace(0.01, 0.02, 6).astype(np.float32), "wz": np.zeros(6, np.int8),
        "xs": np.float32(0.03125), "xz": np.int8(0), "as": np.float32(0.1117313),
        "az": np.int8(zero),
        "v": random(4, 54), "shape": np.array([-1, 54], np.int64),
    }  # fmt: skip
    nodes = [
        *pair("xd", "xs", "xz", "x"),
        node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0),
        node("Conv", ["xd", "wd"], ["h"], pads=[1, 1, 1, 1]),
        node("QuantizeLinear", ["h", "as", "az"], ["hq"]),
        # whole numbers may be pooled and put in a row
        node("MaxPool", ["hq"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Reshape", ["p", "shape"], ["f"]),
        node("DequantizeLinear", ["f", "as", "az"], ["fd"]),
        node("Gemm", ["fd", "v"], ["y"], transB=1),
    ]
    return graph_file(folder, nodes, {"x": ("n", 2, 6, 6)}, held, opset=21)


def by_onnx(path, inputs, name="y"):
    """A tensor of the file by the standard's own evaluator."""
    model = onnx.load(str(path))
    model.graph.output[0].name = name
    return ReferenceEvaluator(model).run(None, {"x": inputs.astype(np.float32)})[0]


@pytest.mark.parametrize(
    ("activation", "kind"),
    [((0.03713977, -128), np.int8), ((0.01931733, 0), np.uint8), ((0.05171931, -13), np.int8)],
)
def test_a_quantised_perceptron_gives_the_scores_of_the_standard(tmp_path, activation, kind):
    path = perceptron(tmp_path, activation, kind=kind)
    trained = read_onnx(path)
    # on the grid of inputs, so that both round the same numbers
    inputs = np.random.default_rng(3).normal(size=(200, 8)) * 3
    inputs = (np.round(inputs * 512) / 512).astype(np.float32)
    wanted = by_onnx(path, inputs)
    assert float_run.scores(trained, inputs) == pytest.approx(wanted, abs=1e-4)
    rounding = [op for op in trained.ops if isinstance(op, Quantise)]
    lowest = -128 if kind is np.int8 else 0
    assert (rounding[1].lowest, rounding[1].highest) == (
        lowest - activation[1], lowest + 255 - activation[1])  # fmt: skip
    first, last = [op for op in trained.ops if isinstance(op, Dense)]
    assert first.scaled.levels.dtype == np.int64
    assert last.scaled.scale.shape == (4,)
    network = build.network(trained, Dataset(inputs, wanted.argmax(1), list("abcd")), name="qdq")
    assert network.provenance["import"]["same_class"] >= 0.99
    found = run_reference(network, inputs)
    assert (found.predictions == wanted.argmax(1)).mean() > 0.99
    # the codes of the hidden layer are those whole numbers of the file
    hidden = by_onnx(path, inputs, "rd_q")
    codes = next(v for k, v in found.codes.items() if k != "encoder").reshape(len(inputs), -1)
    assert np.array_equal(codes, hidden.astype(np.int64) - lowest)
    data = Dataset(inputs, wanted.argmax(1), list("abcd"))
    ideal = run_network(network, data=data, chip="adc_pim_16nm", ideal=True, limit=50,
                        set=["noise.fixed_point=off"])  # fmt: skip
    assert ideal.accuracy.mean == 1


def test_a_quantised_convolution_gives_the_scores_of_the_standard(tmp_path):
    path = convolution(tmp_path)
    trained = read_onnx(path)
    maps = np.random.default_rng(4).normal(size=(60, 2, 6, 6))
    maps = (np.round(maps * 512) / 512).astype(np.float32)
    wanted = by_onnx(path, maps)
    last = np.moveaxis(maps, 1, -1)
    assert float_run.scores(trained, last) == pytest.approx(wanted, abs=1e-4)
    (conv,) = (op for op in trained.ops if isinstance(op, Conv))
    assert conv.scaled.scale.shape == (6,)
    data = Dataset(last, wanted.argmax(1), list("abcd"))
    network = build.network(trained, data, name="qdq")
    assert (run_reference(network, last).predictions == wanted.argmax(1)).mean() > 0.97


CASES = [
    ({"zz": np.int8(1)}, ["q", "xs", "zz"], "has the scale 0.0625 and zero point 1, and its signal",
     "one scale and zero point"),
    ({}, ["x", "xs", "xz"], "no QuantizeLinear has made whole", "stand in pairs"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "reads", "message", "remedy"), CASES)
def test_halves_of_a_pair_that_do_not_match_are_refused(tmp_path, more, reads, message, remedy):
    held = {"xs": np.float32(0.0625), "xz": np.int8(0), "m": random(8, 4)} | more
    nodes = [
        node("QuantizeLinear", ["x", "xs", "xz"], ["q"]),
        node("DequantizeLinear", reads, ["d"], name="n"),
        node("Gemm", ["d", "m"], ["y"]),
    ]
    path = graph_file(tmp_path, nodes, {"x": (1, 8)}, held, opset=21)
    with pytest.raises(NetworkImportError, match=message) as caught:
        read_onnx(path)
    assert "node 'n' (DequantizeLinear)" in str(caught.value)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("zero", "following", "message"),
    [
        (np.int8(3), "Relu", "computes with the whole numbers of"),
        (np.int16(0), "DequantizeLinear", "quantises a signal to int16; 8 bits are the most"),
    ],
)
def test_whole_numbers_that_are_computed_with_are_refused(tmp_path, zero, following, message):
    held = {"xs": np.float32(0.0625), "xz": zero, "m": random(8, 4)}
    rest = ["q", "xs", "xz"] if following == "DequantizeLinear" else ["q"]
    nodes = [
        node("QuantizeLinear", ["x", "xs", "xz"], ["q"]),
        node(following, rest, ["d"]),
        node("Gemm", ["d", "m"], ["y"]),
    ]
    path = graph_file(tmp_path, nodes, {"x": (1, 8)}, held, opset=21)
    with pytest.raises(NetworkImportError, match=message):
        read_onnx(path)
