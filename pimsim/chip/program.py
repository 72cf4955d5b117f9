"""One drawn chip: an integer current for every cell, an offset for every sense amplifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.build import MatrixOnChip, Tile
from pimsim.chip.quantum import SUM_16_BITS
from pimsim.errors import MappingError
from pimsim.kernels.cells import draw_currents
from pimsim.streams import Purpose, normals


@dataclass(frozen=True)
class ProgrammedTile:
    """Cells and sense amplifiers of one tile of one chip.

    Attributes
    ----------
    plus, minus : (n_rows, n_pairs) int32
        Current of every cell [quanta], never negative; always-on rows come last.  Of single
        bit lines, `minus` is zero: there are no such cells.
    offsets : (n_pairs,) int64
        Offset of every sense amplifier, as a current [quanta]; zero where converters read
        out, whose offsets are errors of their codes.
    n_always_on : int
        Rows that are on in every read.
    n_clipped : int
        Cells whose draw fell below zero and was clipped.
    largest_sum : int
        Bound of every column's sum, of either sign, whichever rows are on [quanta].
    """

    plus: NDArray[np.int32]
    minus: NDArray[np.int32]
    offsets: NDArray[np.int64]
    n_always_on: int
    n_clipped: int
    largest_sum: int

    @property
    def fits_16_bits(self) -> bool:
        """Whether no sum of any rows leaves 16 bits, so that kernels may add in 16 bits.

        All sums of rows lie between the sum of a column's negative currents and that of its
        positive ones, and `largest_sum` bounds both, with what is always on. So the result is
        the same number in 16 bits and in 32, in whatever order rows are added; sums that pass
        through other values on the way wrap and come back, since additions modulo 2^16 do.
        """
        return self.largest_sum <= SUM_16_BITS

    @property
    def cells(self) -> NDArray[np.int32]:
        """Differential currents I+ - I- of the rows that carry inputs [quanta]."""
        return (self.plus - self.minus)[: len(self.plus) - self.n_always_on]

    @property
    def start(self) -> NDArray[np.int64]:
        """What a column's sum begins with: rows always on, less the offset [quanta]."""
        always = slice(len(self.plus) - self.n_always_on, None)
        standing = (self.plus[always] - self.minus[always]).sum(axis=0, dtype=np.int64)
        return np.asarray(standing - self.offsets)


def program_tile(tile: Tile, seed: int, chip_index: int) -> ProgrammedTile:
    """Draw one chip's instance of a tile.

    Notes
    -----
    Every cell gets one static draw: its level's mean plus the lumped spread of
    all static sources, clipped at zero (a current is never negative) and rounded
    once to the matrix's quantum (contract, section 2).

    Raises
    ------
    MappingError
        If a column's sum could leave the 32-bit accumulator on this chip.
    """
    n_rows, n_pairs = tile.placement.n_rows, tile.placement.n_pairs
    n_always_on = n_rows - tile.matrices[0].matrix.n_rows
    shape = (2, n_rows, n_pairs)
    # cells that do not stray need no draws
    strays = not all(part.cell.is_even for part in tile.matrices)
    draws = normals(seed, Purpose.CELL, chip_index, tile.index, shape) if strays else None
    telegraph = tile.matrices[0].cell.telegraph
    factors = None if telegraph is None else telegraph.factors(seed, chip_index, tile.index, shape)
    plus = np.empty((n_rows, n_pairs), np.int32)
    minus = np.zeros((n_rows, n_pairs), np.int32)
    n_clipped = 0
    for part in tile.matrices:
        columns = part.columns
        for side, (levels, out) in enumerate(
            ((part.levels.plus, plus), (part.levels.minus, minus))
        ):
            if levels is None:
                continue
            moved = None if factors is None else factors[side, :, columns]
            own = None if draws is None else draws[side, :, columns]
            n_clipped += _draw(part, levels, own, moved, out[:, columns])
    offsets = _amplifier_offsets(tile, seed, chip_index)
    differences = plus - minus
    largest = _largest_sum(differences, n_always_on, offsets)
    if largest > np.iinfo(np.int32).max:
        raise MappingError(f"a sum of {tile.name} would not fit its 32-bit accumulator")
    return ProgrammedTile(plus, minus, offsets, n_always_on, n_clipped, largest)


def _amplifier_offsets(tile: Tile, seed: int, chip_index: int) -> NDArray[np.int64]:
    """Offset of every sense amplifier (n_pairs,) [quanta]; a chip with converters has none."""
    n_pairs = tile.placement.n_pairs
    offsets = np.zeros(n_pairs, np.int64)
    with_amplifiers = [part for part in tile.matrices if part.read_out.conversion is None]
    if with_amplifiers:
        draws = normals(seed, Purpose.OFFSET, chip_index, tile.index, (1, 1, n_pairs))[0, 0]
        for part in with_amplifiers:
            drawn = draws[part.columns] * part.read_out.offset_quanta
            offsets[part.columns] = np.round(np.clip(drawn, -(2.0**40), 2.0**40))
    return offsets


def _draw(
    part: MatrixOnChip,
    levels: NDArray[np.int8],
    draws: NDArray[np.float64] | None,
    factors: NDArray[np.float64] | None,
    out: NDArray[np.int32],
) -> int:
    """Fill `out` with the currents of one side's cells [quanta]; returns how many were clipped.

    A matrix with fewer always-on rows than its neighbour has level 0 there.
    """
    cell, full_scale = part.cell, part.read_out.full_scale_quanta
    whole = np.pad(levels, ((0, len(out) - len(levels)), (0, 0)))
    if cell.is_even or draws is None:
        # one integer step for all levels: rounding each would break ties at the threshold
        step = max(1, round(float(cell.mean[1] - cell.mean[0]) * full_scale))
        out[:] = whole.astype(np.int32) * step + round(float(cell.mean[0]) * full_scale)
        return 0
    if cell.shape is None and factors is None:
        return int(draw_currents(levels, cell.mean, cell.spread, draws, float(full_scale), out))
    current = cell.current(whole, draws)
    if factors is not None:
        current = current * factors
    out[:] = np.round(np.maximum(current, 0.0) * full_scale)
    return int(np.count_nonzero(current < 0))


def _largest_sum(
    differences: NDArray[np.int32], n_always_on: int, offsets: NDArray[np.int64]
) -> int:
    """Bound of every column's sum: all rows that raise it on, or all that lower it."""
    switched = differences[: len(differences) - n_always_on]
    start = np.abs(differences[len(switched) :].sum(axis=0, dtype=np.int64) - offsets)
    rises = np.maximum(switched, 0).sum(axis=0, dtype=np.int64) + start
    falls = rises - switched.sum(axis=0, dtype=np.int64)
    return int(max(rises.max(initial=0), falls.max(initial=0)))
