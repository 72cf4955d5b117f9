"""What the kernels read: a tile of several chips as plain arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import ProgrammedTile, Tile
from pimsim.kernels.array import Chances, Streams
from pimsim.streams import Purpose, decision_table, key_words, tag


class Operands:
    """Kernel operands of one tile on a group of chips."""

    def __init__(self, tile: Tile, programmed: list[ProgrammedTile], seed: int) -> None:
        self.cells = np.stack([p.cells for p in programmed])
        self.start = np.stack([p.start for p in programmed]).astype(np.int32)
        self.n_always_on = programmed[0].n_always_on
        self.placement = tile.placement
        self.chances = _chances(tile)
        self.key = np.array(key_words(seed), np.uint64)
        self.tag = np.uint64(tag(Purpose.DECISION, tile.index))

    def streams(self, chips: NDArray[np.int64], samples: NDArray[np.int64]) -> Streams:
        return Streams(self.key, self.tag, chips, np.ascontiguousarray(samples))


def _chances(tile: Tile) -> Chances:
    """Decision tables of a tile: one for each matrix, shared by its columns."""
    tables = [
        decision_table(part.read_out.sigma_quanta, part.read_out.widest) for part in tile.matrices
    ]
    widths = [part.matrix.n_columns for part in tile.matrices]
    limits = [len(table) // 2 for table in tables]
    first = np.cumsum([0] + [len(table) for table in tables[:-1]])
    return Chances(
        table=np.concatenate(tables),
        middle=np.repeat(first + limits, widths).astype(np.int64),
        limit=np.repeat(limits, widths).astype(np.int32),
    )
