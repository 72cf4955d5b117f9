"""An ONNX file to the operations of a trained network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, numpy_helper
from onnx.external_data_helper import uses_external_data
from onnx.inliner import inline_local_functions

from pimsim.errors import DataError, Place
from pimsim.files import read_bytes
from pimsim.importers.onnx import fold, linear
from pimsim.importers.onnx.axes import input_signal, sizes_of
from pimsim.importers.onnx.node import Node
from pimsim.importers.onnx.operators import AFTER_CLASS, CLASS, QONNX_DOMAINS, READERS, unsupported
from pimsim.importers.onnx.values import Axis, Constant, Signal, Tensor
from pimsim.importers.ops import INPUT, Conv, Dense, NetworkImportError, Norm, Op, Trained

MAX_BYTES = 1 << 28


def read(path: Path) -> Trained:
    """Read a trained network; see `pimsim.importers.onnx.read_onnx`."""
    model = _load(path)
    tensors: dict[str, Tensor | None] = {"": None}
    tensors |= _initializers(model.graph, path)
    name, first = input_signal(model, tensors, path)
    tensors[name] = first
    ops: list[Op] = []
    versions = {o.domain: o.version for o in model.opset_import}
    taken = {INPUT}
    for index, proto in enumerate(model.graph.node):
        label = _unique(proto.name or f"{proto.op_type}_{index}", taken)
        inputs = [tensors[tensor] for tensor in proto.input]
        node = Node(proto, label, inputs, versions.get(proto.domain, 1), path, ops)
        outputs = _read_node(node)
        if len(proto.output) > len(outputs):
            _check_unused(model.graph, node, set(proto.output[len(outputs) :]))
        tensors |= dict(zip(proto.output, outputs, strict=False))
    last = _output(model.graph, tensors, path)
    return Trained(
        ops=_merge_biases(_reaching(ops, last.op)),
        sizes=sizes_of(first),
        has_steps=Axis.TIME in first.axes,
        source=_source(model, path),
    )


def _load(path: Path) -> onnx.ModelProto:
    place = Place(path)
    content = read_bytes(path, "an ONNX file", MAX_BYTES, DataError)
    try:
        model = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise DataError(
            "is no ONNX file", place=place, remedy="It may have been cut short; export it again"
        ) from error
    for tensor in _tensors(model.graph):
        if uses_external_data(tensor):  # a path that the file chooses; nothing is read from it
            raise DataError(
                f"keeps the tensor '{tensor.name}' in another file",
                place=place,
                remedy="Save it as one file, as with "
                "onnx.save(onnx.load('model.onnx'), 'whole.onnx')",
            )
    try:
        if model.functions:
            model = inline_local_functions(model)
        # files of QONNX do not always name the versions of its operators
        missing = {node.domain for node in model.graph.node} - {
            o.domain for o in model.opset_import
        }
        model.opset_import.extend(onnx.helper.make_opsetid(d, 1) for d in sorted(missing))
        onnx.checker.check_model(model)
    except Exception as error:  # the checker is not in Python, and raises many kinds
        said = " ".join(str(error).split())[:300]
        raise DataError(
            f"is no valid ONNX file ({said})", place=place, remedy="Export it again"
        ) from error
    return model


def _tensors(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    """All tensors that a graph holds, in nodes and their own graphs too."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for inside in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else ())):
                yield from _tensors(inside)


def _initializers(graph: onnx.GraphProto, path: Path) -> dict[str, Constant]:
    if graph.sparse_initializer:
        raise NetworkImportError(
            "holds sparse tensors", place=Place(path), remedy="Export dense weights"
        )
    found = {}
    for tensor in graph.initializer:
        try:
            found[tensor.name] = Constant(numpy_helper.to_array(tensor))
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(
                f"holds a damaged tensor '{tensor.name}' ({error})",
                place=Place(path),
                remedy="Export it again",
            ) from error
    return found


def _unique(name: str, taken: set[str]) -> str:
    """The name, or the name with a number where another node has it."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    taken.add(found)
    return found


def _read_node(node: Node) -> tuple[Tensor, ...]:
    if fold.can_fold(node):
        return fold.fold(node)
    after = next((t for t in node.peek() if isinstance(t, Signal) and t.is_class), None)
    if after is not None and node.type in AFTER_CLASS:
        return (after,)
    whole = linear.carried(node)
    reader = READERS.get((_family(node.proto.domain), node.type))
    if reader is None or (after is not None and node.type not in CLASS):
        raise unsupported(node)
    read = reader(node)
    node.check_all_read()
    found = read if isinstance(read, tuple) else (read,)
    if whole is None:
        return found
    return tuple(replace(t, whole=whole) if isinstance(t, Signal) else t for t in found)


def _family(domain: str) -> str:
    """The one name for the domains of QONNX, and for the standard's."""
    if domain in QONNX_DOMAINS:
        return "qonnx"
    return "" if domain == "ai.onnx" else domain


def _check_unused(graph: onnx.GraphProto, node: Node, names: set[str]) -> None:
    """Refuse a further output of a node that something reads."""
    read = {name for other in graph.node for name in other.input}
    read |= {output.name for output in graph.output}
    for name in sorted((names - {""}) & read):
        raise node.refuse(
            f"has an output '{name}' that is used and not supported",
            "Use the first output of the node alone",
        )


def _output(graph: onnx.GraphProto, tensors: dict[str, Tensor | None], path: Path) -> Signal:
    """The signal of the scores; several outputs have to mean the same class."""
    found = [(output.name, tensors.get(output.name)) for output in graph.output]
    signals = [signal for _, signal in found if isinstance(signal, Signal)]
    if len(signals) < len(found) or len({signal.op for signal in signals}) != 1:
        names = ", ".join(f"'{name}'" for name, _ in found) or "none"
        raise NetworkImportError(
            f"has outputs {names}; one output with the scores of the classes is needed",
            place=Place(path),
            remedy="Export a network that returns its scores alone",
        )
    if signals[0].op == INPUT:
        raise NetworkImportError(
            "computes nothing", place=Place(path), remedy="Export a network with weights"
        )
    return signals[0]


def _reaching(ops: list[Op], last: str) -> list[Op]:
    """Operations that the output depends on."""
    wanted = {last}
    for op in reversed(ops):
        if op.name in wanted:
            wanted |= set(op.inputs)
    return [op for op in ops if op.name in wanted]


def _merge_biases(ops: list[Op]) -> tuple[Op, ...]:
    """Put an addition of constants straight after weights into their bias.

    Frameworks export a dense layer as a product and a sum.
    """
    n_readers = {op.name: sum(op.name in other.inputs for other in ops) for op in ops}
    merged: dict[str, Op] = {}
    renamed: dict[str, str] = {}
    for op in ops:
        op = replace(op, inputs=tuple(renamed.get(name, name) for name in op.inputs))
        below = merged.get(op.inputs[0])
        is_sum = isinstance(op, Norm) and bool((op.scale == 1).all())
        if is_sum and isinstance(below, Dense | Conv) and n_readers[below.name] == 1:
            assert isinstance(op, Norm)
            merged[below.name] = replace(below, bias=below.bias + op.shift)
            renamed[op.name] = below.name
            n_readers[below.name] = n_readers[op.name]
        else:
            merged[op.name] = op
    return tuple(merged.values())


def _source(model: onnx.ModelProto, path: Path) -> dict[str, str]:
    made = " ".join(word for word in (model.producer_name, model.producer_version) if word)
    opset = max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)
    source = {"framework": "ONNX", "file": path.name, "opset": str(opset)}
    return source | ({"producer": made} if made else {})
