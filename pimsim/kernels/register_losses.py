"""Operations on vector registers for losses along wires: sums of products for 128 sequences.

`Losses` holds a 32-bit number for each sequence, in eight registers of 512 bits.  VPMADDWD
multiplies pairs of 16-bit numbers and adds both products, so two blocks of rows are taken at once:
their numbers are interleaved as VPUNPCKLWD and VPUNPCKHWD do it, within every eight of a register,
and the losses stay in that order until they are rounded.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pimsim.kernels.registers import (
    INT,
    LANES,
    SHORT,
    address,
    align_of,
    call,
    join,
    lanes_type,
    operation,
    pieces,
    vector_type,
)

losses_type = vector_type("Losses", INT, LANES)
_SHORTS, _INTS = ir.VectorType(SHORT, 32), ir.VectorType(INT, 16)
_FLOATS = ir.VectorType(ir.FloatType(), LANES)
# numbers of a pair of blocks
PAIR = 2 * LANES


def _interleaved(builder: Any, first: Any, second: Any) -> list[Any]:
    """Pairs of numbers of two vectors of lanes, in eight registers."""
    found = []
    for a, b in zip(pieces(builder, first, 32), pieces(builder, second, 32), strict=True):
        for half in (0, 4):
            order = [
                8 * eight + half + i + 32 * side
                for eight in range(4)
                for i in range(4)
                for side in range(2)
            ]
            mask = ir.Constant(ir.VectorType(INT, 32), order)
            found.append(builder.shuffle_vector(a, b, mask))
    return found


@intrinsic
def _no_losses(typing: Any) -> Any:
    """Losses of 0."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(losses_type.vector, None)

    return losses_type(), build


@intrinsic
def _store_pairs(typing: Any, array: Any, index: Any, first: Any, second: Any) -> Any:
    """Write the numbers of two blocks interleaved, from array[index] on."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index, first, second = arguments
        kind = signature.args[0]
        for i, pairs in enumerate(_interleaved(builder, first, second)):
            place = builder.add(index, ir.Constant(index.type, 32 * i))
            place = address(context, builder, kind, array, place, _SHORTS)
            builder.store(pairs, place, align=align_of(kind))
        return context.get_dummy_value()

    return types.void(array, types.int64, lanes_type, lanes_type), build


@intrinsic
def _add_products(
    typing: Any, losses: Any, first: Any, second: Any, weights: Any, index: Any
) -> Any:
    """Add the sums of two blocks times their weights, from `store_pairs` at weights[index]."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        losses, first, second, weights, index = arguments
        kind, name = signature.args[3], "llvm.x86.avx512.pmaddw.d.512"
        totals = []
        parts = zip(pieces(builder, losses, 16), _interleaved(builder, first, second), strict=True)
        for i, (total, pairs) in enumerate(parts):
            place = builder.add(index, ir.Constant(index.type, 32 * i))
            place = address(context, builder, kind, weights, place, _SHORTS)
            own = builder.load(place, align=align_of(kind))
            totals.append(builder.add(total, call(builder, name, _INTS, [pairs, own])))
        return join(builder, totals)

    return losses_type(losses_type, lanes_type, lanes_type, weights, types.int64), build


@intrinsic
def _lost(typing: Any, losses: Any, scale: Any) -> Any:
    """`pimsim.kernels.drop.lost` of all lanes, in 16 bits and in the order of the sequences."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        losses, scale = arguments
        index = ir.VectorType(INT, LANES)
        undefined = ir.Constant(_FLOATS, ir.Undefined)
        first = builder.insert_element(undefined, scale, ir.Constant(INT, 0))
        factor = builder.shuffle_vector(first, undefined, ir.Constant(index, [0] * LANES))
        product = builder.fmul(builder.sitofp(losses, _FLOATS), factor)
        half = ir.Constant(_FLOATS, [0.5] * LANES)
        whole = call(builder, f"llvm.floor.v{LANES}f32", _FLOATS, [builder.fadd(product, half)])
        found = builder.trunc(builder.fptosi(whole, losses.type), lanes_type.vector)
        # of 32 sequences, the first four of each eight come first
        order = [
            32 * (lane // 32) + 16 * (lane % 8 // 4) + 4 * (lane % 32 // 8) + lane % 4
            for lane in range(LANES)
        ]
        return builder.shuffle_vector(
            found, ir.Constant(found.type, ir.Undefined), ir.Constant(index, order)
        )

    return lanes_type(losses_type, types.float32), build


no_losses: Any = _no_losses
store_pairs: Any = _store_pairs
add_products: Any = _add_products
lost: Any = _lost
subtract = operation(lanes_type, (lanes_type, lanes_type), lambda builder, a, b: builder.sub(a, b))
