"""Small ONNX files that tests write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

_rng = np.random.default_rng(5)


def random(*shape):
    """Random float32 weights."""
    return _rng.normal(size=shape).astype(np.float32)


def graph_file(
    folder: Path,
    nodes,
    inputs,
    weights,
    *,
    outputs=("y",),
    opset=18,
    types=None,
) -> Path:
    """Path of a file with these nodes, whose outputs have open sizes."""
    types = types or {}
    graph = helper.make_graph(
        nodes,
        "net",
        [
            helper.make_tensor_value_info(name, types.get(name, TensorProto.FLOAT), shape)
            for name, shape in inputs.items()
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ("a", "b")) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    versions = [helper.make_opsetid("", opset), helper.make_opsetid("onnx.brevitas", 1)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8)
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return path
