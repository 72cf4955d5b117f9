"""Sums of lines of cells: of the rows that are on, or of rows with levels."""

from __future__ import annotations

from numba import njit

# rows that are added in one pass
ROWS_AT_ONCE = 8
LEVELS_AT_ONCE = 4


@njit(cache=True)
def sum_levels(codes, levels, cells, rows, own, values, n_lines):  # type: ignore[no-untyped-def]
    """Sum the cells of the rows, each times the level (n_rows, n_codes) of its code.

    `rows` and `own` are scratch memory; values (n_lines or more,) are overwritten.
    """
    n_on = 0
    for row in range(len(codes)):
        rows[n_on] = row
        own[n_on] = levels[row, codes[row]]
        n_on += own[n_on] != 0
    # a row of zeros fills the last pass
    for index in range(n_on, n_on + LEVELS_AT_ONCE):
        rows[index] = len(cells) - 1
        own[index] = 0
    values[:] = 0
    for first in range(0, n_on, LEVELS_AT_ONCE):
        a, b = cells[rows[first]], cells[rows[first + 1]]
        c, d = cells[rows[first + 2]], cells[rows[first + 3]]
        p, q, r, s = own[first], own[first + 1], own[first + 2], own[first + 3]
        for line in range(n_lines):
            values[line] += (p * a[line] + q * b[line]) + (r * c[line] + s * d[line])


@njit(cache=True)
def sum_rows(codes, bit, cells, rows, sums):  # type: ignore[no-untyped-def]
    """Sum the cells of the rows whose code has a bit; `rows` is scratch memory."""
    n_lines, n_on = len(sums), 0
    for row in range(len(codes)):
        rows[n_on] = row
        n_on += (codes[row] >> bit) & 1
    # a row of zeros fills the last pass
    for index in range(n_on, n_on + ROWS_AT_ONCE):
        rows[index] = len(cells) - 1
    sums[:] = 0
    for first in range(0, n_on, ROWS_AT_ONCE):
        a, b = cells[rows[first]], cells[rows[first + 1]]
        c, d = cells[rows[first + 2]], cells[rows[first + 3]]
        e, f = cells[rows[first + 4]], cells[rows[first + 5]]
        g, h = cells[rows[first + 6]], cells[rows[first + 7]]
        for line in range(n_lines):
            upper = (a[line] + b[line]) + (c[line] + d[line])
            lower = (e[line] + f[line]) + (g[line] + h[line])
            sums[line] += upper + lower
