"""One drawn chip: an integer current for every cell, an offset for every sense amplifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.build import MatrixOnChip, Tile
from pimsim.errors import MappingError
from pimsim.streams import Purpose, normals


@dataclass(frozen=True)
class ProgrammedTile:
    """Cells and sense amplifiers of one tile of one chip.

    Attributes
    ----------
    plus, minus : (n_rows, n_pairs) int32
        Current of every cell [quanta], never negative; always-on rows come last.
    offsets : (n_pairs,) int64
        Offset of every sense amplifier, as a current [quanta].
    n_always_on : int
        Rows that are on in every read.
    n_clipped : int
        Cells whose draw fell below zero and was clipped.
    """

    plus: NDArray[np.int32]
    minus: NDArray[np.int32]
    offsets: NDArray[np.int64]
    n_always_on: int
    n_clipped: int

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
    draws = normals(seed, Purpose.CELL, chip_index, tile.index, (2, n_rows, n_pairs))
    offset_draws = normals(seed, Purpose.OFFSET, chip_index, tile.index, (1, 1, n_pairs))[0, 0]
    plus = np.empty((n_rows, n_pairs), np.int32)
    minus = np.empty((n_rows, n_pairs), np.int32)
    offsets = np.empty(n_pairs, np.int64)
    n_clipped = 0
    for part in tile.matrices:
        columns = part.columns
        for side, (levels, out) in enumerate(
            ((part.levels.plus, plus), (part.levels.minus, minus))
        ):
            # a matrix with fewer always-on rows than its neighbour has level 0 there
            whole = np.pad(levels, ((0, n_rows - len(levels)), (0, 0)))
            current, clipped = _currents(part, whole, draws[side, :, columns])
            out[:, columns] = current
            n_clipped += clipped
        drawn = offset_draws[columns] * part.read_out.offset_quanta
        offsets[columns] = np.round(np.clip(drawn, -(2.0**40), 2.0**40))
    programmed = ProgrammedTile(plus, minus, offsets, n_always_on, n_clipped)
    _check_accumulator(tile, programmed)
    return programmed


def _currents(
    part: MatrixOnChip, levels: NDArray[np.int8], draws: NDArray[np.float64]
) -> tuple[NDArray[np.int32], int]:
    cell = part.cell
    if cell.is_even:
        # one integer step for all levels: rounding each would break ties at the threshold
        full_scale = part.read_out.full_scale_quanta
        step = max(1, round(float(cell.mean[1] - cell.mean[0]) * full_scale))
        return levels.astype(np.int32) * step + round(float(cell.mean[0]) * full_scale), 0
    current = cell.current(levels, draws)
    clipped = int(np.count_nonzero(current < 0))
    quanta = np.round(np.maximum(current, 0.0) * part.read_out.full_scale_quanta)
    return quanta.astype(np.int32), clipped


def _check_accumulator(tile: Tile, programmed: ProgrammedTile) -> None:
    cells = programmed.cells.astype(np.int64)
    start = np.abs(programmed.start)
    highest = np.maximum(cells, 0).sum(axis=0) + start
    lowest = np.minimum(cells, 0).sum(axis=0) - start
    if max(highest.max(), -lowest.min()) > np.iinfo(np.int32).max:
        raise MappingError(f"a sum of {tile.name} would not fit its 32-bit accumulator")
