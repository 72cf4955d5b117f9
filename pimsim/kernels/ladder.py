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
    Kirchhoff's laws.  With conductances a, g and c seen at a place (bit line to where it is held,
    between the lines, source line) and the currents i and k drawn there from lines without a drop,
    pieces of wire r and s ahead of it make them

        a' = (a + s d) / q,  g' = g / q,  c' = (c + r d) / q,
        i' = (i + s (c i + g (i - k))) / q,  k' = (k + r (a k + g (k - i))) / q

    with d = a c + g (a + c) and q = 1 + r (a + g) + s (c + g) + r s d.  Drops u and w at the place
    change the current of all cells beyond by -(i u + k w) (reciprocity), so that the wires lose
    r i i' + s k k'.
    """
    n_columns = out.shape[0]
    to_bit, between, to_source, of_bit, of_source = (
        parts[0], parts[1], parts[2], parts[3], parts[4],
    )  # fmt: skip
    for column in range(n_columns):
        between[column] = of_bit[column] = of_source[column] = out[column] = 0.0
        to_bit[column] = to_source[column] = 0.0
    if n == 0:
        return
    gap = np.float64(ladder.length - rows[n - 1])
    for column in range(n_columns):
        if ladder.bit_twice:
            to_bit[column] = 1.0 / (gap * ladder.bit[column])
        if ladder.source_twice:
            to_source[column] = 1.0 / (gap * ladder.source[column])
    for index in range(n - 1, -1, -1):
        own = cells[rows[index]]
        gap = np.float64(rows[index] - rows[index - 1] if index else rows[index] + 1)
        for column in range(n_columns):
            r, s = gap * ladder.bit[column], gap * ladder.source[column]
            a, c = to_bit[column], to_source[column]
            g, i, k = between[column] + own[column], of_bit[column], of_source[column]
            i, k = i + own[column], k + own[column]
            d = a * c + g * (a + c)
            q = 1.0 / (1.0 + r * (a + g) + s * (c + g) + r * s * d)
            to_bit[column] = (a + s * d) * q
            between[column] = g * q
            to_source[column] = (c + r * d) * q
            bit = (i + s * (c * i + g * (i - k))) * q
            source = (k + r * (a * k + g * (k - i))) * q
            out[column] += own[column] - r * i * bit - s * k * source
            of_bit[column], of_source[column] = bit, source
