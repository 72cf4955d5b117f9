"""Layers with weights: products, convolutions, GRU."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.importers.onnx.node import Node
from pimsim.importers.onnx.values import ROW, STEPS, Axis, Constant, Signal
from pimsim.importers.onnx.windows import require_map, windows
from pimsim.importers.ops import Conv, Dense, Gru, LastStep, Real, Scaled


def gemm(node: Node) -> Signal:
    """A B + C, with B and C from the file."""
    x = node.signal()
    if x.core != ROW or x.axes != ROW:
        raise node.refuse(f"reads {x}; it needs rows of numbers", "Put a Flatten before it")
    node.require("transA", 0, "Export a Linear layer, which keeps its rows")
    weight = _weight(node, 1)
    if node.attribute("transB", 0):
        weight = _transposed(weight, (1, 0))
    alpha, beta = float(node.attribute("alpha", 1.0)), float(node.attribute("beta", 1.0))
    bias = None
    if node.constant(2) is not None:
        bias = beta * node.numbers(2)
    return _dense(node, x, weight, alpha, bias)


def matmul(node: Node) -> Signal:
    """x W: a dense layer for each row or time step; a convolution of one place on a map."""
    if isinstance(node.tensor(0), Constant):
        raise node.refuse(
            "multiplies weights by a signal from the left", "Export x W, with the signal first"
        )
    x = node.signal()
    weight = _weight(node, 1)
    if x.axes[-1] is not Axis.CHANNEL:
        raise node.refuse(
            f"sums over the axis '{x.axes[-1]}' of {x}; sums over channels are supported",
            "Flatten the signal before, or transpose its channels to the end",
        )
    return _dense(node, x, weight, 1.0, None)


def _dense(node: Node, x: Signal, weight: Constant, alpha: float, bias: Real | None) -> Signal:
    n_in, n_out = _shape(node, weight, 2)
    if n_in != x.channels:
        raise node.refuse(
            f"has weights for {n_in} numbers, and gets {x.channels}", "Export the network again"
        )
    scaled = _scaled(node, weight, 1, alpha)
    values = alpha * node.finite(weight.values, "weights")
    bias = _bias(node, bias, n_out)
    has_places = Axis.X in x.axes or Axis.Y in x.axes
    if has_places:
        name = node.emit(
            Conv, x, weight=values[None, None], bias=bias,
            scaled=scaled and replace(scaled, levels=scaled.levels[None, None]),
        )  # fmt: skip
    else:
        name = node.emit(Dense, x, weight=values, bias=bias, scaled=scaled)
    sizes = tuple(
        n_out if axis is Axis.CHANNEL else size for axis, size in zip(x.axes, x.sizes, strict=True)
    )
    return Signal(name, x.axes, sizes)


def conv(node: Node) -> Signal:
    """Convolution of sequences and maps."""
    x = node.signal()
    require_map(node, x)
    weight = _weight(node, 1)
    values = node.finite(weight.values, "weights")
    if values.ndim != len(x.axes):
        raise node.refuse(
            f"has weights of shape {values.shape} for {x}", "Export the network again"
        )
    groups = int(node.attribute("group", 1))
    n_out, each = values.shape[:2]
    if groups < 1 or n_out % groups or each * groups != x.channels:
        raise node.refuse(
            f"has weights of shape {values.shape} in {groups} groups, and gets {x.channels} "
            "channels",
            "Export the network again",
        )
    node.require("kernel_shape", list(values.shape[2:]), "Export the network again")
    window = windows(node, x, values.shape[2:])
    bias = _bias(node, node.numbers(2) if node.constant(2) is not None else None, n_out)
    scaled = _scaled(node, weight, 0)
    name = node.emit(
        Conv,
        x,
        weight=_channels_last(values),
        bias=bias,
        stride=window.stride,
        padding=window.padding,
        dilation=window.dilation,
        groups=groups,
        scaled=scaled and replace(scaled, levels=_channels_last(scaled.levels)),
    )
    return Signal(name, x.axes, (x.sizes[0], n_out, *window.sizes))


def gru(node: Node) -> tuple[Signal, Signal]:
    """GRU: its states at all time steps, and the last one."""
    x = node.signal()
    if x.axes != STEPS:
        raise node.refuse(
            f"reads {x}; it needs time steps, items and numbers in this order",
            "Feed the network's input, dense layers or another GRU to it; places of a convolution "
            "are no time steps in pimsim",
        )
    forward = "Export a GRU of one direction"
    node.require("direction", "forward", forward)
    activations = node.attribute("activations", ["Sigmoid", "Tanh"])
    if [a.lower() for a in activations] != ["sigmoid", "tanh"]:
        raise node.refuse(
            f"has the activations {activations}", "Keep those of the standard, Sigmoid and Tanh"
        )
    if not node.attribute("linear_before_reset", 0):
        raise node.refuse(
            "applies its reset gate before the product with the recurrent weights "
            "(linear_before_reset = 0), which takes a second read of the arrays in each time step",
            "Train a GRU with the reset gate after the product, as that of PyTorch, or reset_after "
            "of Keras",
        )
    node.require("layout", 0, "Export it with time steps first")
    _check_state(node)
    weight, recurrent = node.numbers(1), node.numbers(2)
    n_hidden = int(node.attribute("hidden_size", recurrent.shape[-1]))
    shapes = (1, 3 * n_hidden, x.channels), (1, 3 * n_hidden, n_hidden)
    if (weight.shape, recurrent.shape) != shapes:
        raise node.refuse(
            f"has weights of shapes {weight.shape} and {recurrent.shape} instead of {shapes[0]} "
            f"and {shapes[1]}",
            "Export it again",
        )
    biases = np.zeros((1, 6 * n_hidden))
    if node.constant(3) is not None:
        biases = node.numbers(3)
    if biases.shape != (1, 6 * n_hidden):
        raise node.refuse(f"has biases of shape {biases.shape}", "Export it again")
    name = node.emit(
        Gru,
        x,
        below=_gates(weight[0], n_hidden).T,
        recurrent=_gates(recurrent[0], n_hidden).T,
        below_bias=_gates(biases[0, : 3 * n_hidden], n_hidden),
        recurrent_bias=_gates(biases[0, 3 * n_hidden :], n_hidden),
    )
    time, items, _ = x.sizes
    steps = Signal(
        name,
        (Axis.TIME, Axis.SINGLE, Axis.BATCH, Axis.CHANNEL),
        (time, 1, items, n_hidden),
    )
    last = node.emit(LastStep, steps, suffix=".last")
    return steps, Signal(last, (Axis.SINGLE, Axis.BATCH, Axis.CHANNEL), (1, items, n_hidden))


def _check_state(node: Node) -> None:
    if node.tensor(4) is not None:
        raise node.refuse(
            "reads the lengths of sequences", "Export it without them, for sequences of one length"
        )
    state = node.constant(5, takes_sizes=True)
    if state is not None and np.any(state.values):
        raise node.refuse("starts from a state that is not zero", "Start it from zeros")


def _gates(rows: Real, n_hidden: int) -> Real:
    """Rows of (update, reset, candidate), the order of ONNX, as (reset, update, candidate)."""
    update, reset, candidate = np.split(rows, 3)
    assert len(update) == n_hidden
    return np.concatenate([reset, update, candidate])


def _weight(node: Node, index: int) -> Constant:
    found = node.constant(index)
    if found is None:
        raise node.refuse("has no weights", "Export it again")
    return found


def _shape(node: Node, weight: Constant, rank: int) -> tuple[int, ...]:
    if weight.values.ndim != rank:
        raise node.refuse(
            f"has weights of shape {weight.values.shape}; {rank} axes are needed",
            "Export a Linear layer",
        )
    return weight.values.shape


def _bias(node: Node, bias: Real | None, n_out: int) -> Real:
    if bias is None:
        return np.zeros(n_out)
    if bias.size not in (1, n_out) or bias.shape[-1:] not in ((), (1,), (n_out,)):
        raise node.refuse(
            f"has a bias of shape {bias.shape} for {n_out} outputs", "Export the network again"
        )
    return np.broadcast_to(bias.ravel(), (n_out,)).copy()


def _transposed(weight: Constant, order: tuple[int, ...]) -> Constant:
    return Constant(
        weight.values.transpose(order),
        None if weight.levels is None else weight.levels.transpose(order),
        None if weight.scale is None else weight.scale.transpose(order),
    )


def _channels_last(values: NDArray[Any]) -> NDArray[Any]:
    """(out, in, [y,] x) as (y, x, in, out), with height 1 for a sequence."""
    if values.ndim == 3:
        values = values[:, :, None]
    return values.transpose(2, 3, 1, 0)


def _scaled(node: Node, weight: Constant, out_axis: int, alpha: float = 1.0) -> Scaled | None:
    """Whole numbers of quantised weights, in the order of the file, with their scales."""
    if weight.levels is None or weight.scale is None:
        return None
    scale = weight.scale
    if scale.size != scale.shape[out_axis]:
        raise node.refuse(
            f"has weights with scales of shape {scale.shape}",
            "Quantise them with one scale, or one for each output channel",
        )
    if alpha <= 0:
        raise node.refuse(f"has alpha = {alpha:g}", "Export a Linear layer")
    return Scaled(weight.levels, alpha * (scale.ravel() if scale.size > 1 else scale.reshape(())))
