"""QuantizeLinear and DequantizeLinear, which stand in pairs around each layer (QDQ)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pimsim.importers.onnx.node import Node
from pimsim.importers.onnx.values import Constant, Signal, Tensor
from pimsim.importers.ops import Quantise, Real

# types of whole numbers that the standard has
_RANGES = {
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (2, 4, 8, 16)},
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (2, 4, 8, 16)},
}
MAX_BITS = 8
# operations that choose among whole numbers, or move them, and mean the same of real ones
CARRY = frozenset(
    ("DequantizeLinear", "MaxPool", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze",
     "Identity", "ReduceMax")
)  # fmt: skip


def quantize(node: Node) -> Tensor:
    """QuantizeLinear: clip(round(x / scale) + zero, lowest, highest); halves to even.

    Of a signal, the numbers that are meant stay real, (whole - zero) scale, and the pair's second
    node must undo what the first did.
    """
    x, scale, zero = node.tensor(0), _scale(node), node.constant(2)
    axis = _as_usual(node)
    kind = "uint8" if zero is None else str(zero.values.dtype)
    if kind not in _RANGES:
        raise node.refuse(
            f"quantises to {kind}", "Quantise to whole numbers of 8 bits, such as int8"
        )
    lowest, highest = _RANGES[kind]
    points = np.zeros(1, np.int64) if zero is None else zero.values.astype(np.int64)
    if isinstance(x, Constant):
        values = node.finite(x.values, "weights")
        each, shift = (_spread(node, part, values.ndim, axis) for part in (scale, points))
        # in float32, as the standard has it
        with np.errstate(over="ignore"):  # what overflows is clipped
            whole = np.round(np.float32(values) / np.float32(each)) + shift
        return Constant(np.clip(whole, lowest, highest).astype(np.int64))
    if not isinstance(x, Signal):
        raise node.refuse("reads nothing", "Export it again")
    if highest - lowest >= 2**MAX_BITS:
        raise node.refuse(
            f"quantises a signal to {kind}; {MAX_BITS} bits are the most",
            "Quantise signals to 8 bits, such as int8",
        )
    step, point = _one(node, scale, "scales"), int(_one(node, points, "zero points"))
    # without a zero point: numbers are rounded before it is added
    name = node.emit(Quantise, x, scale=step, lowest=lowest - point, highest=highest - point)
    return replace(x, op=name, whole=(step, point))


def dequantize(node: Node) -> Tensor:
    """DequantizeLinear: (x - zero) scale, of stored weights or after QuantizeLinear."""
    x, scale, zero = node.tensor(0), _scale(node), node.constant(2)
    axis = _as_usual(node)
    points = np.zeros(1, np.int64) if zero is None else zero.values.astype(np.int64)
    if isinstance(x, Constant):
        if np.asarray(x.values).dtype.kind not in "iu":
            raise node.refuse(
                f"reads {x.values.dtype}, which are no whole numbers", "Export it again"
            )
        each, shift = (_spread(node, part, x.values.ndim, axis) for part in (scale, points))
        levels = x.values.astype(np.int64) - shift
        return Constant(levels * each, levels, each)
    if not isinstance(x, Signal) or x.whole is None:
        raise node.refuse(
            "reads a signal that no QuantizeLinear has made whole",
            "Let the two stand in pairs, with one scale and zero point",
        )
    found = _one(node, scale, "scales"), int(_one(node, points, "zero points"))
    if found != x.whole:
        raise node.refuse(
            f"has the scale {found[0]:g} and zero point {found[1]}, and its signal was quantised "
            f"with {x.whole[0]:g} and {x.whole[1]}",
            "Let the two nodes of a pair have one scale and zero point",
        )
    return replace(x, whole=None)


def carried(node: Node) -> tuple[float, int] | None:
    """Scale and zero point of whole numbers that a node reads and hands on; None for none.

    Raises
    ------
    NetworkImportError
        If the node would compute with them.
    """
    found = [t for t in node.peek() if isinstance(t, Signal) and t.whole is not None]
    if found and node.type not in CARRY:
        raise node.refuse(
            f"computes with the whole numbers of '{found[0].op}'",
            "Put DequantizeLinear before it, as networks with pairs of both have it",
        )
    return found[0].whole if found and node.type != "DequantizeLinear" else None


def _scale(node: Node) -> Real:
    scale = node.numbers(1)
    if (scale <= 0).any():
        raise node.refuse(f"has a scale of {scale.min():g}", "Scales are above 0")
    return scale


def _as_usual(node: Node) -> int:
    """The axis of several scales; choices of newer versions that change numbers are refused."""
    node.require("block_size", 0, "Quantise with one scale, or one for each channel out")
    node.require("saturate", 1, "Quantise to whole numbers, such as int8")
    node.require("output_dtype", 0, "Give it a zero point, whose type is that of the result")
    node.require("precision", 0, "Compute scales in their own type")
    return int(node.attribute("axis", 1))


def _spread(node: Node, values: np.ndarray, rank: int, axis: int) -> np.ndarray:
    """One number, or those of an axis, with as many axes as the tensor."""
    if values.size == 1:
        return values.reshape((1,) * rank)
    if values.ndim != 1:
        raise node.refuse(
            f"has scales of shape {values.shape}", "Use one, or one for each channel out"
        )
    at = node.axis_of(axis, rank)
    return values.reshape([-1 if i == at else 1 for i in range(rank)])


def _one(node: Node, values: np.ndarray, what: str) -> float:
    """The one number of a quantiser of signals."""
    found = np.unique(values)
    if found.size != 1:
        raise node.refuse(
            f"has {found.size} different {what} for a signal", "Quantise signals with one scale"
        )
    return float(found[0])
