"""Operations on vector registers for numba: one intrinsic each.

Sequences stand side by side in lanes: `Lanes` holds a 16-bit number for each of 128 sequences,
in four registers of 512 bits, `Bytes` one of 8 bits, and `Mask` a bit.  A `Table` is 32 numbers of
16 bits in one register, a `ByteTable` 64 of 8.  LLVM lets vectors be longer than registers and
splits them, so one line of a kernel is four instructions without a loop around them.  Random words
have theirs in `pimsim.kernels.register_draws`, tables for 256-bit registers in
`pimsim.kernels.narrow_registers`.

Needs AVX-512BW and VBMI2, or AVX2; `available` says whether the compiler's target has them, `wide`
which.
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

BIT, BYTE, SHORT, INT, LONG = (ir.IntType(width) for width in (1, 8, 16, 32, 64))
_SHORTS = ir.VectorType(SHORT, 32)
_BYTES = ir.VectorType(BYTE, 64)


def _features() -> set[str]:
    """CPU features that the compiler may use (NUMBA_CPU_NAME asks for another CPU's)."""
    if numba.config.CPU_NAME:  # type: ignore[attr-defined]
        flags = (numba.config.CPU_FEATURES or "").split(",")  # type: ignore[attr-defined]
        return {flag[1:] for flag in flags if flag.startswith("+")}
    return {name for name, has in binding.get_host_cpu_features().items() if has}


FEATURES = _features()
_compiled = not numba.config.DISABLE_JIT  # type: ignore[attr-defined]
wide = {"avx512f", "avx512bw", "avx512vbmi2"} <= FEATURES and _compiled
available = wide or ("avx2" in FEATURES and _compiled)
# With VBMI a look-up permutes bytes, in half the time of words on some CPUs; the two bytes of
# entry x are 2 x and 2 x + 1.  A selector of lane's entry x is SELECTOR_BASE + x SELECTOR_STEP.
_BYTEWISE = "avx512vbmi" in FEATURES
SELECTOR_BASE, SELECTOR_STEP = (0x0100, 0x0202) if _BYTEWISE else (0, 1)
has_bytes = wide and _BYTEWISE
# A table holds the sums of five rows in 32 numbers of 16 bits; in 256-bit registers, of four
# rows in 16 low and 16 high bytes.
ROWS = 5 if wide else 4
ENTRIES = 32
# where sums fit bytes, those of six rows
BYTE_ROWS = 6
BYTE_ENTRIES = 1 << BYTE_ROWS


class Vector(types.Type):
    """A type of numba that is one vector of LLVM, or a whole number as long as one."""

    def __init__(self, name: str, vector: ir.Type) -> None:
        self.vector = vector
        super().__init__(name)

    @property
    def memory(self) -> ir.Type:
        """Type in memory: that of a mask is an integer of as many bits."""
        is_mask = isinstance(self.vector, ir.VectorType) and self.vector.element is BIT
        return ir.IntType(self.vector.count) if is_mask else self.vector


def vector_type(name: str, element: ir.Type, count: int) -> Vector:
    """A new type of vectors."""
    return _new_type(name, ir.VectorType(element, count))


def _new_type(name: str, vector: ir.Type) -> Vector:
    made: Vector = type(name, (Vector,), {})(name, vector)

    @register_model(type(made))
    class _Model(models.PrimitiveModel):
        def __init__(self, manager: Any, numba_type: Any) -> None:
            super().__init__(manager, numba_type, vector)  # type: ignore[no-untyped-call]

    return made


lanes_type = vector_type("Lanes", SHORT, LANES)
bytes_type = vector_type("Bytes", BYTE, LANES)
# without registers for masks they are integers, which LLVM keeps in two of the others
mask_type = vector_type("Mask", BIT, LANES) if wide else _new_type("Mask", ir.IntType(LANES))
table_type = vector_type("Table", SHORT, ENTRIES)
byte_table_type = vector_type("ByteTable", BYTE, BYTE_ENTRIES)


def address(context: Any, builder: Any, array_type: Any, array: Any, index: Any, kind: Any) -> Any:
    """Address of `array[index]`, a C-contiguous array of one dimension, as that of `kind`."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), kind.as_pointer())


def align_of(array_type: Any) -> int:
    """Alignment of a vector in an array, that of one element [bytes]."""
    return int(array_type.dtype.bitwidth) // 8


def loader(kind: Vector, memory: Any = None, extend: str = "bitcast") -> Any:
    """load(array, index): a vector from array[index] on, of elements as in `memory` extended."""
    memory = memory or kind.memory

    @intrinsic
    def load(typing: Any, array: Any, index: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, index = arguments
            place = address(context, builder, signature.args[0], array, index, memory)
            value = builder.load(place, align=align_of(signature.args[0]))
            return getattr(builder, extend)(value, kind.vector)

        return kind(array, types.int64), build

    return load


def storer(kind: Vector, memory: Any = None, cut: str = "bitcast") -> Any:
    """store(array, index, value): a vector from array[index] on, of elements cut as in `memory`."""
    memory = memory or kind.memory

    @intrinsic
    def store(typing: Any, array: Any, index: Any, value: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, index, value = arguments
            place = address(context, builder, signature.args[0], array, index, memory)
            value = getattr(builder, cut)(value, memory)
            builder.store(value, place, align=align_of(signature.args[0]))
            return context.get_dummy_value()

        return types.void(array, types.int64, kind), build

    return store


# load_x(array, index) reads from array[index] on; store_x(array, index, value) writes
load_lanes, load_bytes, load_mask, load_table, load_byte_table = map(
    loader, (lanes_type, bytes_type, mask_type, table_type, byte_table_type)
)
store_lanes, store_bytes, store_mask = map(storer, (lanes_type, bytes_type, mask_type))


def operation(result: Vector, operands: tuple[Vector, ...], emit: Callable[..., Any]) -> Any:
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


def splatter(kind: Vector, number: types.Integer) -> Any:
    """in_all(number): the same number in all lanes."""

    @intrinsic
    def splat(typing: Any, value: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value, vector = arguments[0], kind.vector
            if value.type != vector.element:
                value = builder.trunc(value, vector.element)
            undefined = ir.Constant(vector, ir.Undefined)
            first = builder.insert_element(undefined, value, ir.Constant(INT, 0))
            zeros = ir.Constant(ir.VectorType(INT, vector.count), [0] * vector.count)
            return builder.shuffle_vector(first, undefined, zeros)

        return kind(number), build

    return splat


in_all, in_all_bytes = splatter(lanes_type, types.int64), splatter(bytes_type, types.int64)

# sum of each lane
add, add_bytes = (
    operation(kind, (kind, kind), lambda builder, a, b: builder.add(a, b))
    for kind in (lanes_type, bytes_type)
)


def _where(builder: Any, mask: Any, a: Any) -> Any:
    if wide:
        return builder.select(mask, a, ir.Constant(a.type, None))
    # LLVM would take a mask apart bit by bit: each byte gets the eight bits that its own is among
    words = builder.bitcast(mask, ir.VectorType(BYTE, LANES // 8))
    spread = ir.Constant(ir.VectorType(INT, LANES), [lane // 8 for lane in range(LANES)])
    among = builder.shuffle_vector(words, ir.Constant(words.type, ir.Undefined), spread)
    own = ir.Constant(among.type, [1 << lane % 8 for lane in range(LANES)])
    chosen = builder.icmp_unsigned("==", builder.and_(among, own), own)
    return builder.select(chosen, a, ir.Constant(a.type, None))


def _greater(builder: Any, a: Any, b: Any) -> Any:
    if wide:
        return builder.icmp_signed(">", a, b)
    # 32 at a time: LLVM would make longer masks bit by bit
    words = [
        builder.bitcast(builder.icmp_signed(">", *parts), INT)
        for parts in zip(pieces(builder, a, 32), pieces(builder, b, 32), strict=True)
    ]
    return join_integers(builder, words)


# lanes whose bit is 1, and 0 in the others
where, where_bytes = (
    operation(kind, (mask_type, kind), _where) for kind in (lanes_type, bytes_type)
)
# the same numbers in 16 bits
widen = operation(lanes_type, (bytes_type,), lambda builder, a: builder.sext(a, lanes_type.vector))
# lanes in which a > b, both signed
greater = operation(mask_type, (lanes_type, lanes_type), _greater)
both = operation(mask_type, (mask_type, mask_type), lambda builder, a, b: builder.and_(a, b))
either = operation(mask_type, (mask_type, mask_type), lambda builder, a, b: builder.or_(a, b))
differ = operation(mask_type, (mask_type, mask_type), lambda builder, a, b: builder.xor(a, b))
invert = operation(mask_type, (mask_type,), lambda builder, a: builder.not_(a))


def _look_up_shorts(builder: Any, table: Any, selectors: Any) -> Any:
    found = []
    for selector in pieces(builder, selectors, ENTRIES):
        if _BYTEWISE:
            operands = [builder.bitcast(x, _BYTES) for x in (table, selector)]
            entries = call(builder, "llvm.x86.avx512.permvar.qi.512", _BYTES, operands)
            found.append(builder.bitcast(entries, _SHORTS))
        else:
            name = "llvm.x86.avx512.permvar.hi.512"
            found.append(call(builder, name, _SHORTS, [table, selector]))
    return join(builder, found)


def _look_up_bytes(builder: Any, table: Any, selectors: Any) -> Any:
    name = "llvm.x86.avx512.permvar.qi.512"
    parts = pieces(builder, selectors, BYTE_ENTRIES)
    return join(builder, [call(builder, name, _BYTES, [table, part]) for part in parts])


# entry of the table that each lane's selector names: VPERMB, or VPERMW
look_up = operation(lanes_type, (table_type, lanes_type), _look_up_shorts)
look_up_bytes = operation(bytes_type, (byte_table_type, bytes_type), _look_up_bytes)


@intrinsic
def _append(typing: Any, lanes: Any, mask: Any, array: Any, position: Any) -> Any:
    """Write the lanes whose bit is 1 one after the other; returns the position after the last one.

    Up to a register's worth of elements beyond that position is overwritten, and must exist.
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes, mask, array, position = arguments
        nothing = ir.Constant(_SHORTS, None)
        parts = zip(pieces(builder, lanes, 32), pieces(builder, mask, 32), strict=True)
        for part, bits in parts:
            name = "llvm.x86.avx512.mask.compress.v32i16"
            packed = call(builder, name, _SHORTS, [part, nothing, bits])
            place = address(context, builder, signature.args[2], array, position, _SHORTS)
            builder.store(packed, place, align=2)
            count = builder.ctpop(builder.bitcast(bits, INT))
            position = builder.add(position, builder.zext(count, LONG))
        return position

    return types.int64(lanes_type, mask_type, array, types.int64), build


append: Any = _append


def call(builder: Any, name: str, result: ir.Type, operands: list[Any]) -> Any:
    """Call an LLVM intrinsic by its name."""
    kind = ir.FunctionType(result, [operand.type for operand in operands])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), operands)


def pieces(builder: Any, vector: Any, count: int) -> list[Any]:
    """Cut a vector into pieces of `count` lanes."""
    undefined = ir.Constant(vector.type, ir.Undefined)
    index = ir.VectorType(INT, count)
    return [
        builder.shuffle_vector(
            vector, undefined, ir.Constant(index, list(range(first, first + count)))
        )
        for first in range(0, vector.type.count, count)
    ]


def join_integers(builder: Any, parts: list[Any]) -> Any:
    """Join integers into one, the first in its low bits."""
    while len(parts) > 1:
        bits = parts[0].type.width
        double = ir.IntType(2 * bits)
        pairs = [
            [builder.zext(x, double) for x in pair]
            for pair in zip(parts[::2], parts[1::2], strict=True)
        ]
        parts = [
            builder.or_(low, builder.shl(high, ir.Constant(double, bits))) for low, high in pairs
        ]
    return parts[0]


def join(builder: Any, parts: list[Any]) -> Any:
    """Inverse of `pieces`."""
    while len(parts) > 1:
        count = 2 * parts[0].type.count
        order = ir.Constant(ir.VectorType(INT, count), list(range(count)))
        pairs = zip(parts[::2], parts[1::2], strict=True)
        parts = [builder.shuffle_vector(left, right, order) for left, right in pairs]
    return parts[0]
