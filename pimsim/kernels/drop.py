"""First-order loss of pairs of bit lines along their wires, from sums of blocks of rows.

A pair carries I+ - I-.  Linearised about a pair of two equal lines, each with the mean of both
sides' conductances, a change of the conductance of a cell changes the current of its line by the
square of the voltage v that the cell has (a share of the read voltage; reciprocity of resistive
networks).  Terms of second order cancel between both sides.  So

    D = sum over rows of v^2 (I+ - I-),

and the loss of a pair is the sum over blocks of rows of (1 - v^2) times the block's sum.

v follows from the rows that are on.  It is that of one column, the mean of the tile, whose cells
stand together in the middle of each block; the loss of another column is larger by its own mean
conductance over that of the tile.  So a block's 1 - v^2 is computed once for all columns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# 1 - v^2 of a block is kept in this many parts of 1: times the sums of a pair, which have 16 bits,
# it stays within 32
PARTS = 2**13


class Drop(NamedTuple):
    """Wires of a tile, and the mean conductances of its cells.

    Attributes
    ----------
    block_rows : int
        Rows of a block.
    places : (n_blocks,) float64
        Middle of each block [cells from the read-out]; that of the rows that are always on, if
        there are any, comes last.
    conductance : (1 or n_chips, n_rows) int16
        Mean over both sides of all columns of each row with an input [units of the chip].
    unit : (1 or n_chips,) float64
        Unit of it [1/ohm].
    always : (1 or n_chips,) float64
        The same sum over the rows that are always on [1/ohm].
    always_on : (1 or n_chips, n_columns) int32
        Differential currents of these rows [quanta].
    scale : (1 or n_chips, n_columns) float32
        Mean conductance of each column over that of the tile, over `PARTS`.
    bit, source : float
        Resistance of a piece of bit and source line between two cells [ohm].
    length : int
        Cells along a line, used or not.
    fed_twice : bool
        Whether source lines are held at 0 beyond their last cell, too.
    """

    block_rows: int
    places: NDArray[np.float64]
    conductance: NDArray[np.int16]
    unit: NDArray[np.float64]
    always: NDArray[np.float64]
    always_on: NDArray[np.int32]
    scale: NDArray[np.float32]
    bit: float
    source: float
    length: int
    fed_twice: bool


@njit(cache=True)
def n_input_blocks(drop):  # type: ignore[no-untyped-def]
    """Number of blocks of rows with inputs."""
    return -(-drop.conductance.shape[1] // drop.block_rows)


@njit(cache=True)
def new_profile(drop, n):  # type: ignore[no-untyped-def]
    """Make scratch memory for `weights` of n sequences: (7, n_blocks, n) float64."""
    return np.empty((7, drop.places.shape[0], n))


@njit(cache=True)
def weights(drop, drawn, loads, profile, out):  # type: ignore[no-untyped-def]
    """1 - v^2 of each block, for sequences side by side.

    Parameters
    ----------
    drop : Drop
    drawn : int
        Index of the chip in `drop`.
    loads : (n_input_blocks, n) int16 or int64
        Sums of `Drop.conductance` over the rows that are on.
    profile
        From `new_profile`.
    out : (n_blocks, n) int32
        In units of 1 / `PARTS`, overwritten.

    Notes
    -----
    As in `pimsim.kernels.ladder`, from the far end to the read-out; then voltages from there back.
    """
    n_blocks, n = out.shape
    to_bit, between, to_source = profile[0], profile[1], profile[2]
    load, bit_voltage, source_voltage = profile[3], profile[4, 0], profile[5, 0]
    for block in range(n_blocks):
        if block < loads.shape[0]:
            for i in range(n):
                load[block, i] = np.float64(loads[block, i]) * drop.unit[drawn]
        else:
            for i in range(n):
                load[block, i] = drop.always[drawn]
    beyond = np.float64(drop.length + 1)
    for block in range(n_blocks - 1, -1, -1):
        if block == n_blocks - 1:
            end = 1.0 / ((beyond - drop.places[block]) * drop.source) if drop.fed_twice else 0.0
            first, second, third = to_bit[block], between[block], to_source[block]
            for i in range(n):
                first[i], second[i], third[i] = 0.0, load[block, i], end
        else:
            for i in range(n):
                between[block, i] += load[block, i]
        before = drop.places[block - 1] if block > 0 else 0.0
        gap = drop.places[block] - before
        r, s = gap * drop.bit, gap * drop.source
        # seen from behind the piece of wire, which is where the next block stands
        behind = block - 1 if block > 0 else n_blocks
        for i in range(n):
            a, g, c = to_bit[block, i], between[block, i], to_source[block, i]
            d = a * c + g * (a + c)
            q = 1.0 / (1.0 + r * (a + g) + s * (c + g) + r * s * d)
            a, g, c = (a + s * d) * q, g * q, (c + r * d) * q
            to_bit[block, i], between[block, i], to_source[block, i] = a, g, c
            if behind < n_blocks:
                to_bit[behind, i], between[behind, i], to_source[behind, i] = a, g, c
    for i in range(n):
        bit_voltage[i], source_voltage[i] = 1.0, 0.0
    for block in range(n_blocks):
        gap = drop.places[block] - (drop.places[block - 1] if block > 0 else 0.0)
        r, s = gap * drop.bit, gap * drop.source
        for i in range(n):
            a, g, c = to_bit[block, i], between[block, i], to_source[block, i]
            high, low = bit_voltage[i], source_voltage[i]
            through = g * (high - low)
            high -= r * (a * high + through)
            low -= s * (c * low - through)
            bit_voltage[i], source_voltage[i] = high, low
            v = high - low
            out[block, i] = np.int32(np.floor((1.0 - v * v) * PARTS + 0.5))


@njit(cache=True)
def lost(loss, scale):  # type: ignore[no-untyped-def]
    """Loss of a pair [quanta], rounded, from the sum over blocks of weights times sums."""
    return np.int64(np.floor(np.float32(np.float32(loss) * scale) + np.float32(0.5)))
