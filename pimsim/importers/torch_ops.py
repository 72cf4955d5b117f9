"""Operations of torch, one by one, as those of `ops`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pimsim.importers import ops
from pimsim.importers.ops import NetworkImportError, Real

if TYPE_CHECKING:
    from pimsim.importers.torch_graph import Reader


def _linear(reader: Reader, node: Any) -> None:
    weight = reader.constant(node.args[1])
    assert weight is not None
    bias = reader.constant(node.args[2]) if len(node.args) > 2 else None
    bias = np.zeros(len(weight)) if bias is None else bias
    source = reader.signal(node.args[0])
    reader.add(node, ops.Dense(reader.name_of(node), (source,), weight.T, bias))


def _conv(reader: Reader, node: Any, sides: int) -> None:
    arguments = [*node.args, *[None] * (7 - len(node.args))]
    weight, bias = reader.constant(arguments[1]), reader.constant(arguments[2])
    assert weight is not None
    weight = weight if sides == 2 else weight[:, :, None]
    name = reader.name_of(node)
    if isinstance(arguments[4], str):
        raise NetworkImportError(
            f"{name} has padding '{arguments[4]}'", remedy="Give it as a number"
        )
    op = ops.Conv(
        name,
        (reader.signal(node.args[0]),),
        weight.transpose(2, 3, 1, 0),
        np.zeros(len(weight)) if bias is None else bias,
        _pair(arguments[3], 1, sides),
        _pair(arguments[4], 0, sides),
        _pair(arguments[5], 1, sides),
        1 if arguments[6] is None else int(arguments[6]),
    )
    reader.add(node, op)


def _batch_norm(reader: Reader, node: Any) -> None:
    scale, shift, mean, variance = (reader.constant(node.args[i]) for i in range(1, 5))
    if mean is None or variance is None:
        raise NetworkImportError(
            f"{reader.path(node)} has no running mean", remedy="Set track_running_stats"
        )
    epsilon = float(node.args[7])
    factor = 1 / np.sqrt(variance + epsilon) * (1 if scale is None else scale)
    offset = -mean * factor + (0 if shift is None else shift)
    reader.add(node, ops.Norm(reader.name_of(node), (reader.signal(node.args[0]),), factor, offset))


def _activate(reader: Reader, node: Any, kind: str, low: float = -1.0, high: float = 1.0) -> None:
    source = (reader.signal(node.args[0]),)
    reader.add(node, ops.Activation(reader.name_of(node), source, kind, low, high))


def _hardtanh(reader: Reader, node: Any) -> None:
    bounds = [*node.args[1:3], *(-1.0, 1.0)[len(node.args) - 1 :]]
    _activate(reader, node, "hardtanh", float(bounds[0]), float(bounds[1]))


def _clamp(reader: Reader, node: Any) -> None:
    low, high = (*node.args[1:], None, None)[:2]
    if low is None or high is None:
        if low == 0:
            _activate(reader, node, "relu")
            return
        raise NetworkImportError(f"{reader.path(node)} clamps on one side", remedy="Use ReLU")
    _activate(reader, node, "hardtanh", float(low), float(high))


def _pool(reader: Reader, node: Any, kind: str, sides: int) -> None:
    arguments = [*node.args[1:], *[None] * 6]
    size = _pair(arguments[0], 1, sides)
    stride = _pair(arguments[1] or arguments[0], 1, sides)
    extra = arguments[3:5] if kind == "max" else arguments[3:4]
    if any(value not in (None, False, 1, [1], [1, 1]) for value in extra):
        raise NetworkImportError(f"{reader.path(node)} is a dilated or rounded-up pool")
    padding = _pair(arguments[2], 0, sides)
    source = (reader.signal(node.args[0]),)
    reader.add(node, ops.Pool(reader.name_of(node), source, kind, size, stride, padding))


def _whole(reader: Reader, node: Any) -> None:
    reader.add(
        node, ops.Pool(reader.name_of(node), (reader.signal(node.args[0]),), "average", None)
    )


def _adaptive(reader: Reader, node: Any) -> None:
    size = node.args[1] if isinstance(node.args[1], list | tuple) else [node.args[1]]
    if any(side != 1 for side in size):
        raise NetworkImportError(
            f"{reader.path(node)} pools to {list(size)}", remedy="Pool to 1, or by windows"
        )
    _whole(reader, node)


def _mean(reader: Reader, node: Any) -> None:
    axes = sorted(axis % len(reader.shape(node.args[0])) for axis in node.args[1])
    if axes != list(range(2, len(reader.shape(node.args[0])))):
        raise NetworkImportError(
            f"{reader.path(node)} takes a mean over axes {axes}",
            remedy="Take it over all places of a map",
        )
    _whole(reader, node)
    kept = len(node.args) > 2 and node.args[2]
    if not kept:
        pooled = reader.ops[-1].name
        reader.add(node, ops.Flatten(f"{pooled}.row", (pooled,)))


def _combine(reader: Reader, node: Any, sign: float) -> None:
    """A sum of two signals, or of a signal and a constant."""
    first, second = node.args[:2]
    if reader.is_signal(first) and reader.is_signal(second):
        if sign < 0:
            raise NetworkImportError(
                f"{reader.path(node)} takes a difference", remedy="Add, with weights turned"
            )
        sources = (reader.signal(first), reader.signal(second))
        reader.add(node, ops.Add(reader.name_of(node), sources))
        return
    if not reader.is_signal(first):
        if sign < 0:
            raise NetworkImportError(f"{reader.path(node)} subtracts a signal from a number")
        first, second = second, first
    _norm(reader, node, first, np.ones(1), sign * _channels(reader, second))


def _mul(reader: Reader, node: Any) -> None:
    first, second = node.args[:2]
    if reader.is_signal(first) and reader.is_signal(second):
        raise NetworkImportError(
            f"{reader.path(node)} multiplies two signals", remedy="Use a GRU for gates"
        )
    if not reader.is_signal(first):
        first, second = second, first
    _norm(reader, node, first, _channels(reader, second), np.zeros(1))


def _div(reader: Reader, node: Any) -> None:
    if not reader.is_signal(node.args[0]) or reader.is_signal(node.args[1]):
        raise NetworkImportError(f"{reader.path(node)} divides by a signal")
    _norm(reader, node, node.args[0], 1 / _channels(reader, node.args[1]), np.zeros(1))


def _norm(reader: Reader, node: Any, source: Any, scale: Real, shift: Real) -> None:
    reader.add(node, ops.Norm(reader.name_of(node), (reader.signal(source),), scale, shift))


def _channels(reader: Reader, value: Any) -> Real:
    """A constant of one number, or of one for each channel."""
    found = reader.constant(value)
    assert found is not None
    if found.size > 1 and sum(side > 1 for side in found.shape) > 1:
        raise NetworkImportError(f"a constant of shape {found.shape} is no number per channel")
    return np.ravel(found)


def _cat(reader: Reader, node: Any) -> None:
    axis = node.args[1] if len(node.args) > 1 else 0
    n_axes = len(reader.shape(node))
    wanted = 1 if n_axes != 3 or not reader.has_steps() else 2
    if axis % n_axes != wanted:
        raise NetworkImportError(f"{reader.path(node)} joins along axis {axis}, not channels")
    sources = tuple(reader.signal(argument) for argument in node.args[0])
    reader.add(node, ops.Concat(reader.name_of(node), sources))


def _flatten(reader: Reader, node: Any) -> None:
    source, shape = node.args[0], reader.shape(node)
    if len(shape) != 2:
        raise NetworkImportError(f"{reader.path(node)} flattens to {len(shape)} axes")
    if len(reader.shape(source)) == 2:
        reader.signals[node.name] = reader.signal(source)
        return
    reader.add(node, ops.Flatten(reader.name_of(node), (reader.signal(source),)))


def _squeeze(reader: Reader, node: Any) -> None:
    if len(reader.shape(node)) == 2:
        _flatten(reader, node)
        return
    raise NetworkImportError(f"{reader.path(node)} takes axes away", remedy="Use flatten")


def _gru(reader: Reader, node: Any) -> None:
    (signal, _, held, has_biases, n_layers, _, _, is_bidirectional, is_batch_first) = node.args
    path = reader.path(node)
    source = _one_way(reader, node, signal, is_bidirectional, is_batch_first)
    each = 4 if has_biases else 2
    for layer in range(n_layers):
        parts = [reader.constant(p) for p in held[layer * each : (layer + 1) * each]]
        below, recurrent = (np.asarray(part).T for part in parts[:2])
        biases = parts[2:] if has_biases else [np.zeros(below.shape[1])] * 2
        name = path if n_layers == 1 else f"{path}.{layer}"
        op = ops.Gru(
            name, (source,), below, recurrent, np.asarray(biases[0]), np.asarray(biases[1])
        )
        reader.ops.append(op)
        source = name
    reader.signals[node.name] = source


def _lstm(reader: Reader, node: Any) -> None:
    (signal, _, held, has_biases, n_layers, _, _, is_bidirectional, is_batch_first) = node.args
    path = reader.path(node)
    source = _one_way(reader, node, signal, is_bidirectional, is_batch_first)
    each = 4 if has_biases else 2
    if len(held) != n_layers * each:
        raise NetworkImportError(f"{path} projects its state", remedy="Set proj_size=0")
    for layer in range(n_layers):
        parts = [reader.constant(p) for p in held[layer * each : (layer + 1) * each]]
        below, recurrent = (_lstm_columns(np.asarray(part).T) for part in parts[:2])
        biases = [_lstm_columns(np.asarray(part)) for part in parts[2:]]
        bias = np.sum(biases, axis=0) if biases else np.zeros(below.shape[1])
        name = path if n_layers == 1 else f"{path}.{layer}"
        reader.ops.append(ops.Lstm(name, (source,), np.vstack([recurrent, below]), bias))
        source = name
    reader.signals[node.name] = source


def _lstm_columns(columns: Real) -> Real:
    """Columns (input, forget, candidate, output), torch's order, as those of `ops.Lstm`."""
    add, forget, candidate, show = np.split(columns, 4, axis=-1)
    return np.concatenate([forget, add, show, candidate], axis=-1)


def require_zero_states(reader: Reader) -> None:
    """Raise a NetworkImportError for a recurrent module that begins with another state than 0."""
    for node in reader.graph.nodes:
        if node.op != "call_function" or reader.target(node) not in ("gru", "lstm"):
            continue
        given = node.args[1] if isinstance(node.args[1], list | tuple) else [node.args[1]]
        if not all(_is_zero(reader, state) for state in given):
            raise NetworkImportError(
                f"{reader.path(node)} begins with a state that it is given, and layers of chips "
                "begin with 0",
                remedy="Leave the initial state out",
            )


def _is_zero(reader: Reader, node: Any) -> bool:
    """Whether a value is 0, whatever it was made of."""
    if node.name in reader.held:
        return not bool((reader.held[node.name] != 0).any())
    target = reader.target(node)
    return target in ZEROS or (target in SHAPES and _is_zero(reader, node.args[0]))


def _one_way(
    reader: Reader, node: Any, signal: Any, is_bidirectional: bool, is_batch_first: bool
) -> str:
    """Signal that a recurrent module reads, step after step."""
    path = reader.path(node)
    if is_bidirectional:
        raise NetworkImportError(f"{path} is bidirectional", remedy="Use one direction")
    if not is_batch_first:
        raise NetworkImportError(f"{path} takes time first", remedy="Set batch_first=True")
    return reader.signal(signal)


def _getitem(reader: Reader, node: Any) -> None:
    # of a recurrent module: all steps, the state after the last one, or the cells after it
    if node.args[1] == 2 and node.users:
        raise NetworkImportError(
            f"{reader.path(node)} hands on its cells", remedy="Read its states alone"
        )
    reader.signals[node.name] = reader.signal(node.args[0])
    if node.args[1] == 1 and node.users:
        _last(reader, node, reader.signals[node.name])


def _last(reader: Reader, node: Any, source: str) -> None:
    reader.add(node, ops.LastStep(f"{source}.last", (source,)))


def _select(reader: Reader, node: Any) -> None:
    signal, axis, index = node.args
    source = reader.signal(signal)
    shape = reader.shape(signal)
    if isinstance(reader.op(source), ops.LastStep):
        # h[-1] of the states of all layers: the last layer's
        reader.signals[node.name] = source
        return
    if axis == 1 and len(shape) == 3 and index in (-1, shape[1] - 1):
        _last(reader, node, source)
        return
    raise NetworkImportError(
        f"{reader.path(node)} takes one part of a signal", remedy="Take the last time step"
    )


def _slice(reader: Reader, node: Any) -> None:
    if reader.shape(node) != reader.shape(node.args[0]):
        raise NetworkImportError(f"{reader.path(node)} cuts a part out of a signal")
    reader.signals[node.name] = reader.signal(node.args[0])


def _pair(value: Any, default: int, sides: int) -> tuple[int, int]:
    """(vertical, horizontal) of an argument; of sequences, the vertical one is the neutral one."""
    values = list(value) if isinstance(value, list | tuple) else [value] * sides
    values = [default if v is None else int(v) for v in values] or [default] * sides
    values = values * sides if len(values) == 1 else values
    neutral = 0 if default == 0 else 1
    return (neutral, values[0]) if sides == 1 else (values[0], values[1])


# operations that give zeros, and those that keep the values of their first argument
ZEROS = ("zeros", "zeros_like", "new_zeros")
SHAPES = ("expand", "repeat", "contiguous", "clone", "to", "unsqueeze", "view", "reshape",
          "detach", "alias", "lift_fresh_copy")  # fmt: skip
# what is done with each operation of torch, by its name
HANDLERS: dict[str, Callable[[Reader, Any], None]] = {
    "linear": _linear,
    "conv1d": partial(_conv, sides=1),
    "conv2d": partial(_conv, sides=2),
    "batch_norm": _batch_norm,
    "relu": partial(_activate, kind="relu"),
    "relu6": partial(_activate, kind="hardtanh", low=0.0, high=6.0),
    "sigmoid": partial(_activate, kind="sigmoid"),
    "tanh": partial(_activate, kind="tanh"),
    "sign": partial(_activate, kind="sign"),
    "hardtanh": _hardtanh,
    "clamp": _clamp,
    "max_pool1d": partial(_pool, kind="max", sides=1),
    "max_pool2d": partial(_pool, kind="max", sides=2),
    "avg_pool1d": partial(_pool, kind="average", sides=1),
    "avg_pool2d": partial(_pool, kind="average", sides=2),
    "adaptive_avg_pool1d": _adaptive,
    "adaptive_avg_pool2d": _adaptive,
    "mean": _mean,
    "add": partial(_combine, sign=1.0),
    "sub": partial(_combine, sign=-1.0),
    "mul": _mul,
    "div": _div,
    "cat": _cat,
    "flatten": _flatten,
    "view": _flatten,
    "reshape": _flatten,
    "squeeze": _squeeze,
    "gru": _gru,
    "lstm": _lstm,
    "getitem": _getitem,
    "select": _select,
    "slice": _slice,
}
