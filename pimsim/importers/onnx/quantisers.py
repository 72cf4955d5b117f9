"""Quantisers of QONNX: of weights to whole numbers and a scale, of signals to steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pimsim.importers.onnx.node import Node
from pimsim.importers.onnx.values import Constant, Signal, Tensor
from pimsim.importers.ops import Quantise, Real

MAX_BITS = 32


def quant(node: Node) -> Tensor:
    """Quant: (clip(round(x / scale + zero), lowest, highest) - zero) scale.

    Rounds halves to even.  One bit with sign gives -scale and +scale, as in qonnx.
    """
    x, scale, zero = _source(node), node.numbers(1), node.numbers(2)
    bits = _bits(node)
    is_signed, is_narrow = bool(node.attribute("signed", 1)), bool(node.attribute("narrow", 0))
    rounding = str(node.attribute("rounding_mode", "ROUND")).upper()
    if rounding not in ("ROUND", "HALF_EVEN"):
        raise node.refuse(
            f"rounds by {rounding}", "Round to the nearest whole number, by rounding_mode ROUND"
        )
    _check_scale(node, scale)
    if (np.round(zero) != zero).any() or (np.abs(zero) > 2**MAX_BITS).any():
        raise node.refuse("has a zero point that is no whole number", "Use whole zero points")
    if bits == 1 and is_signed:
        if zero.any():
            raise node.refuse("has a zero point with one bit", "Use BipolarQuant")
        return _bipolar(node, x, scale)
    # as the standard of QONNX has it: narrow leaves out the lowest or, without a sign, the highest
    lowest = -(2 ** (bits - 1)) + is_narrow if is_signed else 0
    highest = 2 ** (bits - 1) - 1 if is_signed else 2**bits - 1 - is_narrow
    if isinstance(x, Constant):
        # in float32, as the networks were trained and as qonnx computes: halves fall alike
        with np.errstate(over="ignore"):  # what overflows is clipped
            whole = np.round(np.float32(x.values) / np.float32(scale) + np.float32(zero))
        levels = np.clip(whole, lowest, highest).astype(np.int64) - zero.astype(np.int64)
        return _levels(x, levels, scale)
    step, point = _single(node, scale, "scales"), _single(node, zero, "zero points")
    return _signal(node, x, scale=step, lowest=lowest, highest=highest, zero_point=int(point))


def bipolar_quant(node: Node) -> Tensor:
    """BipolarQuant: -scale below 0, +scale from 0 on."""
    x, scale = _source(node), node.numbers(1)
    _check_scale(node, scale)
    return _bipolar(node, x, scale)


def _bipolar(node: Node, x: Tensor | None, scale: Real) -> Tensor:
    if isinstance(x, Constant):
        return _levels(x, np.where(x.values >= 0, 1, -1), scale)
    return _signal(node, x, scale=_single(node, scale, "scales"), is_bipolar=True)


def _levels(x: Constant, levels: np.ndarray, scale: Real) -> Constant:
    """Constant of whole numbers; its scale gets as many axes."""
    spread = scale.reshape((1,) * (levels.ndim - scale.ndim) + scale.shape)
    return Constant(levels * spread, levels.astype(np.int64), spread)


def _signal(node: Node, x: Tensor | None, **fields: Any) -> Signal:
    if not isinstance(x, Signal):
        raise node.refuse("reads nothing", "Export it again")
    return replace(x, op=node.emit(Quantise, x, **fields))


def _source(node: Node) -> Tensor | None:
    """Weights, which have to be finite, or a signal."""
    x = node.tensor(0)
    if isinstance(x, Constant):
        node.finite(x.values, "weights")
    return x


def _bits(node: Node) -> int:
    found = np.unique(node.numbers(3))
    if found.size != 1 or found[0] != np.round(found[0]) or not 1 <= found[0] <= MAX_BITS:
        raise node.refuse(
            f"has bit widths {found.tolist()}", f"Use one whole number from 1 to {MAX_BITS}"
        )
    return int(found[0])


def _check_scale(node: Node, scale: Real) -> None:
    if (scale <= 0).any():
        raise node.refuse(f"has a scale of {scale.min():g}", "Scales are above 0")


def _single(node: Node, values: Real, what: str) -> float:
    """The one number of a quantiser of signals."""
    found = np.unique(values)
    if found.size != 1:
        raise node.refuse(
            f"has {found.size} different {what} for a signal", "Quantise signals with one scale"
        )
    return float(found[0])
