"""Padding that differs from side to side, and signals of several formats that are joined."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs onnx: pimsim[onnx]")
torch = pytest.importorskip("torch", reason="needs torch: pimsim[train]")

from onnx import helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402
from onnx_files import graph_file, random  # noqa: E402
from torch import nn  # noqa: E402

import pimsim  # noqa: E402
from pimsim.importers import build, float_run  # noqa: E402
from pimsim.importers.onnx import read_onnx  # noqa: E402
from pimsim.importers.ops import NetworkImportError  # noqa: E402
from pimsim.studies.prepare import prepare  # noqa: E402
from pimsim.studies.run import run  # noqa: E402
from pimsim.workload import read_network, run_reference  # noqa: E402
from pimsim.workload.windows import Span, Window  # noqa: E402

node = helper.make_node


def padded_network(folder, pads):
    """Two convolutions and a pool, padded as TensorFlow pads strided layers."""
    held = {"w": random(6, 2, 3, 3), "u": random(5, 6, 4, 2), "v": random(4, 45)}
    held["shape"] = np.array([-1, 45], np.int64)
    nodes = [
        node("Conv", ["x", "w"], ["a"], pads=pads, strides=[2, 2]),
        node("Relu", ["a"], ["b"]),
        node("Conv", ["b", "u"], ["c"], pads=[1, 0, 2, 1]),
        node("Relu", ["c"], ["d"]),
        node("MaxPool", ["d"], ["p"], kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 1, 1]),
        node("Reshape", ["p", "shape"], ["f"]),
        node("Gemm", ["f", "v"], ["y"], transB=1),
    ]
    return graph_file(folder, nodes, {"x": ("n", 2, 10, 10)}, held)


@pytest.fixture
def maps():
    rng = np.random.default_rng(3)
    return (np.round(rng.normal(size=(40, 2, 10, 10)) * 64) / 64).astype(np.float32)


def test_padding_of_four_sides_gives_the_scores_of_the_standard(tmp_path, maps):
    path = padded_network(tmp_path, [0, 0, 1, 1])
    trained, last = read_onnx(path), np.moveaxis(maps, 1, -1)
    wanted = ReferenceEvaluator(str(path)).run(None, {"x": maps})[0]
    assert float_run.scores(trained, last) == pytest.approx(wanted, abs=1e-3)
    data = pimsim.Dataset(last, wanted.argmax(1), list("abcd"))
    network = build.network(trained, data, name="padded")
    assert network.provenance["import"]["same_class"] > 0.9
    # the file keeps the four numbers, and an ideal chip gives every code
    network = read_network(network.save(tmp_path / "padded.safetensors"))
    convolutions = [n.layer for n in network.nodes if n.layer.kind == "conv2d"]
    assert [tuple(layer.padding) for layer in convolutions] == [(0, 0, 1, 1), (1, 0, 2, 1)]
    ideal = run(network, data=data.limit(10), chip="digital_8b_16nm", ideal=True, keep_bits=True)
    exact = run_reference(network, ideal.prepared.data.features)
    for name, codes in exact.codes.items():
        assert np.array_equal(ideal.chips.bits[name].reshape(codes.shape), codes), name


def test_windows_with_padding_after_alone():
    window = Window.of(3, 2, (0, 0, 1, 1), 1)
    assert window.outputs((4, 4)) == (2, 2)
    assert window.padding == (0, 0)
    maps = np.arange(1, 17).reshape(1, 4, 4, 1)
    cut = np.stack(window.positions(maps), axis=-1)[0, :, :, 0]
    assert cut[0, 0].tolist() == [1, 2, 3, 5, 6, 7, 9, 10, 11]
    assert cut[1, 1].tolist() == [11, 12, 0, 15, 16, 0, 0, 0, 0]
    assert window.span(Span(0, 1), 0) == Span(0, 4)
    with pytest.raises(pimsim.errors.PimsimError, match="is no padding"):
        Window.of(3, 1, (1, 1, 1), 1)
    with pytest.raises(pimsim.errors.PimsimError, match="a padding of 3 and a dilation of 1"):
        Window.of(3, 1, (0, 0, 3, 0), 1)


class Branches(nn.Module):
    """A branch of numbers from 0 up and one with a sign, joined."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.last = nn.Linear(9, 12), nn.Linear(9, 7), nn.Linear(19, 6)
        self.scores = nn.Linear(6, 4)

    def forward(self, x):
        joined = torch.cat([torch.relu(self.one(x)), torch.tanh(self.two(x))], dim=1)
        return self.scores(torch.relu(self.last(joined)))


def branches(bits):
    torch.manual_seed(4)
    module = Branches().eval()
    features = np.random.default_rng(1).normal(size=(200, 9)).astype(np.float32)
    with torch.no_grad():
        labels = module(torch.tensor(features)).argmax(1).numpy()
    data = pimsim.Dataset(features, labels, list("abcd"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return data, pimsim.export(module, torch.tensor(features[:2]), data, bits=bits)


@pytest.mark.parametrize("bits", [4, 6])
def test_joined_signals_of_two_formats_get_one_that_holds_both(bits):
    data, network = branches(bits)
    (concat,) = (n for n in network.nodes if n.layer.kind == "concat")
    # 0 to 2^n - 1 around a code of 2^(n-1) takes one bit more
    assert network.shapes[concat.name].codes == dataclasses.replace(
        network.shapes[concat.name].codes, bits=bits + 1, zero=2 ** (bits - 1)
    )
    codes = run_reference(network, data.features).codes
    for node in network.nodes:
        if node.name.endswith("_wide"):
            before = codes[node.inputs[0]].astype(int)
            shift = 2 ** (bits - 1) - network.shapes[node.inputs[0]].codes.zero
            assert np.array_equal(codes[node.name], before + shift)
    assert network.provenance["import"]["same_class"] > (0.95 if bits == 6 else 0.8)
    ideal = run(network, data=data.limit(20), chip="adc_pim_16nm", ideal=True, keep_bits=True,
                set=["noise.fixed_point=off"])  # fmt: skip
    for name, expected in run_reference(network, ideal.prepared.data.features).codes.items():
        assert np.array_equal(ideal.chips.bits[name].reshape(expected.shape), expected), name
    assert prepare(network, {"data": data, "chip": "isaac_32nm"}).layout


def test_joined_signals_that_would_need_nine_bits_are_refused():
    with pytest.raises(NetworkImportError, match="one format that holds all of them has 9 bits"):
        branches(8)
