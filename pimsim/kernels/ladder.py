"""Currents of bit lines with wires: every column is a ladder of the cells whose rows are on.

The bit line of a column is held at the read voltage at its near end and the source line at 0; each
may be held so beyond the last row as well.  What counts is by how much the bit line falls and the
source line rises: both are 0 where lines are held, and a cell with the drops u and w carries
g (1 - u - w).  What lies beyond a row is seen from there as three conductances, from either line to
where it is held and between both, and as the currents that its cells draw from either line.  A
cell or a piece of wire changes them in a few operations: a column takes time in proportion to the
rows that are on.

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
    bit_twice, source_twice : bool
        Whether bit and source lines are held beyond their last cell, too.
    """

    bit: NDArray[np.float64]
    source: NDArray[np.float64]
    length: int
    bit_twice: bool
    source_twice: bool


@njit(cache=True)
def line_currents(cells, rows, n, ladder, parts, out):  # type: ignore[no-untyped-def]
    """Currents of the bit lines of all columns, of both ends where both are held.

    Parameters
    ----------
    cells : (n_rows, n_columns) int32
        Currents of the cells at the full read voltage [quanta].
    rows : (n or more,) int64
        The n rows that are on, in ascending order.
    n : int
    ladder : Ladder
    parts : (5, n_columns) float64
        Scratch memory.
    out : (n_columns,) float64
        Currents [quanta], overwritten.

    Notes
    -----
    Kirchhoff's laws.  Drops u and w at a place change the current of all cells beyond it by
    -(i u + k w) (reciprocity), so that pieces of wire r and s ahead lose r i i' + s k k' of it.
    Where the bit line is held at its near end alone, i is a + g and k is g at any place.
    """
    n_columns = out.shape[0]
    to_bit, between, to_source = parts[0], parts[1], parts[2]
    of_bit, of_source = parts[3], parts[4]
    for column in range(n_columns):
        to_bit[column] = between[column] = to_source[column] = 0.0
        of_bit[column] = of_source[column] = out[column] = 0.0
    if n == 0:
        return
    beyond = np.float64(ladder.length - rows[n - 1])
    for column in range(n_columns):
        if ladder.bit_twice:
            to_bit[column] = 1.0 / (beyond * ladder.bit[column])
        if ladder.source_twice:
            to_source[column] = 1.0 / (beyond * ladder.source[column])
    for index in range(n - 1, -1, -1):
        own = cells[rows[index]]
        gap = np.float64(rows[index] - rows[index - 1] if index else rows[index] + 1)
        if ladder.bit_twice:
            for column in range(n_columns):
                r, s = gap * ladder.bit[column], gap * ladder.source[column]
                a, g, c = to_bit[column], between[column] + own[column], to_source[column]
                i, k = of_bit[column] + own[column], of_source[column] + own[column]
                bit, source = drawn_behind(a, g, c, i, k, r, s)
                out[column] += own[column] - r * i * bit - s * k * source
                of_bit[column], of_source[column] = bit, source
        for column in range(n_columns):
            r, s = gap * ladder.bit[column], gap * ladder.source[column]
            a, g, c = to_bit[column], between[column] + own[column], to_source[column]
            to_bit[column], between[column], to_source[column] = seen_behind(a, g, c, r, s)
    if not ladder.bit_twice:
        for column in range(n_columns):
            out[column] = to_bit[column] + between[column]


@njit(cache=True)
def seen_behind(a, g, c, r, s):  # type: ignore[no-untyped-def]
    """Conductances seen behind a piece of both wires, r of the bit and s of the source line.

    a and c are those from bit and source line to where they are held, g that between them.
    """
    d = a * c + g * (a + c)
    q = 1.0 / (1.0 + r * (a + g) + s * (c + g) + r * s * d)
    return (a + s * d) * q, g * q, (c + r * d) * q


@njit(cache=True)
def drawn_behind(a, g, c, i, k, r, s):  # type: ignore[no-untyped-def]
    """Currents that cells draw from bit and source line behind that piece, from i and k."""
    d = a * c + g * (a + c)
    q = 1.0 / (1.0 + r * (a + g) + s * (c + g) + r * s * d)
    return (i + s * (c * i + g * (i - k))) * q, (k + r * (a * k + g * (k - i))) * q
