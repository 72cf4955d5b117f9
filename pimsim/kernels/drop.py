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

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pimsim.kernels.ladder import drawn_behind, seen_behind

# 1 - v^2 of a block is kept in this many parts of 1: times the sums of a pair, which have 16 bits,
# it stays within 32
PARTS = 2**13


class Drop(NamedTuple):
    """Cells of a tile with its wires, and the mean conductances of its cells.

    Attributes
    ----------
    sums : (1 or n_chips, n_rows, n_columns) int32
        Differential currents of the rows with inputs [quanta]. Kernels lay them out: by rows, as
        `pimsim.kernels.portable.SignedRows`, or as tables of 16-bit sums, as
        `pimsim.kernels.lane_sums.LaneTables`.
    start : (1 or n_chips, n_columns) int32
        Current of the rows that are always on, less the amplifier's offset [quanta].
    place : (n_rows,) int64
        Place of each row with an input along the lines, 0 nearest to the read-out.
    block_rows : int
        Rows of a block.
    places : (n_blocks,) float64
        Middle of each block [cells from the read-out]; that of the rows that are always on, if
        there are any, comes last.
    conductance : (1 or n_chips, n_rows) int16
        Mean over both sides of all columns of each row with an input [units of the chip]; of
        tables, in the order of places.
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
    bit_twice, source_twice : bool
        Whether bit and source lines are held beyond their last cell, too.
    """

    sums: NDArray[Any]
    start: NDArray[np.int32]
    place: NDArray[np.int64]
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
    bit_twice: bool
    source_twice: bool


@njit(cache=True)
def n_input_blocks(drop):  # type: ignore[no-untyped-def]
    """Number of blocks of rows with inputs."""
    return -(-drop.conductance.shape[1] // drop.block_rows)


@njit(cache=True)
def new_profile(drop, n):  # type: ignore[no-untyped-def]
    """Make scratch memory for `weights` of n sequences: (6, n_blocks + 1, n) float64."""
    return np.empty((6, drop.places.shape[0] + 1, n))


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
    As in `pimsim.kernels.ladder`, from the far end to the read-out; then drops from there back.
    """
    n_blocks, n = out.shape
    to_bit, between, to_source = profile[0], profile[1], profile[2]
    of_bit, of_source, load = profile[3], profile[4], profile[5, 0]
    beyond = np.float64(drop.length + 1) - drop.places[n_blocks - 1]
    for i in range(n):
        to_bit[n_blocks, i] = 1.0 / (beyond * drop.bit) if drop.bit_twice else 0.0
        to_source[n_blocks, i] = 1.0 / (beyond * drop.source) if drop.source_twice else 0.0
        between[n_blocks, i] = of_bit[n_blocks, i] = of_source[n_blocks, i] = 0.0
    for block in range(n_blocks - 1, -1, -1):
        if block < loads.shape[0]:
            for i in range(n):
                load[i] = np.float64(loads[block, i]) * drop.unit[drawn]
        else:
            for i in range(n):
                load[i] = drop.always[drawn]
        gap = drop.places[block] - (drop.places[block - 1] if block > 0 else 0.0)
        r, s = gap * drop.bit, gap * drop.source
        # seen from behind the piece of wire, which is where the next block stands
        for lane in range(n):
            a, g, c = to_bit[block + 1, lane], between[block + 1, lane], to_source[block + 1, lane]
            a, g, c = seen_behind(a, g + load[lane], c, r, s)
            to_bit[block, lane], between[block, lane], to_source[block, lane] = a, g, c
            of_bit[block, lane], of_source[block, lane] = a + g, g
        if drop.bit_twice:
            for lane in range(n):
                i, k = of_bit[block + 1, lane] + load[lane], of_source[block + 1, lane] + load[lane]
                a, g, c = (
                    to_bit[block + 1, lane],
                    between[block + 1, lane],
                    to_source[block + 1, lane],
                )
                i, k = drawn_behind(a, g + load[lane], c, i, k, r, s)
                of_bit[block, lane], of_source[block, lane] = i, k
    fallen, risen = profile[0, n_blocks], profile[1, n_blocks]
    for lane in range(n):
        fallen[lane] = risen[lane] = 0.0
    for block in range(n_blocks):
        gap = drop.places[block] - (drop.places[block - 1] if block > 0 else 0.0)
        r, s = gap * drop.bit, gap * drop.source
        for lane in range(n):
            u, w, g = fallen[lane], risen[lane], between[block, lane]
            bit = of_bit[block, lane] - to_bit[block, lane] * u - g * (u + w)
            source = of_source[block, lane] - to_source[block, lane] * w - g * (u + w)
            u, w = u + r * bit, w + s * source
            fallen[lane], risen[lane] = u, w
            v = 1.0 - u - w
            out[block, lane] = np.int32(np.floor((1.0 - v * v) * PARTS + 0.5))


@njit(cache=True)
def lost(loss, scale):  # type: ignore[no-untyped-def]
    """Loss of a pair [quanta], rounded, from the sum over blocks of weights times sums."""
    return np.int64(np.floor(np.float32(np.float32(loss) * scale) + np.float32(0.5)))
