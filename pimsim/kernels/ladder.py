"""Currents of bit lines with wires: every column is a ladder of the cells whose rows are on.

The bit line of a column is held at the read voltage at its near end.  The source line along it is
held at 0 there and, where it is fed at both ends, beyond the last row as well.  What lies beyond a
row is seen from there as three conductances: from the bit line to 0, between both lines, and from
the source line to 0.  None is ever a difference, so nothing cancels, and a cell or a piece of wire
changes them in a few operations: a column takes time in proportion to the rows that are on.

Voltages are shares of the read voltage and currents are in quanta, so a cell's conductance is its
current at the full read voltage.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class Ladder(NamedTuple):
    """Wires of the columns of a tile.  Row i is i + 1 cells away from the read-out.

    Attributes
    ----------
    bit, source : (n_columns,) float64
        Resistance of a piece of bit and source line between two cells [1/quantum].
    length : int
        Cells along a line, used or not.
    fed_twice : bool
        Whether source lines are held at 0 beyond their last cell, too.
    """

    bit: NDArray[np.float64]
    source: NDArray[np.float64]
    length: int
    fed_twice: bool


@njit(cache=True)
def line_currents(cells, rows, n, ladder, parts, out):  # type: ignore[no-untyped-def]
    """Currents of the bit lines of all columns.

    Parameters
    ----------
    cells : (n_rows, n_columns) int32
        Currents of the cells at the full read voltage [quanta].
    rows : (n or more,) int64
        The n rows that are on, in ascending order.
    n : int
    ladder : Ladder
    parts : (3, n_columns) float64
        Scratch memory.
    out : (n_columns,) float64
        Currents [quanta], overwritten.

    Notes
    -----
    Kirchhoff's laws.  With conductances a, g and c seen at a place (bit line to 0, between the
    lines, source line to 0), pieces of wire r and s ahead of it make them

        a' = (a + s d) / q,  g' = g / q,  c' = (c + r d) / q

    with d = a c + g (a + c) and q = 1 + r (a + g) + s (c + g) + r s d.
    """
    to_bit, between, to_source = parts[0], parts[1], parts[2]
    n_columns = out.shape[0]
    if n == 0:
        for column in range(n_columns):
            out[column] = 0.0
        return
    place = ladder.length + 1
    for i in range(n - 1, -1, -1):
        row = rows[i]
        gap = np.float64(place - row - 1)
        place = row + 1
        own = cells[row]
        if i == n - 1:
            for column in range(n_columns):
                to_bit[column] = 0.0
                between[column] = own[column]
                to_source[column] = 0.0
                if ladder.fed_twice:
                    to_source[column] = 1.0 / (gap * ladder.source[column])
            continue
        for column in range(n_columns):
            r, s = gap * ladder.bit[column], gap * ladder.source[column]
            a, g, c = to_bit[column], between[column], to_source[column]
            d = a * c + g * (a + c)
            q = 1.0 / (1.0 + r * (a + g) + s * (c + g) + r * s * d)
            to_bit[column] = (a + s * d) * q
            between[column] = g * q + own[column]
            to_source[column] = (c + r * d) * q
    gap = np.float64(place)
    for column in range(n_columns):
        r, s = gap * ladder.bit[column], gap * ladder.source[column]
        a, g, c = to_bit[column], between[column], to_source[column]
        d = a * c + g * (a + c)
        q = 1.0 + r * (a + g) + s * (c + g) + r * s * d
        # from the bit line to 0, and to the source line, which is at 0 here
        out[column] = (a + g + s * d) / q
