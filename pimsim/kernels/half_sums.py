"""Sums of rows for 32 sequences at a time, by tables whose halves fill 256-bit registers.

A table of four rows has 16 sums.  Their low and their high bytes are looked up and added
separately: the high ones modulo 256, which is enough for sums modulo 2^16, and the low ones in 16
bits, where those of neighbouring sequences are told apart at the end.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pimsim.kernels import narrow_registers as registers
from pimsim.kernels.narrow_registers import PART
from pimsim.kernels.registers import ENTRIES, LANES

# columns whose tables stand side by side: their sums share a look-up's selectors
SIDE_BY_SIDE = 4


def add_up_halves(tables, groups_in_bytes, start, selectors, sums):  # type: ignore[no-untyped-def]
    """`pimsim.kernels.lane_sums.add_up` of tables in halves."""
    n_groups = selectors.shape[0] // LANES
    for four in range(start.shape[0] // SIDE_BY_SIDE):
        column = SIDE_BY_SIDE * four
        for part in range(0, LANES, PART):
            nothing = registers.in_part(0)
            a = b = c = d = (nothing, nothing, nothing)
            for group in range(n_groups):
                table = (four * n_groups + group) * SIDE_BY_SIDE * ENTRIES
                which = registers.load_part(selectors, group * LANES + part)
                a = _add_rows(tables, table, which, a)
                b = _add_rows(tables, table + ENTRIES, which, b)
                c = _add_rows(tables, table + 2 * ENTRIES, which, c)
                d = _add_rows(tables, table + 3 * ENTRIES, which, d)
            _finish(a, start[column], sums, column * LANES + part)
            _finish(b, start[column + 1], sums, (column + 1) * LANES + part)
            _finish(c, start[column + 2], sums, (column + 2) * LANES + part)
            _finish(d, start[column + 3], sums, (column + 3) * LANES + part)


@njit(cache=True, inline="always")
def _add_rows(tables, table, which, sums):  # type: ignore[no-untyped-def]
    """Add a table's entries to sums of high bytes, of pairs of low bytes and of odd low bytes."""
    high, pairs, odd = sums
    low = registers.look_up(registers.load_half(tables, table), which)
    upper = registers.look_up(registers.load_half(tables, table + ENTRIES // 2), which)
    return (
        registers.add(high, upper),
        registers.add_shorts(pairs, low),
        registers.add_shorts(odd, registers.odd_bytes(low)),
    )


@njit(cache=True, inline="always")
def _finish(parts, start, sums, index):  # type: ignore[no-untyped-def]
    high, pairs, odd = parts
    found = registers.put_together(high, pairs, odd)
    registers.store_few(sums, index, registers.add_few(found, registers.in_few(np.int64(start))))
