"""What the kernels read: a tile of several chips as plain arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import ProgrammedTile, Tile
from pimsim.chip.quantum import SUM_16_BITS
from pimsim.kernels.decisions import Chances, Streams
from pimsim.kernels.lanes import SIDE_BY_SIDE, build_tables
from pimsim.kernels.registers import ENTRIES, ROWS
from pimsim.kernels.sliced import GROUP, Planes
from pimsim.simulate.choice import kernel_of_tile
from pimsim.streams import Purpose, decision_table, key_words, tag

WORD = 64


class Operands:
    """Kernel operands of one tile on a group of chips.

    Attributes
    ----------
    kernel : str
        That the tile is run by.
    row_currents : dict of matrix name -> (n_chips or 1, n_rows) int64
        Current that a row draws while it is on, both bit lines of all its pairs [quanta];
        rows that are always on come last.
    planes : Planes
        Of "sliced": one set for all chips.
    cells, start, chances
        Of "portable", as `pimsim.kernels.array` takes them.
    tables, start, limits, chances
        Of "registers", as `pimsim.kernels.lanes` takes them.
    """

    def __init__(
        self, tile: Tile, programmed: list[ProgrammedTile], seed: int, kernel: str
    ) -> None:
        self.kernel = kernel_of_tile(kernel, tile, programmed)
        self.n_always_on = programmed[0].n_always_on
        self.placement = tile.placement
        self.key = np.array(key_words(seed), np.uint64)
        self.tag = np.uint64(tag(Purpose.DECISION, tile.index))
        self.row_currents = {
            part.name: np.stack([row_currents(p, part.columns) for p in programmed])
            for part in tile.matrices
        }
        if self.kernel == "sliced":
            self.planes = slice_tile(tile, programmed[0])
            return
        self.chances = _chances(tile)
        self.start = np.stack([p.start for p in programmed]).astype(np.int32)
        cells = np.stack([p.cells for p in programmed])
        if self.kernel == "registers":
            self.start = np.pad(self.start, ((0, 0), (0, -self.start.shape[1] % SIDE_BY_SIDE)))
            n_groups = -(-cells.shape[1] // ROWS)
            fours = self.start.shape[1] // SIDE_BY_SIDE
            shape = (len(cells), fours, n_groups, SIDE_BY_SIDE, ENTRIES)
            self.tables = np.empty(shape, np.int16)
            build_tables(cells, self.tables)
            self.limits = _limits(self.chances)
        else:
            # sums are as wide as cells: twice as many of 16 bits fit a register
            fits = all(p.fits_16_bits for p in programmed)
            self.cells = cells.astype(np.int16) if fits else cells

    def streams(self, chips: NDArray[np.int64], samples: NDArray[np.int64]) -> Streams:
        return Streams(self.key, self.tag, chips, np.ascontiguousarray(samples))


def row_currents(programmed: ProgrammedTile, columns: slice) -> NDArray[np.int64]:
    """Current of each row over some columns, (n_rows,) [quanta]."""
    total = programmed.plus[:, columns].astype(np.int64) + programmed.minus[:, columns]
    return np.asarray(total.sum(axis=1))


def _chances(tile: Tile) -> Chances:
    """Decision tables of a tile: one for each matrix, shared by its columns."""
    tables = _tables(tile)
    widths = [part.matrix.n_columns for part in tile.matrices]
    limits = [len(table) // 2 for table in tables]
    first = np.cumsum([0] + [len(table) for table in tables[:-1]])
    return Chances(
        table=np.concatenate(tables),
        middle=np.repeat(first + limits, widths).astype(np.int64),
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


def slice_tile(tile: Tile, programmed: ProgrammedTile) -> Planes:
    """A tile whose currents are whole level steps, in bit planes.

    The chance of each sum is taken from the same table as on other chips, at the distance
    that the sum is there.
    """
    cells, start = programmed.cells.astype(np.int64), programmed.start
    n_columns = cells.shape[1]
    levels = np.empty_like(cells)
    low, standing, middle = (np.empty(n_columns, np.int64) for _ in range(3))
    chances: list[NDArray[np.uint64]] = []
    for part, table in zip(tile.matrices, _tables(tile), strict=True):
        columns, top = part.columns, part.matrix.top_level
        step = max(1, np.gcd.reduce(np.append(cells[:, columns].ravel(), start[columns])))
        levels[:, columns] = cells[:, columns] // step
        low[columns], standing[columns] = top, start[columns] // step
        reach = np.abs(levels[:, columns]).sum(axis=0) + np.abs(standing[columns])
        widest = int(reach.max())
        middle[columns] = sum(map(len, chances)) + widest
        chances.append(_by_sum(table, int(step), widest))
    return Planes(bit_planes(levels + low), low, standing, np.concatenate(chances), middle)


def bit_planes(coded: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Bits of non-negative numbers (n_rows, n_columns), 64 rows to a word, as `Planes.planes`."""
    n_rows, n_columns = coded.shape
    n_planes = int(coded.max()).bit_length()
    rows = np.pad(coded.astype(np.uint64), ((0, -n_rows % (WORD * GROUP)), (0, 0)))
    words = rows.reshape(-1, WORD, n_columns)
    places = np.arange(WORD, dtype=np.uint64)[None, :, None]
    planes = [
        np.bitwise_or.reduce((words >> np.uint64(p) & np.uint64(1)) << places, axis=1)
        for p in range(n_planes)
    ]
    return np.stack(planes)


def _by_sum(table: NDArray[np.uint64], step: int, widest: int) -> NDArray[np.uint64]:
    """Chance of a 1 for every sum from -widest to widest [level units]."""
    limit = len(table) // 2
    distances = np.arange(-widest, widest + 1) * step
    inside = table[np.clip(distances + limit, 0, len(table) - 1)]
    always = np.uint64(1 << 32)
    return np.where(np.abs(distances) <= limit, inside, np.where(distances > 0, always, 0))
