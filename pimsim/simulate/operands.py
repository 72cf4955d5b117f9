"""What the kernels read: a tile of several chips as plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import ProgrammedTile, Tile
from pimsim.chip.quantum import SUM_16_BITS
from pimsim.kernels.decisions import Chances, Streams
from pimsim.kernels.half_sums import SIDE_BY_SIDE
from pimsim.kernels.lane_sums import Tables, build_tables
from pimsim.kernels.memory import aligned
from pimsim.kernels.register_draws import RUNGS
from pimsim.kernels.registers import BYTE_ENTRIES, BYTE_ROWS, ENTRIES, ROWS, wide
from pimsim.simulate.choice import IN_LANES, kernel_of_tile
from pimsim.simulate.level_units import level_units
from pimsim.streams import Purpose, decision_table, key_words, tag


class Operands:
    """Kernel operands of one tile on a group of chips.

    Attributes
    ----------
    kernel : str
        That the tile is run by.
    row_currents : dict of matrix name -> (n_chips or 1, n_rows) int64
        Current that a row draws while it is on, both bit lines of all its pairs [quanta];
        rows that are always on come last.
    cells, start, chances
        Of "portable", as `pimsim.kernels.array` takes them.
    tables, limits, chances
        Of "registers" and "levels", as `pimsim.kernels.lanes` takes them.
    """

    def __init__(
        self, tile: Tile, programmed: list[ProgrammedTile], seed: int, kernel: str
    ) -> None:
        units = level_units(tile, programmed[0]) if kernel == "levels" else None
        self.kernel = kernel_of_tile(kernel, programmed, units)
        self.n_always_on = programmed[0].n_always_on
        self.placement = tile.placement
        self.key = np.array(key_words(seed), np.uint64)
        self.tag = np.uint64(tag(Purpose.DECISION, tile.index))
        self.row_currents = {
            part.name: np.stack([row_currents(p, part.columns) for p in programmed])
            for part in tile.matrices
        }
        if self.kernel == "levels":
            assert units is not None
            self.chances = join_chances(tile, units.steps)
            self.limits = _limits(self.chances)
            self.tables = tables_of(units.cells[None], units.start[None], units.byte_groups)
        else:
            self.chances = join_chances(tile)
            start = np.stack([p.start for p in programmed]).astype(np.int32)
            cells = np.stack([p.cells for p in programmed])
            if self.kernel == "registers":
                self.limits = _limits(self.chances)
                self.tables = tables_of(cells, start)
                return
            # sums are as wide as cells: twice as many of 16 bits fit a register
            fits = all(p.fits_16_bits for p in programmed)
            kind = np.int16 if fits else np.int32
            self.cells, self.start = signed_rows(cells.astype(kind)), start

    @property
    def in_lanes(self) -> bool:
        """Whether the kernel takes sequences side by side."""
        return self.kernel in IN_LANES

    def streams(self, chips: NDArray[np.int64], samples: NDArray[np.int64]) -> Streams:
        return Streams(self.key, self.tag, chips, np.ascontiguousarray(samples))


def row_currents(programmed: ProgrammedTile, columns: slice) -> NDArray[np.int64]:
    """Current of each row over some columns, (n_rows,) [quanta]."""
    total = programmed.plus[:, columns].astype(np.int64) + programmed.minus[:, columns]
    return np.asarray(total.sum(axis=1))


def tables_of(
    cells: NDArray[np.int32], start: NDArray[np.int32], at_once: int | None = None
) -> Tables:
    """Tables of cells (n_chips, n_rows, n_columns): of bytes, where groups of them are given."""
    n_chips, n_rows, n_columns = cells.shape
    rows, entries = (ROWS, ENTRIES) if at_once is None else (BYTE_ROWS, BYTE_ENTRIES)
    fours, n_groups = -(-n_columns // SIDE_BY_SIDE), -(-n_rows // rows)
    # 256-bit registers take the sums' bytes apart
    kind = (np.int16 if wide else np.uint8) if at_once is None else np.int8
    sums = aligned((n_chips, fours, n_groups, SIDE_BY_SIDE, entries), kind)
    build_tables(cells, sums)
    return Tables(sums, np.pad(start, ((0, 0), (0, -n_columns % SIDE_BY_SIDE))), at_once or 0)


def signed_rows(cells: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    """Rows (n_chips, n_rows, n_columns), one without current, and the rows to be taken off."""
    return np.concatenate([cells, np.zeros_like(cells[:, :1]), -cells], axis=1)


def join_chances(tile: Tile, steps: list[int] | None = None) -> Chances:
    """Decision tables of a tile: one for each matrix, shared by its columns.

    Parameters
    ----------
    steps
        Quanta to a unit of sums, for each matrix: the table then has their multiples alone.
    """
    tables = _tables(tile)
    limits = [len(table) // 2 for table in tables]
    if steps is not None:
        tables = [t[n % step :: step] for t, n, step in zip(tables, limits, steps, strict=True)]
        limits = [len(table) // 2 for table in tables]
    widths = [part.matrix.n_columns for part in tile.matrices]
    # kernels read whole registers of chances around each sum
    room = np.zeros(RUNGS // 2, np.uint64)
    first = len(room) + np.cumsum([0] + [len(table) for table in tables[:-1]])
    whole = np.concatenate([room, *tables, room])
    return Chances(
        table=whole.astype(np.uint32),
        middle=np.repeat(first + limits, widths).astype(np.int32),
        limit=np.repeat(limits, widths).astype(np.int32),
    )


def _limits(chances: Chances) -> NDArray[np.int64]:
    """Largest distance at which a draw can change a column's bit, -1 where none can."""
    is_silent = chances.table[chances.middle] == 0  # else it is one half
    return np.where(is_silent, -1, np.minimum(chances.limit, SUM_16_BITS)).astype(np.int64)


def _tables(tile: Tile) -> list[NDArray[np.uint64]]:
    return [
        decision_table(part.read_out.sigma_quanta, part.read_out.widest) for part in tile.matrices
    ]

