"""Faults of one drawn chip: cells, word lines, bit lines and amplifiers that do not work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.tile import MatrixOnChip, Tile
from pimsim.config.faults import Faults
from pimsim.streams import Purpose, uniforms

# what became of a cell
WORKS, OPEN, SHORT, STUCK = range(4)


@dataclass(frozen=True)
class FaultMap:
    """Faults of a tile on one chip, by place: lines of the tile first, then spare ones.

    Attributes
    ----------
    kind : (n_sides, n_rows, n_places) int8
        `WORKS`, `OPEN`, `SHORT` or `STUCK`; lines and rows that are dead are open.
    level : (n_sides, n_rows, n_places) float64
        Place among the levels of a cell that is stuck, from 0 to 1.
    dead_bit : (n_places,) int8
        Bit that a dead amplifier gives; -1 where it works.
    array : (n_places,) int64
        Array, among those side by side, that each place belongs to.
    """

    kind: NDArray[np.int8]
    level: NDArray[np.float64]
    dead_bit: NDArray[np.int8]
    array: NDArray[np.int64]

    def current(self, matrix: MatrixOnChip, faults: Faults, places: slice) -> NDArray[np.float64]:
        """Current of the cells that fail, as a matrix has levels [full scales]; else NaN.

        Returns
        -------
        (n_sides, n_rows, n_places) float64
        """
        mean, kind = matrix.cell.mean, self.kind[:, :, places]
        level = np.minimum((self.level[:, :, places] * len(mean)).astype(int), len(mean) - 1)
        short = faults.short_current * float(matrix.cell.ideal[-1])
        return np.choose(kind, [np.full(kind.shape, np.nan), 0.0, short, mean[level]])


def draw_faults(tile: Tile, faults: Faults, seed: int, chip_index: int) -> FaultMap:
    """Draw the faults of a tile of one chip.

    Cells fail in squares of `cluster` cells of a fixed grid, each with the probability that is
    stated, so that the expected number of cells that fail does not depend on it.
    """
    placed, n_sides = tile.placement, len(tile.matrices[0].cells.sides)
    n_rows, n_arrays = placed.n_rows, placed.n_side_by_side
    n_places = placed.n_lines + faults.spares * n_arrays
    array = np.concatenate(
        [
            np.arange(placed.n_lines) // placed.lines_of_array,
            np.repeat(np.arange(n_arrays), faults.spares),
        ]
    )
    k, n_bit_lines = faults.cluster, n_sides * n_places
    squares = (1, -(-n_rows // k), -(-n_bit_lines // k))
    drawn = uniforms(seed, Purpose.FAULT_CELL, chip_index, tile.index, squares)[0]
    of_cells = drawn.repeat(k, axis=0)[:n_rows].repeat(k, axis=1)[:, :n_bit_lines]
    # bit lines of a pair are neighbours
    of_cells = np.moveaxis(of_cells.reshape(n_rows, n_places, n_sides), 2, 0)
    ends = np.cumsum([faults.open, faults.short, faults.stuck])
    failed = np.searchsorted(ends, of_cells, side="right")
    kind = np.array([OPEN, SHORT, STUCK, WORKS], np.int8)[failed]
    level = (of_cells - ends[1]) / faults.stuck if faults.stuck else np.zeros(of_cells.shape)
    if faults.dead_row:
        shape = (1, n_rows, n_arrays)
        rows = uniforms(seed, Purpose.FAULT_ROW, chip_index, tile.index, shape)[0]
        kind[:, (rows < faults.dead_row)[:, array]] = OPEN
    lines = uniforms(seed, Purpose.FAULT_LINE, chip_index, tile.index, (2, 1, n_bit_lines))[:, 0]
    if faults.dead_line:
        dead = (lines[0] < faults.dead_line).reshape(n_places, n_sides)
        for side in range(n_sides):
            kind[side][:, dead[:, side]] = OPEN
    return FaultMap(kind, np.clip(level, 0, 1), _dead_bits(tile, faults, lines[1]), array)


def _dead_bits(tile: Tile, faults: Faults, drawn: NDArray[np.float64]) -> NDArray[np.int8]:
    """Bit of each place's amplifier that is dead; lines that share one die together."""
    placed, n_arrays = tile.placement, tile.placement.n_side_by_side
    n_places = placed.n_lines + faults.spares * n_arrays
    shared = tile.read_out.shared  # type: ignore[attr-defined]
    of_lines = placed.circuit_of_line(shared)
    # spares of an array have amplifiers of their own
    each = -(-faults.spares // shared)
    spare = np.arange(faults.spares) // shared
    of_spares = [n_arrays * placed.circuits_of_array(shared) + i * each + spare
                 for i in range(n_arrays)]  # fmt: skip
    # there are at most as many amplifiers as bit lines, but of unused ones
    circuit = np.unique(np.concatenate([of_lines, *of_spares]), return_inverse=True)[1]
    own = drawn[circuit][:n_places]
    bits = np.where(own < faults.dead_amplifier / 2, 0, 1)
    return np.where(own < faults.dead_amplifier, bits, -1).astype(np.int8)
