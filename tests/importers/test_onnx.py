"""ONNX files of torch's exporters, run beside onnxruntime."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs onnx: pimsim[onnx]")
runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
torch = pytest.importorskip("torch", reason="needs torch: pimsim[train]")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx_files import graph_file, random  # noqa: E402
from torch import nn  # noqa: E402
from user_networks import USERS, build  # noqa: E402

from pimsim.errors import DataError  # noqa: E402
from pimsim.importers import float_run, ops  # noqa: E402
from pimsim.importers.onnx import read_onnx  # noqa: E402


def exported(module, inputs, path, *, dynamo=False, **options):
    """Path of an ONNX file that torch wrote."""
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module.eval()
        if dynamo:
            program = torch.onnx.export(module, (inputs,), dynamo=True, verbose=False, **options)
            content.write(program.model_proto.SerializeToString())
        else:
            torch.onnx.export(module, (inputs,), content, dynamo=False, **options)
    path.write_bytes(content.getvalue())
    return path


def own_scores(path, inputs):
    """Scores by onnxruntime."""
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (first,) = session.get_inputs()
    return session.run(None, {first.name: inputs})[0]


@pytest.mark.parametrize(
    "dynamo",
    [pytest.param(False, id="script"), pytest.param(True, id="dynamo", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("name", USERS)
def test_operations_give_the_scores_of_onnxruntime(name, dynamo, tmp_path):
    module, inputs, features = build(name)
    inputs = inputs[:8]
    path = exported(module, inputs, tmp_path / "net.onnx", dynamo=dynamo)
    trained = read_onnx(path)
    found = float_run.scores(trained, features[:8])
    wanted = own_scores(path, inputs.numpy())
    assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()
    assert trained.source["framework"] == "ONNX"
    assert trained.source["file"] == "net.onnx"


@pytest.mark.parametrize("first", [True, False], ids=["items first", "steps first"])
def test_open_sizes_of_items_and_steps(first, tmp_path):
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.gru, self.fc = nn.GRU(5, 7, 2, batch_first=first), nn.Linear(7, 3)

        def forward(self, x):
            steps, _ = self.gru(x)
            return self.fc(steps[:, -1] if first else steps[-1])

    torch.manual_seed(1)
    inputs = torch.randn(4, 6, 5)
    axes = {"x": {0: "a", 1: "b"}}
    path = exported(
        Recurrent(), inputs, tmp_path / "gru.onnx", input_names=["x"], dynamic_axes=axes
    )
    trained = read_onnx(path)
    assert trained.has_steps
    assert trained.sizes == (5,)
    items_first = inputs if first else inputs.transpose(0, 1)
    found = float_run.scores(trained, items_first.numpy())
    assert found == pytest.approx(own_scores(path, inputs.numpy()), abs=1e-5)


def test_the_last_state_of_a_gru_is_its_last_step(tmp_path):
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.gru, self.fc = nn.GRU(5, 7, batch_first=True), nn.Linear(7, 3)

        def forward(self, x):
            return self.fc(self.gru(x)[1][-1])

    inputs = torch.randn(4, 6, 5)
    path = exported(Recurrent(), inputs, tmp_path / "gru.onnx")
    found = float_run.scores(read_onnx(path), inputs.numpy())
    assert found == pytest.approx(own_scores(path, inputs.numpy()), abs=1e-5)


def test_a_softmax_and_a_choice_of_the_class_are_left_out(tmp_path):
    module, inputs, _ = build("strided cnn")
    plain = read_onnx(exported(module, inputs[:2], tmp_path / "plain.onnx"))
    path = exported(nn.Sequential(module, nn.Softmax(1)), inputs[:2], tmp_path / "soft.onnx")
    assert len(read_onnx(path).ops) == len(plain.ops)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("pad", ["NOTSET", "SAME_UPPER", "VALID"])
def test_convolution_with_all_its_attributes(groups, pad, tmp_path):
    attributes = {"auto_pad": pad, "strides": [2, 1]}
    if pad == "NOTSET":
        attributes |= {"pads": [2, 0, 2, 0], "dilations": [2, 1]}
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], group=groups, **attributes),
        helper.make_node("GlobalMaxPool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]  # fmt: skip
    weights = {"w": random(6, 4 // groups, 3, 3), "b": random(6)}
    path = graph_file(tmp_path, nodes, {"x": (5, 4, 9, 8)}, weights, outputs=("y",))
    inputs = random(5, 4, 9, 8)
    found = float_run.scores(read_onnx(path), np.moveaxis(inputs, 1, -1))
    assert found == pytest.approx(own_scores(path, inputs), abs=1e-4)


def test_arithmetic_with_constants_and_products_on_channels_last_maps(tmp_path):
    nodes = [
        helper.make_node("Sub", ["x", "mean"], ["a"]),
        helper.make_node("Div", ["a", "two"], ["b"]),
        helper.make_node("Neg", ["b"], ["n"]),
        helper.make_node("Transpose", ["n"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", "w"], ["c"]),
        helper.make_node("Transpose", ["c"], ["d"], perm=[0, 2, 3, 1]),
        helper.make_node("MatMul", ["d", "m"], ["e"]),
        helper.make_node("Add", ["bias", "e"], ["f"]),
        helper.make_node("Flatten", ["f"], ["g"]),
        helper.make_node("Gemm", ["g", "v"], ["y"], alpha=0.5),
    ]
    weights = {
        "mean": random(3), "two": np.float32(2), "w": random(4, 3, 2, 2), "m": random(4, 5),
        "bias": random(5), "v": random(5 * 5 * 5, 3),
    }  # fmt: skip
    path = graph_file(tmp_path, nodes, {"x": (2, 6, 6, 3)}, weights, outputs=("y",), opset=18)
    trained = read_onnx(path)
    assert trained.sizes == (6, 6, 3)
    assert [op.channels_first for op in trained.ops if isinstance(op, ops.Flatten)] == [False]
    inputs = random(2, 6, 6, 3)
    found = float_run.scores(trained, inputs)
    assert found == pytest.approx(own_scores(path, inputs), abs=1e-4)


def test_a_sum_after_a_product_becomes_its_bias(tmp_path):
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"]),
        helper.make_node("Add", ["p", "b"], ["y"]),
    ]
    weights = {"w": random(4, 3), "b": random(3)}
    (dense,) = read_onnx(graph_file(tmp_path, nodes, {"x": (1, 4)}, weights)).ops
    assert dense.bias == pytest.approx(weights["b"])


def test_a_product_that_others_read_keeps_its_sum_apart(tmp_path):
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"]),
        helper.make_node("Identity", ["p"], ["same"]),
        helper.make_node("Add", ["p", "b"], ["q"]),
        helper.make_node("Sum", ["q", "same"], ["y"]),
    ]
    weights = {"w": random(4, 3), "b": random(3)}
    path = graph_file(tmp_path, nodes, {"x": (1, 4)}, weights)
    inputs = random(1, 4)
    found = float_run.scores(read_onnx(path), inputs)
    assert found == pytest.approx(own_scores(path, inputs), abs=1e-5)


def test_a_sequence_that_keras_makes_a_map_of_one_row(tmp_path):
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
        helper.make_node("Unsqueeze", ["t"], ["u"], axes=[2]),
        helper.make_node("Conv", ["u", "w"], ["c"], strides=[1, 2], pads=[0, 1, 0, 1]),
        helper.make_node("Squeeze", ["c"], ["s"], axes=[2]),
        helper.make_node("ReduceMean", ["s"], ["y"], axes=[2], keepdims=0),
    ]
    path = graph_file(
        tmp_path, nodes, {"x": (2, 9, 3)}, {"w": random(4, 3, 1, 3)}, outputs=("y",), opset=11
    )
    trained = read_onnx(path)
    assert trained.sizes == (9, 3)
    inputs = random(2, 9, 3)
    found = float_run.scores(trained, inputs)
    assert found == pytest.approx(own_scores(path, inputs), abs=1e-5)


def test_a_constant_that_is_too_large_is_not_computed(tmp_path):
    nodes = [
        helper.make_node("ConstantOfShape", ["huge"], ["c"]),
        helper.make_node("Add", ["x", "c"], ["y"]),
    ]
    weights = {"huge": np.array([1 << 20, 1 << 20], np.int64)}
    with pytest.raises(Exception, match="more than 67108864 numbers"):
        read_onnx(graph_file(tmp_path, nodes, {"x": (1, 4)}, weights))


def test_weights_in_another_file_are_refused(tmp_path):
    tensor = numpy_helper.from_array(random(4, 3), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 4))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 3))],
        [tensor],
    )
    path = tmp_path / "net.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    with pytest.raises(DataError, match="keeps the tensor 'w' in another file"):
        read_onnx(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"no network", "is no ONNX file"), (b"", "is no valid ONNX file")],
)
def test_files_that_are_none_are_refused(content, said, tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_onnx(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_onnx(tmp_path / "none.onnx")
