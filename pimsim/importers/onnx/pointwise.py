"""Activations, normalisation, arithmetic with constants, and signals that meet."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np

from pimsim.importers.onnx.node import Node
from pimsim.importers.onnx.values import Axis, Constant, Signal
from pimsim.importers.ops import Activation, Add, Concat, Norm, Real


def activation(node: Node) -> Signal:
    """Relu, Sigmoid, Tanh and Sign, whose names pimsim shares.

    At 0 itself, Sign gives 0 in ONNX, and -1 here.
    """
    x = node.signal()
    return replace(x, op=node.emit(Activation, x, kind=node.type.lower()))


def clip(node: Node) -> Signal:
    """Clip: ReLU from 0 up, else hardtanh with its bounds."""
    x = node.signal()
    low = float(node.attribute("min", -inf))  # attributes in old files, inputs since opset 11
    high = float(node.attribute("max", inf))
    low = low if (found := node.constant(1)) is None else float(found.values.reshape(()))
    high = high if (found := node.constant(2)) is None else float(found.values.reshape(()))
    largest = float(np.finfo(np.float32).max)  # stands for no bound in old files
    if low == 0 and high >= largest:
        return replace(x, op=node.emit(Activation, x, kind="relu"))
    if low <= -largest or high >= largest or low >= high:
        raise node.refuse(f"clips to {low:g}..{high:g}", "Clip to two finite bounds, or use Relu")
    return replace(x, op=node.emit(Activation, x, kind="hardtanh", low=low, high=high))


def batch_normalization(node: Node) -> Signal:
    """Batch normalisation in evaluation: a scale and a shift of each channel."""
    x = node.signal()
    if len(x.axes) < 2 or x.axes[1] is not Axis.CHANNEL:
        raise node.refuse(f"reads {x}, whose second axis counts no channels", "Normalise channels")
    node.require("training_mode", 0, "Export the network in evaluation mode, by model.eval()")
    node.require("spatial", 1, "Export it for opset 9 or later")
    scale, shift, mean, variance = (node.numbers(i) for i in range(1, 5))
    factor = scale / np.sqrt(variance + node.attribute("epsilon", 1e-5))
    if any(values.shape != (x.channels,) for values in (factor, shift, mean)):
        raise node.refuse(
            f"has values of shape {factor.shape} for {x.channels} channels", "Export it again"
        )
    return replace(x, op=node.emit(Norm, x, scale=factor, shift=shift - mean * factor))


def arithmetic(node: Node) -> Signal:
    """Add, Sub, Mul, Div: of a signal and a constant; Add of two signals."""
    first, second = node.tensor(0), node.tensor(1)
    if isinstance(first, Signal) and isinstance(second, Signal):
        if node.type == "Add":
            return add(node)
        raise node.refuse(
            f"computes {node.type} of two signals, '{first.op}' and '{second.op}'",
            "Two signals meet in Add and Concat only, as in residual networks",
        )
    at = 0 if isinstance(first, Signal) else 1
    x = node.signal(at)
    values = _per_channel(node, x, 1 - at)
    one, none = np.ones(1), np.zeros(1)
    if node.type == "Add":
        scale, shift = one, values
    elif node.type == "Sub":
        scale, shift = (one, -values) if at == 0 else (-one, values)
    elif node.type == "Mul":
        scale, shift = values, none
    else:
        if at == 1 or not values.all():
            raise node.refuse(
                "divides by a signal or by zero", "Divide by constants that are not zero"
            )
        scale, shift = 1 / values, none
    return replace(x, op=node.emit(Norm, x, scale=scale, shift=shift))


def negate(node: Node) -> Signal:
    """Neg: times -1."""
    x = node.signal()
    name = node.emit(Norm, x, scale=-np.ones(1), shift=np.zeros(1))
    return replace(x, op=name)


def _per_channel(node: Node, x: Signal, index: int) -> Real:
    """Constant (channels,) or (1,) from one that numpy would broadcast to a signal."""
    values = node.numbers(index)
    channel = x.axes.index(Axis.CHANNEL)
    shape = (1,) * (len(x.axes) - values.ndim) + values.shape
    others = [size for axis, size in enumerate(shape) if axis != channel]
    if len(shape) != len(x.axes) or any(size != 1 for size in others):
        raise node.refuse(
            f"has a constant of shape {values.shape} for {x}",
            "Use one number, or one for each channel",
        )
    if shape[channel] not in (1, x.channels):
        raise node.refuse(
            f"has a constant of {shape[channel]} numbers for {x.channels} channels",
            "Export it again",
        )
    return values.ravel()


def add(node: Node) -> Signal:
    """Sum of signals of one shape."""
    signals = _signals(node)
    first = signals[0]
    for other in signals[1:]:
        if (other.axes, other.known) != (first.axes, first.known):
            raise node.refuse(
                f"adds {first} and {other}",
                "Add signals of one shape; one that holds for a whole map cannot be spread over it",
            )
    return first if len(signals) == 1 else replace(first, op=node.emit(Add, *signals))


def concat(node: Node) -> Signal:
    """Channels of signals, one after the other."""
    signals = _signals(node)
    first = signals[0]
    axis = node.axis_of(int(node.attribute("axis", 1)), len(first.axes))
    if first.axes[axis] is not Axis.CHANNEL:
        raise node.refuse(f"joins along the axis '{first.axes[axis]}'", "Join along channels")
    for other in signals[1:]:
        if other.axes != first.axes or any(
            a != b for i, (a, b) in enumerate(zip(other.known, first.known, strict=True))
            if i != axis
        ):  # fmt: skip
            raise node.refuse(f"joins {first} and {other}", "Join maps of equal sides")
    channels = sum(signal.channels for signal in signals)
    sizes = tuple(channels if i == axis else size for i, size in enumerate(first.sizes))
    return Signal(node.emit(Concat, *signals), first.axes, sizes)


def _signals(node: Node) -> list[Signal]:
    tensors = node.tensors
    signals = [tensor for tensor in tensors if isinstance(tensor, Signal)]
    if len(signals) < len(tensors) or not signals:
        constant = next((t for t in tensors if isinstance(t, Constant)), None)
        shape = None if constant is None else constant.values.shape
        raise node.refuse(
            f"joins a signal with a constant of shape {shape}", "Join signals with signals"
        )
    return signals
