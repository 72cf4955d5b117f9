"""Operations on 256-bit registers for numba: one intrinsic each.

A `Part` is a byte for each of 32 sequences of a block, in one register; some operations take its
bytes for 16 numbers of 16 bits.  A `Half` is the low or the high bytes of a table of 16 sums.

Needs AVX2.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pimsim.kernels.register_draws import few_type
from pimsim.kernels.registers import (
    BYTE,
    INT,
    SHORT,
    address,
    call,
    loader,
    operation,
    splatter,
    storer,
    vector_type,
)

# sequences of a part
PART = 32

_BYTES, _SHORTS = ir.VectorType(BYTE, PART), ir.VectorType(SHORT, PART // 2)
_ENTRIES = ir.VectorType(BYTE, PART // 2)

part_type = vector_type("Part", BYTE, PART)
load_part = loader(part_type)
store_few = storer(few_type)
in_part = splatter(part_type, types.int64)
in_few = splatter(few_type, types.int64)


@intrinsic
def _load_half(typing: Any, array: Any, index: Any) -> Any:
    """16 bytes from array[index] on, twice: a look-up sees half a register (VBROADCASTI128)."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index = arguments
        place = address(context, builder, signature.args[0], array, index, _ENTRIES)
        entries = builder.load(place, align=1)
        order = ir.Constant(ir.VectorType(INT, PART), 2 * list(range(PART // 2)))
        return builder.shuffle_vector(entries, ir.Constant(_ENTRIES, ir.Undefined), order)

    return part_type(array, types.int64), build


def _look_up(builder: Any, half: Any, selectors: Any) -> Any:
    return call(builder, "llvm.x86.avx2.pshuf.b", _BYTES, [half, selectors])


def _in_shorts(builder: Any, *parts: Any) -> list[Any]:
    return [builder.bitcast(part, _SHORTS) for part in parts]


def _add_shorts(builder: Any, a: Any, b: Any) -> Any:
    return builder.bitcast(builder.add(*_in_shorts(builder, a, b)), _BYTES)


def _odd_bytes(builder: Any, a: Any) -> Any:
    shift = ir.Constant(_SHORTS, [8] * (PART // 2))
    return builder.bitcast(builder.lshr(*_in_shorts(builder, a), shift), _BYTES)


@intrinsic
def _put_together(typing: Any, high: Any, pairs: Any, odd: Any) -> Any:
    """16-bit sums of what halves added up to, modulo 2^16.

    `high` is sums of high bytes, `pairs` of low bytes taken in 16 bits as they lie, so that an odd
    sequence's stand 256 times in those of the even one before it, and `odd` of the odd ones.
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        high, pairs, odd = _in_shorts(builder, *arguments)
        eight = ir.Constant(_SHORTS, [8] * (PART // 2))
        upper = ir.Constant(_SHORTS, [0xFF00] * (PART // 2))
        of_even = builder.add(builder.sub(pairs, builder.shl(odd, eight)), builder.shl(high, eight))
        of_odd = builder.add(odd, builder.and_(high, upper))
        order = [k for i in range(PART // 2) for k in (i, PART // 2 + i)]
        return builder.shuffle_vector(of_even, of_odd, ir.Constant(ir.VectorType(INT, PART), order))

    return few_type(part_type, part_type, part_type), build


load_half: Any = _load_half
put_together: Any = _put_together
# entry that each sequence's selector names: VPSHUFB
look_up = operation(part_type, (part_type, part_type), _look_up)
# sums of bytes, and of what lies in 16 bits
add = operation(part_type, (part_type, part_type), lambda builder, a, b: builder.add(a, b))
add_shorts = operation(part_type, (part_type, part_type), _add_shorts)
# the bytes of odd sequences, in 16 bits
odd_bytes = operation(part_type, (part_type,), _odd_bytes)
add_few = operation(few_type, (few_type, few_type), lambda builder, a, b: builder.add(a, b))
