"""bfloat16 in kernels: the uint16 of its bits, the upper half of a float32.

Operands of a kernel are such words or float32 numbers; `wide` and `narrow` take both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic, overload

# there is no division by zero; Python's check for it would prevent vectorisation
INLINE: dict[str, Any] = {"inline": "always", "error_model": "numpy"}


def _bitcast(target: ir.Type, result: types.Type, operand: types.Type) -> Any:
    """An operation that reads the bits of one type as another."""
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        scalars = np.dtype(result.name).type, np.dtype(operand.name).type
        return lambda value: scalars[1](value).view(scalars[0])

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], target)

    def typed(context: Any, value: Any) -> Any:
        return result(operand), build

    return intrinsic(typed)


float_of = _bitcast(ir.FloatType(), types.float32, types.uint32)
_bits_of = _bitcast(ir.IntType(32), types.uint32, types.float32)


@njit(**INLINE)
def _of_half(word):  # type: ignore[no-untyped-def]
    """bfloat16 to float32."""
    return float_of(np.uint32(np.uint32(word) << np.uint32(16)))


@njit(**INLINE)
def _to_half(value):  # type: ignore[no-untyped-def]
    """float32 to bfloat16, to nearest, ties to even."""
    bits = _bits_of(np.float32(value))
    half = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return np.uint16((bits + half) >> np.uint32(16))


def wide(operand: Any) -> Any:
    """An operand as float32."""
    return _of_half(operand) if isinstance(operand, np.uint16) else operand


@overload(wide)
def _compile_wide(operand):  # type: ignore[no-untyped-def]
    if operand == types.uint16:
        return lambda operand: _of_half(operand)
    return lambda operand: operand


def narrow(value: Any, like: Any) -> Any:
    """float32 to the operand type of `like`."""
    return _to_half(value) if isinstance(like, np.uint16) else np.float32(value)


@overload(narrow)
def _compile_narrow(value, like):  # type: ignore[no-untyped-def]
    if like == types.uint16:
        return lambda value, like: _to_half(value)
    return lambda value, like: np.float32(value)
