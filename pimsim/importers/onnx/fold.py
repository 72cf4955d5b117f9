"""Nodes that compute with constants alone: their values, within bounds."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper
from onnx.reference import ReferenceEvaluator

from pimsim.importers.onnx.node import Node
from pimsim.importers.onnx.values import Constant, Signal, Tensor

MAX_ELEMENTS = 1 << 26
# types of operations whose results are no larger than their inputs together
_NO_LARGER = frozenset(
    ("Constant", "Identity", "Cast", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze",
     "Concat", "Slice", "Shape", "Neg", "Abs", "Sqrt", "Reciprocal")
)  # fmt: skip
_ELEMENTWISE = frozenset(("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Equal", "Where"))
_BY_SHAPE = frozenset(("ConstantOfShape", "Expand"))
FOLDED = _NO_LARGER | _ELEMENTWISE | _BY_SHAPE | {"Gather"}


def can_fold(node: Node) -> bool:
    """Whether a node of the standard reads constants alone, and its value can be computed."""
    if node.proto.domain not in ("", "ai.onnx") or node.type not in FOLDED:
        return False
    return not any(isinstance(tensor, Signal) for tensor in node.peek())


def fold(node: Node) -> tuple[Tensor, ...]:
    """Value of a node of constants."""
    constants = [tensor for tensor in node.peek() if isinstance(tensor, Constant)]
    if any(c.levels is not None for c in constants):
        return (_keep_levels(node, constants),)
    arrays = [np.asarray(c.values) for c in constants]
    try:
        if _bound(node.type, arrays) > MAX_ELEMENTS:
            raise node.refuse(
                f"makes a constant of more than {MAX_ELEMENTS} numbers",
                "Export a smaller network",
            )
        value = _evaluate(node, arrays)
    except (ValueError, TypeError, IndexError, RuntimeError, KeyError, AttributeError) as error:
        raise node.refuse(
            f"computes with constants that do not fit each other ({error})", "Export it again"
        ) from error
    return (Constant(value, is_size=any(c.is_size for c in constants)),)


def _bound(op_type: str, arrays: list[NDArray[Any]]) -> int:
    """Largest number of elements that the result can have."""
    if op_type in _BY_SHAPE:
        wanted = prod(max(int(side), 1) for side in arrays[-1].ravel())
        return wanted * (arrays[0].size if op_type == "Expand" else 1)
    if op_type in _ELEMENTWISE:
        return prod(np.broadcast_shapes(*(array.shape for array in arrays)))
    if op_type == "Gather":
        return arrays[0].size * max(arrays[1].size, 1)
    return sum(array.size for array in arrays)


def _evaluate(node: Node, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Value by the standard's own evaluator, in the version of the file."""
    names = [name for name in node.proto.input if name]
    given = dict(zip(names, arrays, strict=True))
    inputs = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
        )
        for name, array in given.items()
    ]
    output = helper.make_tensor_value_info(node.proto.output[0], onnx.TensorProto.UNDEFINED, None)
    graph = helper.make_graph([node.proto], "folded", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", node.version)])
    (value,) = ReferenceEvaluator(model).run(None, given)
    return np.asarray(value)


def _keep_levels(node: Node, constants: list[Constant]) -> Constant:
    """Quantised weights in another order of their axes."""
    weights = constants[0]
    if node.type in ("Identity", "Cast"):
        return weights
    if node.type != "Transpose" or weights.levels is None or weights.scale is None:
        raise node.refuse(
            "computes with weights that are quantised already",
            "Quantise weights last, straight before the layer that uses them",
        )
    order = node.attribute("perm")
    return Constant(
        weights.values.transpose(order),
        weights.levels.transpose(order),
        weights.scale.transpose(order),
    )
