"""Sums of rows for 128 sequences side by side, by tables that fill a register.

Word lines are bits, so five rows of a column have 32 possible sums.  They fill a register of
16-bit numbers, and one look-up adds the five rows for the sequences of another register.  256-bit
registers only look up bytes: four rows have 16 sums, in halves that are looked up separately.
Where cells hold small numbers, as level units do on chips without cell variation, 64 sums of six
rows fit a register of bytes; they are added in bytes for as many rows as no sum leaves a byte, and
then in 16 bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange, types
from numba.extending import overload
from numpy.typing import NDArray

from pimsim.kernels import registers
from pimsim.kernels.by_class import by_class
from pimsim.kernels.half_sums import SIDE_BY_SIDE, add_up_halves
from pimsim.kernels.memory import aligned
from pimsim.kernels.registers import (
    BYTE_ENTRIES,
    BYTE_ROWS,
    ENTRIES,
    LANES,
    ROWS,
    SELECTOR_BASE,
    SELECTOR_STEP,
    WORDS,
)


class LaneTables(NamedTuple):
    """Cells of a tile, as tables of the sums of a few rows.

    Attributes
    ----------
    sums : (1 or n_chips, n_columns / 4, n_groups, 4, n_entries) int16, uint8 or int8
        From `build_tables`; columns rounded up to whole fours.
    start : (1 or n_chips, n_columns) int32
        Current of the rows that are always on, less the sense amplifier's offset.
    groups_in_bytes : int
        Groups that are added in bytes, from `byte_groups`; 0 for tables of 16-bit numbers.
    """

    sums: NDArray[np.int16]
    start: NDArray[np.int32]
    groups_in_bytes: int


def lane_tables(
    cells: NDArray[np.int32], start: NDArray[np.integer[Any]], groups_in_bytes: int = 0
) -> LaneTables:
    """Make `LaneTables` of cells (1 or n_chips, n_rows, n_columns).

    With `groups_in_bytes`, from `byte_groups`, they are tables of bytes.
    """
    n_chips, n_rows, n_columns = cells.shape
    in_bytes = groups_in_bytes > 0
    rows, entries = (BYTE_ROWS, BYTE_ENTRIES) if in_bytes else (ROWS, ENTRIES)
    # 256-bit registers take the sums' bytes apart
    kind = np.int8 if in_bytes else np.int16 if registers.wide else np.uint8
    fours, n_groups = -(-n_columns // SIDE_BY_SIDE), -(-n_rows // rows)
    sums = aligned((n_chips, fours, n_groups, SIDE_BY_SIDE, entries), kind)
    build_tables(cells, sums)
    padded = np.pad(start.astype(np.int32), ((0, 0), (0, -n_columns % SIDE_BY_SIDE)))
    return LaneTables(sums, padded, groups_in_bytes)


@njit(cache=True)
def rows_of(n_entries):  # type: ignore[no-untyped-def]
    """Number of rows whose sums a table of n entries holds."""
    return BYTE_ROWS if n_entries == BYTE_ENTRIES else ROWS


def byte_groups(cells: NDArray[np.int32]) -> int:
    """Number of tables of six rows, one after the other, whose sums fit a byte; 0 for none.

    Parameters
    ----------
    cells : (n_rows, n_columns) int32
    """
    n_groups = -(-len(cells) // BYTE_ROWS)
    for parts in range(1, n_groups + 1):
        size = -(-n_groups // parts)
        first = np.arange(0, len(cells), size * BYTE_ROWS)
        # of rows that raise a sum, and of rows that lower it
        rises = np.add.reduceat(np.maximum(cells, 0), first)
        falls = rises - np.add.reduceat(cells, first)
        if max(rises.max(), falls.max()) < 128:
            return size
        if size == 1:
            break
    return 0


@njit(cache=True, parallel=True, nogil=True)
def build_tables(cells, tables):  # type: ignore[no-untyped-def]
    """Compute the sums of all choices of a few rows.

    Parameters
    ----------
    cells : (n_chips, n_rows, n_columns) int32
        Differential currents.
    tables : (n_chips, n_columns / 4, n_groups, 4, n_entries) int16, uint8 or int8
        Overwritten: entry e of group g has the rows r g + i for which bit i of e is 1.  Columns
        are rounded up to whole fours and rows to whole groups, with currents of 0.  In uint8 the
        low bytes of all entries come first, then the high ones.
    """
    n_chips, n_rows, n_columns = cells.shape
    n_entries = 1 << rows_of(tables.shape[4])
    for job in prange(n_chips * tables.shape[1]):
        chip, four = job // tables.shape[1], job % tables.shape[1]
        row = 0
        table = np.zeros(n_entries, np.int16)
        for group in range(tables.shape[2]):
            for index in range(SIDE_BY_SIDE):
                column = SIDE_BY_SIDE * four + index
                size, next_row = 1, row
                while size < n_entries:
                    current = 0
                    if next_row < n_rows and column < n_columns:
                        current = cells[chip, next_row, column]
                    for entry in range(size):
                        table[size + entry] = table[entry] + current
                    size, next_row = 2 * size, next_row + 1
                _lay_down(table, tables[chip, four, group, index])
            row = next_row


@njit(cache=True)
def _lay_down(sums, table):  # type: ignore[no-untyped-def]
    n = sums.shape[0]
    for entry in range(n):
        table[entry] = sums[entry]
    if table.shape[0] == 2 * n:
        for entry in range(n):
            table[n + entry] = sums[entry] >> 8


@by_class
def new_memory(tile: Any) -> Any:
    """Make scratch memory for `add_lines`.

    Parameters
    ----------
    tile : LaneTables, or the class of `pimsim.kernels.wired_lanes`
    """
    raise NotImplementedError(type(tile))


@by_class
def add_lines(tile: Any, drawn: Any, lines: Any, selectors: Any, memory: Any, sums: Any) -> None:
    """Compute the distances from the threshold of all columns, for 128 sequences.

    Parameters
    ----------
    tile : as in `new_memory`
    drawn : int
        Index of the chip in the tile.
    lines : (r n_groups, WORDS) uint64
        Word lines of a block, row by row.
    selectors : (n_groups LANES,) of the tables' type
        Scratch memory.
    memory : from `new_memory`
    sums : (n_columns LANES,) int16
        Overwritten.
    """
    raise NotImplementedError(type(tile))


@new_memory.register(LaneTables)
def _new_memory(tile):  # type: ignore[no-untyped-def]
    return ()


@add_lines.register(LaneTables)
def _add_lines(tile, drawn, lines, selectors, memory, sums):  # type: ignore[no-untyped-def]
    select(lines.reshape(-1), selectors)
    add_up(tile.sums[drawn].reshape(-1), tile.groups_in_bytes, tile.start[drawn], selectors, sums)


def select(lines: Any, selectors: Any) -> None:
    """Compute the selectors of look-ups: the rows of each group that are on, for each sequence.

    Parameters
    ----------
    lines : (r n_groups WORDS,) uint64
        Word lines of a block, row by row.
    selectors : (n_groups LANES,) of the tables' type
        Overwritten.
    """
    raise NotImplementedError


def add_up(tables: Any, groups_in_bytes: Any, start: Any, selectors: Any, sums: Any) -> None:
    """Kirchhoff's current law for 128 sequences.

    Parameters
    ----------
    tables : (n_columns / 4 x n_groups x 4 x n_entries,) int16, uint8 or int8
        One chip's, from `build_tables`.
    groups_in_bytes : int
        As in `LaneTables`.
    start : (n_columns,) int32
        Current of the rows that are always on, less the offset.
    selectors : (n_groups LANES,) of the same type
    sums : (n_columns LANES,) int16
        Overwritten.
    """
    raise NotImplementedError


@overload(select)
def _select(lines, selectors):  # type: ignore[no-untyped-def]
    return _select_shorts if selectors.dtype == types.int16 else _select_bytes


@overload(add_up)
def _add_up(tables, groups_in_bytes, start, selectors, sums):  # type: ignore[no-untyped-def]
    if tables.dtype == types.uint8:
        return add_up_halves
    return _add_up_bytes if tables.dtype == types.int8 else _add_up_shorts


def _select_shorts(lines, selectors):  # type: ignore[no-untyped-def]
    for group in range(selectors.shape[0] // LANES):
        chosen = registers.in_all(SELECTOR_BASE)
        for r in range(ROWS):
            on = registers.load_mask(lines, (ROWS * group + r) * WORDS)
            step = registers.in_all(SELECTOR_STEP << r)
            chosen = registers.add(chosen, registers.where(on, step))
        registers.store_lanes(selectors, group * LANES, chosen)


def _select_bytes(lines, selectors):  # type: ignore[no-untyped-def]
    n_rows = lines.shape[0] * LANES // (selectors.shape[0] * WORDS)
    for group in range(selectors.shape[0] // LANES):
        chosen = registers.in_all_bytes(0)
        for r in range(n_rows):
            on = registers.load_mask(lines, (n_rows * group + r) * WORDS)
            step = registers.in_all_bytes(1 << r)
            chosen = registers.add_bytes(chosen, registers.where_bytes(on, step))
        registers.store_bytes(selectors, group * LANES, chosen)


def _add_up_shorts(tables, groups_in_bytes, start, selectors, sums):  # type: ignore[no-untyped-def]
    n_groups = selectors.shape[0] // LANES
    for four in range(start.shape[0] // SIDE_BY_SIDE):
        column = SIDE_BY_SIDE * four
        a = registers.in_all(np.int64(start[column]))
        b = registers.in_all(np.int64(start[column + 1]))
        c = registers.in_all(np.int64(start[column + 2]))
        d = registers.in_all(np.int64(start[column + 3]))
        for group in range(n_groups):
            table = (four * n_groups + group) * SIDE_BY_SIDE * ENTRIES
            which = registers.load_lanes(selectors, group * LANES)
            first = registers.load_table(tables, table)
            second = registers.load_table(tables, table + ENTRIES)
            third = registers.load_table(tables, table + 2 * ENTRIES)
            fourth = registers.load_table(tables, table + 3 * ENTRIES)
            a = registers.add(a, registers.look_up(first, which))
            b = registers.add(b, registers.look_up(second, which))
            c = registers.add(c, registers.look_up(third, which))
            d = registers.add(d, registers.look_up(fourth, which))
        registers.store_lanes(sums, column * LANES, a)
        registers.store_lanes(sums, (column + 1) * LANES, b)
        registers.store_lanes(sums, (column + 2) * LANES, c)
        registers.store_lanes(sums, (column + 3) * LANES, d)


def _add_up_bytes(tables, groups_in_bytes, start, selectors, sums):  # type: ignore[no-untyped-def]
    n_groups = selectors.shape[0] // LANES
    for four in range(start.shape[0] // SIDE_BY_SIDE):
        column = SIDE_BY_SIDE * four
        a = registers.in_all(np.int64(start[column]))
        b = registers.in_all(np.int64(start[column + 1]))
        c = registers.in_all(np.int64(start[column + 2]))
        d = registers.in_all(np.int64(start[column + 3]))
        for begin in range(0, n_groups, groups_in_bytes):
            p = q = r = s = registers.in_all_bytes(0)
            for group in range(begin, min(begin + groups_in_bytes, n_groups)):
                table = (four * n_groups + group) * SIDE_BY_SIDE * BYTE_ENTRIES
                which = registers.load_bytes(selectors, group * LANES)
                first = registers.load_byte_table(tables, table)
                second = registers.load_byte_table(tables, table + BYTE_ENTRIES)
                third = registers.load_byte_table(tables, table + 2 * BYTE_ENTRIES)
                fourth = registers.load_byte_table(tables, table + 3 * BYTE_ENTRIES)
                p = registers.add_bytes(p, registers.look_up_bytes(first, which))
                q = registers.add_bytes(q, registers.look_up_bytes(second, which))
                r = registers.add_bytes(r, registers.look_up_bytes(third, which))
                s = registers.add_bytes(s, registers.look_up_bytes(fourth, which))
            a = registers.add(a, registers.widen(p))
            b = registers.add(b, registers.widen(q))
            c = registers.add(c, registers.widen(r))
            d = registers.add(d, registers.widen(s))
        registers.store_lanes(sums, column * LANES, a)
        registers.store_lanes(sums, (column + 1) * LANES, b)
        registers.store_lanes(sums, (column + 2) * LANES, c)
        registers.store_lanes(sums, (column + 3) * LANES, d)
