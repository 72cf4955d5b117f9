"""Operations on 512-bit registers for numba: one intrinsic each.

Sequences stand side by side in lanes: `Lanes` holds a 16-bit number for each of 128 sequences,
in four registers, and `Mask` a bit for each.  A `Table` is 32 numbers of 16 bits in one register;
`Draws` are 32 words of 64 bits.  LLVM lets vectors be longer than registers and splits them, so
one line of a kernel is four instructions without a loop around them.

Needs AVX-512BW and VBMI2; `available` says whether the compiler's target has them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

LANES = 128
# sequences are 128 to a block and 64 to a word of bits
WORDS = LANES // 64
# sums of five rows fit a table
ROWS = 5
ENTRIES = 1 << ROWS
# random words drawn at once
DRAWS = 32

_BIT, _BYTE, _SHORT, _INT, _LONG = (ir.IntType(width) for width in (1, 8, 16, 32, 64))
_REGISTER = ir.VectorType(_SHORT, ENTRIES)
_BYTES = ir.VectorType(_BYTE, 64)


def _features() -> set[str]:
    """CPU features that the compiler may use (NUMBA_CPU_NAME asks for another CPU's)."""
    if numba.config.CPU_NAME:  # type: ignore[attr-defined]
        flags = (numba.config.CPU_FEATURES or "").split(",")  # type: ignore[attr-defined]
        return {flag[1:] for flag in flags if flag.startswith("+")}
    return {name for name, has in binding.get_host_cpu_features().items() if has}


FEATURES = _features()
available = {"avx512f", "avx512bw", "avx512vbmi2"} <= FEATURES and not numba.config.DISABLE_JIT  # type: ignore[attr-defined]
# With VBMI a look-up permutes bytes, in half the time of words on some CPUs; the two bytes of
# entry x are 2 x and 2 x + 1.  A selector of lane's entry x is SELECTOR_BASE + x SELECTOR_STEP.
_BYTEWISE = "avx512vbmi" in FEATURES
SELECTOR_BASE, SELECTOR_STEP = (0x0100, 0x0202) if _BYTEWISE else (0, 1)


class _Vector(types.Type):
    """A type of numba that is one vector of LLVM."""

    def __init__(self, name: str, vector: ir.VectorType) -> None:
        self.vector = vector
        super().__init__(name)


def _vector_type(name: str, element: ir.Type, count: int) -> _Vector:
    vector = ir.VectorType(element, count)
    made: _Vector = type(name, (_Vector,), {})(name, vector)

    @register_model(type(made))
    class _Model(models.PrimitiveModel):
        def __init__(self, manager: Any, numba_type: Any) -> None:
            super().__init__(manager, numba_type, vector)  # type: ignore[no-untyped-call]

    return made


lanes_type = _vector_type("Lanes", _SHORT, LANES)
mask_type = _vector_type("Mask", _BIT, LANES)
table_type = _vector_type("Table", _SHORT, ENTRIES)
draws_type = _vector_type("Draws", _LONG, DRAWS)


def _address(
    context: Any, builder: Any, array_type: Any, array: Any, index: Any, vector: Any
) -> Any:
    """Address of `array[index]`, a C-contiguous array of one dimension, as that of a vector."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


def _loader(kind: _Vector) -> Any:
    @intrinsic
    def load(typing: Any, array: Any, index: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, index = arguments
            place = _address(context, builder, signature.args[0], array, index, _memory(kind))
            return builder.bitcast(builder.load(place, align=2), kind.vector)

        return kind(array, types.int64), build

    return load


def _storer(kind: _Vector) -> Any:
    @intrinsic
    def store(typing: Any, array: Any, index: Any, value: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, index, value = arguments
            place = _address(context, builder, signature.args[0], array, index, _memory(kind))
            builder.store(builder.bitcast(value, _memory(kind)), place, align=2)
            return context.get_dummy_value()

        return types.void(array, types.int64, kind), build

    return store


def _memory(kind: _Vector) -> Any:
    """A mask lies in memory as an integer of so many bits."""
    return ir.IntType(LANES) if kind is mask_type else kind.vector


# load_x(array, index) reads from array[index] on; store_x(array, index, value) writes
load_lanes, load_mask, load_table, load_draws = map(
    _loader, (lanes_type, mask_type, table_type, draws_type)
)
store_lanes, store_mask, store_draws = map(_storer, (lanes_type, mask_type, draws_type))


def _operation(result: _Vector, operands: tuple[_Vector, ...], emit: Callable[..., Any]) -> Any:
    """An intrinsic of vectors alone: `emit(builder, *operands)` gives the result."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return emit(builder, *arguments)

    if len(operands) == 1:

        @intrinsic
        def one(typing: Any, a: Any) -> Any:
            return result(*operands), build

        return one

    @intrinsic
    def two(typing: Any, a: Any, b: Any) -> Any:
        return result(*operands), build

    return two


# sum of each lane
add = _operation(lanes_type, (lanes_type, lanes_type), lambda builder, a, b: builder.add(a, b))
# lanes in which a > b, both signed
greater = _operation(
    mask_type, (lanes_type, lanes_type), lambda builder, a, b: builder.icmp_signed(">", a, b)
)
both = _operation(mask_type, (mask_type, mask_type), lambda builder, a, b: builder.and_(a, b))
either = _operation(mask_type, (mask_type, mask_type), lambda builder, a, b: builder.or_(a, b))
differ = _operation(mask_type, (mask_type, mask_type), lambda builder, a, b: builder.xor(a, b))
invert = _operation(mask_type, (mask_type,), lambda builder, a: builder.not_(a))
# low halves of 64-bit words, high halves, and whole words that differ
low_half = _operation(
    draws_type, (draws_type,), lambda builder, a: builder.and_(a, _all_draws((1 << 32) - 1))
)
high_half = _operation(
    draws_type, (draws_type,), lambda builder, a: builder.lshr(a, _all_draws(32))
)
toggle = _operation(draws_type, (draws_type, draws_type), lambda builder, a, b: builder.xor(a, b))
# products of 64-bit words; of two halves VPMULUDQ
multiply = _operation(draws_type, (draws_type, draws_type), lambda builder, a, b: builder.mul(a, b))


def _all_draws(value: int) -> Any:
    return ir.Constant(draws_type.vector, [value] * DRAWS)


def _splat(builder: Any, value: Any, vector: ir.VectorType) -> Any:
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(_INT, 0))
    zeros = ir.Constant(ir.VectorType(_INT, vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, undefined, zeros)


@intrinsic
def _in_all(typing: Any, number: Any) -> Any:
    """The same number in all lanes."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _splat(builder, builder.trunc(arguments[0], _SHORT), lanes_type.vector)

    return lanes_type(types.int64), build


@intrinsic
def _in_draws(typing: Any, word: Any) -> Any:
    """The same word for all draws."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _splat(builder, arguments[0], draws_type.vector)

    return draws_type(types.uint64), build


@intrinsic
def _where(typing: Any, mask: Any, lanes: Any) -> Any:
    """The lanes whose bit is 1, and 0 in the others."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zero = ir.Constant(lanes_type.vector, [0] * LANES)
        return builder.select(arguments[0], arguments[1], zero)

    return lanes_type(mask_type, lanes_type), build


@intrinsic
def _look_up(typing: Any, table: Any, selectors: Any) -> Any:
    """Entry of the table that each lane's selector names: VPERMB, or VPERMW."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        table, selectors = arguments
        found = []
        for selector in _registers(builder, selectors):
            if _BYTEWISE:
                operands = [builder.bitcast(x, _BYTES) for x in (table, selector)]
                entries = _call(builder, "llvm.x86.avx512.permvar.qi.512", _BYTES, operands)
                found.append(builder.bitcast(entries, _REGISTER))
            else:
                name = "llvm.x86.avx512.permvar.hi.512"
                found.append(_call(builder, name, _REGISTER, [table, selector]))
        return _join(builder, found)

    return lanes_type(table_type, lanes_type), build


@intrinsic
def _append(typing: Any, lanes: Any, mask: Any, array: Any, position: Any) -> Any:
    """Write the lanes whose bit is 1 one after the other; returns where the next one would go.

    Up to a register's worth beyond that place is overwritten, and must be there.
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes, mask, array, position = arguments
        nothing = ir.Constant(_REGISTER, [0] * ENTRIES)
        for part, bits in zip(_registers(builder, lanes), _registers(builder, mask), strict=True):
            name = "llvm.x86.avx512.mask.compress.v32i16"
            packed = _call(builder, name, _REGISTER, [part, nothing, bits])
            place = _address(context, builder, signature.args[2], array, position, _REGISTER)
            builder.store(packed, place, align=2)
            count = builder.ctpop(builder.bitcast(bits, _INT))
            position = builder.add(position, builder.zext(count, _LONG))
        return position

    return types.int64(lanes_type, mask_type, array, types.int64), build


in_all: Any = _in_all
in_draws: Any = _in_draws
where: Any = _where
look_up: Any = _look_up
append: Any = _append


def _call(builder: Any, name: str, result: ir.Type, operands: list[Any]) -> Any:
    kind = ir.FunctionType(result, [operand.type for operand in operands])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), operands)


def _registers(builder: Any, vector: Any) -> list[Any]:
    """A vector's pieces of 32 lanes."""
    undefined = ir.Constant(vector.type, ir.Undefined)
    index = ir.VectorType(_INT, ENTRIES)
    return [
        builder.shuffle_vector(
            vector, undefined, ir.Constant(index, list(range(first, first + ENTRIES)))
        )
        for first in range(0, LANES, ENTRIES)
    ]


def _join(builder: Any, pieces: list[Any]) -> Any:
    """Inverse of `_registers`."""
    while len(pieces) > 1:
        count = 2 * pieces[0].type.count
        order = ir.Constant(ir.VectorType(_INT, count), list(range(count)))
        pairs = zip(pieces[::2], pieces[1::2], strict=True)
        pieces = [builder.shuffle_vector(left, right, order) for left, right in pairs]
    return pieces[0]
