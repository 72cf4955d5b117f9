"""Operations on random words in vector registers for numba: one intrinsic each.

`Draws` are 32 words of 64 bits, in four registers of 512 bits, of which Philox reads the low
halves.  `Numbers` are 32 of 32 bits, in two registers, and `Few` 32 of 16 bits, in one.  A
`LookupRow` holds the probabilities of 32 neighbouring sums.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pimsim.kernels.registers import (
    BIT,
    BYTE,
    INT,
    LANES,
    LONG,
    SHORT,
    address,
    align_of,
    call,
    join,
    loader,
    operation,
    pieces,
    splatter,
    vector_type,
    wide,
)

# random words drawn at once
DRAWS = 32
# neighbouring sums whose probabilities fit two registers: -16 to 15
LOOKUP_SUMS = 32

_HALF_ROW = ir.VectorType(INT, LOOKUP_SUMS // 2)
draws_type = vector_type("Draws", LONG, DRAWS)
few_type = vector_type("Few", SHORT, DRAWS)
numbers_type = vector_type("Numbers", INT, DRAWS)
lookup_row_type = vector_type("LookupRow", INT, LOOKUP_SUMS)

load_few = loader(few_type)
load_draws = loader(draws_type)
in_draws = splatter(draws_type, types.uint64)


def _each(a: Any, number: int) -> Any:
    return ir.Constant(a.type, [number] * DRAWS)


def _low_half(builder: Any, a: Any) -> Any:
    return builder.and_(a, _each(a, (1 << 32) - 1))


def _high_half(builder: Any, a: Any) -> Any:
    return builder.lshr(a, _each(a, 32))


high_half = operation(draws_type, (draws_type,), _high_half)
toggle = operation(draws_type, (draws_type, draws_type), lambda builder, a, b: builder.xor(a, b))
# all 64 bits of the low halves' product: VPMULUDQ, which takes no notice of the high halves
multiply = operation(
    draws_type,
    (draws_type, draws_type),
    lambda builder, a, b: builder.mul(_low_half(builder, a), _low_half(builder, b)),
)


@intrinsic
def _load_lookup_row(typing: Any, array: Any, zero_index: Any) -> Any:
    """Probabilities of the sums from -16 to 15; that of sum 0 is array[zero_index]."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, zero_index = arguments
        halves = []
        for first in (0, -LOOKUP_SUMS // 2):
            index = builder.add(zero_index, ir.Constant(LONG, first))
            place = address(context, builder, signature.args[0], array, index, _HALF_ROW)
            halves.append(builder.load(place, align=align_of(signature.args[0])))
        return join(builder, halves)

    return lookup_row_type(array, types.int64), build


def _look_up(builder: Any, lookup_row: Any, sums: Any) -> Any:
    if not wide:
        return _look_up_narrow(builder, lookup_row, sums)
    # sums modulo 32 are 0 to 15, then -16 to -1
    rises, falls = pieces(builder, lookup_row, LOOKUP_SUMS // 2)
    name = "llvm.x86.avx512.vpermi2var.d.512"
    found = [
        call(builder, name, _HALF_ROW, [rises, builder.zext(part, _HALF_ROW), falls])
        for part in pieces(builder, sums, LOOKUP_SUMS // 2)
    ]
    return join(builder, found)


def _look_up_narrow(builder: Any, lookup_row: Any, sums: Any) -> Any:
    # the lowest three bits of a sum name one of eight probabilities, the next two which eight
    eighths = pieces(builder, lookup_row, 8)
    found = []
    for part in pieces(builder, sums, 8):
        index = builder.zext(part, eighths[0].type)
        named = [call(builder, "llvm.x86.avx2.permd", index.type, [x, index]) for x in eighths]
        upper, last = (
            builder.icmp_unsigned(
                "!=",
                builder.and_(index, ir.Constant(index.type, [bit] * 8)),
                ir.Constant(index.type, None),
            )
            for bit in (8, 16)
        )
        rises, falls = (builder.select(upper, *pair[::-1]) for pair in (named[:2], named[2:]))
        found.append(builder.select(last, falls, rises))
    return join(builder, found)


def _low_words(builder: Any, draws: Any) -> Any:
    # the even ones of 32-bit words: VPERMT2D; what LLVM makes of trunc is five times as long
    halves = builder.bitcast(draws, ir.VectorType(INT, 2 * DRAWS))
    even = ir.Constant(numbers_type.vector, list(range(0, 2 * DRAWS, 2)))
    return builder.shuffle_vector(halves, ir.Constant(halves.type, ir.Undefined), even)


def _pick(builder: Any, columns: Any, *words: Any) -> Any:
    odd, upper = (
        builder.icmp_unsigned(
            "!=",
            builder.and_(columns, _each(columns, bit)),
            _each(columns, 0),
        )
        for bit in (1, 2)
    )
    a, b, c, d = (_low_words(builder, word) for word in words)
    return builder.select(upper, builder.select(odd, d, c), builder.select(odd, b, a))


@intrinsic
def _pick_words(typing: Any, columns: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Pick one word of each draw by its column's low two bits: 0 for a, 1 for b ..."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _pick(builder, *arguments)

    return numbers_type(numbers_type, *[draws_type] * 4), build


def _gather(builder: Any, start: Any, indices: Any, scale: int) -> Any:
    """Load 32 bits from the address `start` + index x scale [bytes], for each index."""
    count = LOOKUP_SUMS // 2 if wide else 8
    vector = ir.VectorType(INT, count)
    nothing = ir.Constant(vector, None)
    if wide:
        name, each = "llvm.x86.avx512.mask.gather.dpi.512", ir.Constant(INT, scale)
        every = ir.Constant(ir.VectorType(BIT, count), [1] * count)
    else:
        name, each = "llvm.x86.avx2.gather.d.d.256", ir.Constant(BYTE, scale)
        every = ir.Constant(vector, [-1] * count)
    found = [
        call(builder, name, vector, [nothing, start, part, every, each])
        for part in pieces(builder, indices, count)
    ]
    return join(builder, found)


def _gatherer(width: int) -> Any:
    """gather(array, indices): elements of so many bits, shorter ones with their sign."""

    @intrinsic
    def gather(typing: Any, array: Any, indices: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, indices = arguments
            zero = ir.Constant(LONG, 0)
            start = address(context, builder, signature.args[0], array, zero, BYTE)
            words = _gather(builder, start, indices, width // 8)
            shift = _each(words, 32 - width)
            return words if width == 32 else builder.ashr(builder.shl(words, shift), shift)

        return numbers_type(array, numbers_type), build

    return gather


# of 32-bit elements; of 16-bit elements, with room for one more behind the last
gather, gather_short = _gatherer(32), _gatherer(16)


@intrinsic
def _below(typing: Any, words: Any, probabilities: Any) -> Any:
    """Bits of a uint32: the words that are less than their probabilities."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(builder.icmp_unsigned("<", *arguments), INT)

    return types.uint32(numbers_type, numbers_type), build


@intrinsic
def _positive(typing: Any, numbers: Any) -> Any:
    """Bits of a uint32: the numbers above 0."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zero = ir.Constant(numbers_type.vector, None)
        return builder.bitcast(builder.icmp_signed(">", arguments[0], zero), INT)

    return types.uint32(numbers_type), build


low_words = operation(numbers_type, (draws_type,), _low_words)
draws_of = operation(
    draws_type, (numbers_type,), lambda builder, a: builder.zext(a, draws_type.vector)
)
numbers_of = operation(
    numbers_type, (few_type,), lambda builder, a: builder.zext(a, numbers_type.vector)
)
add = operation(numbers_type, (numbers_type, numbers_type), lambda builder, a, b: builder.add(a, b))
# a quarter, rounded down, and times the sequences of a block
quarter = operation(numbers_type, (numbers_type,), lambda builder, a: builder.lshr(a, _each(a, 2)))
times_lanes = operation(
    numbers_type, (numbers_type,), lambda builder, a: builder.mul(a, _each(a, LANES))
)
pick_words: Any = _pick_words
positive: Any = _positive
load_lookup_row: Any = _load_lookup_row
below: Any = _below
# probabilities of sums from -16 to 15: VPERMI2D, or VPERMD and blends
look_up = operation(numbers_type, (lookup_row_type, few_type), _look_up)
