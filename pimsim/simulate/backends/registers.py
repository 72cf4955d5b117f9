"""Backend `registers`: tables of four or five rows in vector registers (AVX2 or AVX-512)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pimsim.chip import Chip, ProgrammedTile, Tile
from pimsim.chip.wired import drop_of
from pimsim.kernels import registers
from pimsim.kernels.drop import Drop
from pimsim.kernels.lane_sums import LaneTables, lane_tables
from pimsim.kernels.wired_lanes import drop_tables
from pimsim.simulate.backends.base import keys_of, refuses_numbers
from pimsim.simulate.backends.decisions import probability_tables
from pimsim.simulate.backends.lanes import LaneOperand, Lanes, has_few_columns, refuses_few
from pimsim.simulate.backends.portable import Portable
from pimsim.streams import Purpose


class Registers(Lanes):
    """Looks up 16-bit sums of rows; with losses along wires, to first order and AVX-512 alone."""

    name = "registers"
    substitute = Portable()

    def refuses(self, chip: Chip, n_sequences: int | None) -> str | None:
        reason = refuses_numbers(chip, "bits")
        if reason is not None:
            return reason
        if not registers.available:
            return "it needs AVX-512 with BW and VBMI2, or AVX2, which this CPU lacks"
        return refuses_few(n_sequences)

    def load(
        self,
        chip: Chip,
        tile: Tile,
        programmed: Sequence[ProgrammedTile],
        seed: int,
    ) -> LaneOperand | None:
        if tile.is_converted or not has_few_columns(programmed):
            return None
        if not all(p.fits_16_bits for p in programmed):
            return None
        if tile.wires is not None and not (tile.wires.form == "first_order" and registers.wide):
            return None
        tables: LaneTables | Drop | None
        if tile.wires is None:
            cells = np.stack([p.cells for p in programmed])
            tables = lane_tables(cells, np.stack([p.start for p in programmed]))
        else:
            tables = drop_tables(drop_of(tile, programmed))
        if tables is None:
            return None
        return LaneOperand(
            tables,
            probability_tables(tile),
            keys_of(seed, Purpose.DECISION, tile),
        )
