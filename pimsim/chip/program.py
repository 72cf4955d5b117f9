"""One drawn chip: an integer current for every cell, and the static errors of the read-out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.characteristic import StaticErrors
from pimsim.chip.quantum import SUM_16_BITS
from pimsim.chip.repair import tile_faults
from pimsim.chip.tile import MatrixOnChip, Tile
from pimsim.chip.variation import deviates
from pimsim.chip.variation import gains as gains_of_places
from pimsim.errors import MappingError
from pimsim.kernels.cells import draw_currents
from pimsim.streams import Purpose, normals


@dataclass(frozen=True)
class ProgrammedTile:
    """Cells and read-out of one tile of one chip.

    Attributes
    ----------
    plus, minus : (n_rows, n_lines) int32
        Current of every cell [quanta], never negative; always-on rows come last.  Of single
        bit lines, `minus` is zero: there are no such cells.  Of words, `plus` is their value.
    errors : StaticErrors
        Errors of the read-out, such as the offset of every sense amplifier.
    n_cells : int
        Cells that were programmed.
    n_always_on : int
        Rows that are on in every read.
    n_clipped : int
        Cells whose draw fell below zero and was clipped.
    largest_sum : int
        Bound of every column's sum, of either sign, whichever rows are on [quanta].
    n_failed : int
        Cells with an input or a threshold that failed, after repair.
    """

    plus: NDArray[np.int32]
    minus: NDArray[np.int32]
    errors: StaticErrors
    n_always_on: int
    n_cells: int
    n_clipped: int
    largest_sum: int
    n_failed: int = 0

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
    def offsets(self) -> NDArray[np.int64]:
        """Current subtracted from each line's sum before it is read out (n_lines,) [quanta]."""
        return self.errors.subtracted

    @property
    def start(self) -> NDArray[np.int64]:
        """Sum of each column before any input: always-on rows less the offset [quanta]."""
        always = slice(len(self.plus) - self.n_always_on, None)
        always_on_sum = (self.plus[always] - self.minus[always]).sum(axis=0, dtype=np.int64)
        return np.asarray(always_on_sum - self.offsets)


def program_tile(tile: Tile, seed: int, chip_index: int) -> ProgrammedTile:
    """Draw one chip's instance of a tile.

    Notes
    -----
    Every cell gets one static draw: its level's mean plus the lumped error of
    all static sources, clipped at zero (a current is never negative) and rounded
    once to the matrix's quantum (contract, section 2).

    Raises
    ------
    MappingError
        If a column's sum could leave the 32-bit accumulator on this chip.
    """
    n_rows, n_lines = tile.placement.n_rows, tile.placement.n_lines
    n_always_on = tile.n_always_on
    n_sides = len(tile.matrices[0].cells.sides)
    shape = (2, n_rows, n_lines)
    # cells without variation need no draws
    varies = not all(matrix.cell.has_uniform_steps for matrix in tile.matrices)
    draws = normals(seed, Purpose.CELL, chip_index, tile.index, shape) if varies else None
    telegraph = tile.matrices[0].cell.telegraph
    factors = None
    if telegraph is not None:
        factors = telegraph.factors(seed, chip_index, tile.index, shape, _programmed(tile, shape))
    if tile.variation is not None:
        # what cells have in common follows from where they are
        if draws is not None:
            draws = deviates(tile, tile.variation, draws, seed, chip_index)[:, tile.place]
        of_places = gains_of_places(tile, tile.variation, seed, chip_index)
        if of_places is not None:
            of_places = of_places[:, tile.place]
            factors = of_places if factors is None else factors * of_places
    gains = _gains(tile, seed, chip_index, n_sides)
    currents = np.zeros((2, n_rows, n_lines), np.int32)
    broken = None if tile.faults is None else tile_faults(tile, tile.faults, seed, chip_index)
    n_clipped = 0
    for matrix in tile.matrices:
        columns = matrix.columns
        sides = matrix.cells.sides if broken is None else broken.levels[matrix.name]
        for side, levels in enumerate(sides):
            moved = None if factors is None else factors[side, :, columns]
            own = None if draws is None else draws[side, :, columns]
            gain = gains[side, columns] if matrix.read_out.mismatch else None
            out, scale = currents[side, :, columns], tile.level_scale
            n_clipped += _draw(matrix, levels, own, moved, gain, scale, out)
    errors = tile.read_out.static_errors(tile, seed, chip_index)
    n_failed = 0
    if broken is not None:
        n_failed = broken.break_cells(currents)
        errors = errors._replace(subtracted=broken.offsets(errors.subtracted))
    plus, minus = currents
    largest = _largest_sum(plus - minus, n_always_on, errors.subtracted)
    if largest > np.iinfo(np.int32).max:
        raise MappingError(
            f"{tile.name}: currents of chip {chip_index} add up to {largest} quanta, which do not "
            "fit a 32-bit accumulator",
            remedy="Lower the standard deviations of cells or offsets, or the rows of the array",
        )
    n_cells = tile.placement.lines_each * n_rows * n_lines
    return ProgrammedTile(plus, minus, errors, n_always_on, n_cells, n_clipped, largest, n_failed)


def _programmed(tile: Tile, shape: tuple[int, int, int]) -> NDArray[np.float64]:
    """Mean of every cell's level as programmed, (n_sides, n_rows, n_lines), of the top current.

    It is 0 where a matrix has no row.
    """
    whole = np.zeros(shape)
    for matrix in tile.matrices:
        for side, levels in enumerate(matrix.cells.sides):
            whole[side, : len(levels), matrix.columns] = matrix.cell.choice.mean[levels]
    return whole


def _gains(tile: Tile, seed: int, chip_index: int, n_sides: int) -> NDArray[np.float64]:
    """Factors on the currents of each line's sides, (2, n_lines): mismatch of loads and clamps.

    Of a pair only the ratio matters, and the - side has it; a single line has its own.
    """
    n_lines = tile.placement.n_lines
    gains = np.ones((2, n_lines))
    if any(matrix.read_out.mismatch for matrix in tile.matrices):
        draws = normals(seed, Purpose.MISMATCH, chip_index, tile.index, (1, 1, n_lines))[0, 0]
        for matrix in tile.matrices:
            gain = 1 + matrix.read_out.mismatch * draws[matrix.columns]
            gains[n_sides - 1, matrix.columns] = np.maximum(gain, 0.0)
    return gains


def _draw(
    matrix: MatrixOnChip,
    levels: NDArray[np.int8],
    draws: NDArray[np.float64] | None,
    factors: NDArray[np.float64] | None,
    gains: NDArray[np.float64] | None,
    scale: NDArray[np.float64] | None,
    out: NDArray[np.int32],
) -> int:
    """Fill `out` with the currents of one side's cells [quanta]; returns how many were clipped.

    A matrix with fewer always-on rows than its neighbour has level 0 there. A cell whose level is
    scaled has the error of that level.
    """
    cell, full_scale = matrix.cell, matrix.read_out.full_scale_quanta
    whole = np.pad(levels, ((0, len(out) - len(levels)), (0, 0)))
    is_plain = gains is None and factors is None and scale is None
    if draws is None and not is_plain:
        draws = np.zeros(out.shape)
    if draws is None or (cell.has_uniform_steps and is_plain):
        # one integer step for all levels: rounding each would break ties at the threshold
        step = max(1, round(float(cell.mean[1] - cell.mean[0]) * full_scale))
        out[:] = whole.astype(np.int32) * step + round(float(cell.mean[0]) * full_scale)
        return 0
    if cell.shape is None and factors is None and scale is None:
        every = np.ones(out.shape[1]) if gains is None else gains
        return int(
            draw_currents(levels, cell.mean, cell.sigma, draws, float(full_scale), every, out)
        )
    current = cell.current(whole, draws)
    if scale is not None:
        current += (scale[:, None] - 1) * (cell.mean[whole] - cell.mean[0])
    if factors is not None:
        current = current * factors
    current = current if gains is None else current * gains
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
