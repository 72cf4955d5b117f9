"""Meaning of the axes of a network's input, from the operation that first needs one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx
from onnx import TensorProto

from pimsim.errors import Place
from pimsim.importers.onnx.values import (
    MAP,
    ROW,
    SEQUENCE,
    STEPS,
    Axis,
    Constant,
    Signal,
    Tensor,
    whole_numbers,
)
from pimsim.importers.ops import INPUT, NetworkImportError

TYPES = {
    TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE,
    TensorProto.UINT8,
}  # fmt: skip
# of these the standard says which axis is which
_SPATIAL = frozenset(
    ("Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization")
)
# after these the axes are no longer those of the input
_LOSING = frozenset(
    ("Reshape", "Flatten", "Squeeze", "ReduceMean", "ReduceMax", "Gemm", "Gather", "Slice", "Shape")
)
# more channels than this in the last axis are columns of a picture
_MAX_COLOURS = 4

Positions = tuple[int | None, ...]


def input_signal(
    model: onnx.ModelProto, tensors: Mapping[str, Tensor | None], path: Path
) -> tuple[str, Signal]:
    """Name of the tensor of the network's input, and its signal.

    Raises
    ------
    NetworkImportError
        If there are several inputs, or one of a shape or type that pimsim does not take.
    """
    place = Place(path)
    inputs = [i for i in model.graph.input if i.name not in tensors]
    if len(inputs) != 1:
        names = ", ".join(f"'{i.name}'" for i in inputs) or "none"
        raise NetworkImportError(
            f"has the inputs {names}; one is needed",
            place=place,
            remedy="Export a network that reads one tensor, and hold the others constant",
        )
    name, tensor = inputs[0].name, inputs[0].type.tensor_type
    if tensor.elem_type not in TYPES:
        kind = TensorProto.DataType.Name(tensor.elem_type)
        raise NetworkImportError(
            f"has an input '{name}' of {kind}", place=place, remedy="Give it float or uint8 numbers"
        )
    sizes = tuple(d.dim_value if d.dim_value > 0 else None for d in tensor.shape.dim)
    if not 2 <= len(sizes) <= 4:
        raise NetworkImportError(
            f"has an input '{name}' of {len(sizes)} axes",
            place=place,
            remedy="Inputs have 2 to 4: items first, then numbers, a sequence, time steps or maps",
        )
    signal = Signal(INPUT, _axes(model.graph, name, sizes, tensors), sizes)
    for axis, size in zip(signal.axes, sizes, strict=True):
        if size is None and axis not in (Axis.BATCH, Axis.TIME):
            raise NetworkImportError(
                f"leaves the size of its input '{name}' along {axis} open",
                place=place,
                remedy="Export it with a fixed size there; only items and time steps may be open",
            )
    return name, signal


def sizes_of(signal: Signal) -> tuple[int, ...]:
    """Sizes of the network's input in pimsim's order, channels last."""
    order = (Axis.Y, Axis.X, Axis.CHANNEL)
    sizes = dict(zip(signal.axes, signal.known, strict=True))
    return tuple(sizes[axis] for axis in order if axis in sizes)


def _axes(
    graph: onnx.GraphProto,
    name: str,
    sizes: tuple[int | None, ...],
    tensors: Mapping[str, Tensor | None],
) -> tuple[Axis, ...]:
    if len(sizes) == 2:
        return ROW
    found = _from_first_use(graph, name, len(sizes), tensors)
    if found is not None:
        return found
    # nothing depends on it: a plain network that takes all numbers as one row
    if len(sizes) == 3:
        return (Axis.BATCH, Axis.X, Axis.CHANNEL)
    has_colours_last = (sizes[3] or 0) <= _MAX_COLOURS < (sizes[1] or 0)
    return (Axis.BATCH, Axis.Y, Axis.X, Axis.CHANNEL) if has_colours_last else MAP


def _from_first_use(
    graph: onnx.GraphProto, name: str, rank: int, tensors: Mapping[str, Tensor | None]
) -> tuple[Axis, ...] | None:
    """Axes as the first convolution, pool, normalisation, GRU or LSTM needs; None without one.

    Follows the input through transpositions and new axes.
    """
    positions: dict[str, Positions] = {name: tuple(range(rank))}
    values = dict(tensors)
    for node in graph.node:
        if node.op_type == "Constant" and not node.input:
            values |= {node.output[0]: _constant(node)}
        source = next((i for i in node.input if i in positions), None)
        if source is None or node.op_type in _LOSING:
            continue
        at = positions[source]
        wanted = _wanted(node.op_type, len(at))
        if wanted is not None:
            meaning = {p: axis for p, axis in zip(at, wanted, strict=True) if p is not None}
            return tuple(meaning[p] for p in range(rank)) if len(meaning) == rank else None
        if node.op_type == "Transpose":
            order = _listed(node, "perm") or list(range(len(at)))[::-1]
            at = tuple(at[i] for i in order)
        elif node.op_type == "Unsqueeze":
            at = _unsqueezed(at, _listed(node, "axes") or _input_list(node, values))
        positions[node.output[0]] = at
    return None


def _wanted(op_type: str, rank: int) -> tuple[Axis, ...] | None:
    if op_type in ("GRU", "LSTM"):
        return STEPS if rank == 3 else None
    if op_type in _SPATIAL:
        return {3: SEQUENCE, 4: MAP}.get(rank)
    return None


def _listed(node: onnx.NodeProto, name: str) -> list[int]:
    return next((list(a.ints) for a in node.attribute if a.name == name), [])


def _constant(node: onnx.NodeProto) -> Constant | None:
    value = next((a.t for a in node.attribute if a.name == "value"), None)
    return None if value is None else Constant(onnx.numpy_helper.to_array(value))


def _input_list(node: onnx.NodeProto, values: Mapping[str, Tensor | None]) -> list[int]:
    found = values.get(node.input[1]) if len(node.input) > 1 else None
    return whole_numbers(found) if isinstance(found, Constant) else []


def _unsqueezed(at: Positions, axes: list[int]) -> Positions:
    rank = len(at) + len(axes)
    new = {axis % rank for axis in axes}
    old = iter(at)
    return tuple(None if i in new else next(old) for i in range(rank))
