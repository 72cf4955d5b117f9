"""Layers with weights: products and convolutions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.importers.onnx.node import Node
from pimsim.importers.onnx.values import ROW, Axis, Constant, Signal
from pimsim.importers.onnx.windows import require_map, windows
from pimsim.importers.ops import Conv, Dense, Real, Scaled


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
