"""Backend `bytes`: tables of six rows in bytes, for chips that all hold the same currents."""

from __future__ import annotations

from collections.abc import Sequence

from pimsim.chip import Chip, ProgrammedTile, Tile
from pimsim.kernels import registers
from pimsim.kernels.lane_sums import lane_tables
from pimsim.simulate.backends.base import keys_of, refuses_numbers
from pimsim.simulate.backends.decisions import probability_tables
from pimsim.simulate.backends.lanes import LaneOperand, Lanes, has_few_columns, refuses_few
from pimsim.simulate.backends.level_units import level_units
from pimsim.simulate.backends.registers import Registers
from pimsim.streams import Purpose


class Bytes(Lanes):
    """Looks up sums of rows in level units, which fit bytes."""

    name = "bytes"
    substitute = Registers()

    def refuses(self, chip: Chip, n_sequences: int | None) -> str | None:
        reason = refuses_numbers(chip, "bits")
        if reason is not None:
            return reason
        if not all(tile.is_shared for tile in chip.tiles):
            return "it runs chips without static error, and cells or offsets of this one vary"
        if not registers.has_bytes:
            return "it needs AVX-512 with BW, VBMI and VBMI2, which this CPU lacks"
        return refuses_few(n_sequences)

    def load(
        self,
        chip: Chip,
        tile: Tile,
        programmed: Sequence[ProgrammedTile],
        seed: int,
    ) -> LaneOperand | None:
        if tile.is_converted or tile.wires is not None:
            return None
        units = level_units(tile, programmed[0])
        if not (has_few_columns(programmed) and units.byte_groups and units.fit_16_bits):
            return None
        return LaneOperand(
            lane_tables(units.cells[None], units.start[None], units.byte_groups),
            probability_tables(tile, units.steps),
            keys_of(seed, Purpose.DECISION, tile),
        )
