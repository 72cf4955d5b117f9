"""Cells of SRAM, as the technology file has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pimsim.chip.cells.base import Cells
from pimsim.chip.tile import TileLayout
from pimsim.circuits import sram
from pimsim.circuits.bill import Bill
from pimsim.circuits.logic import LogicCosts
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel
from pimsim.devices.bits import bit_model
from pimsim.errors import Place


class SramCells(Cells):
    """Bits of SRAM: exact, volatile, and never read while the chip computes.

    The area of a bit has its share of a small macro's periphery, which writes it.
    """

    without_device: ClassVar[str] = (
        "weights are bits of SRAM, so the device file has no effect on any result"
    )

    @property
    def name(self) -> str:
        return "SRAM"

    def model(
        self,
        n_levels: int,
        noise: NoiseConfig,
        age: float | None,
        place: Place | None,
        read_times: tuple[float, ...],
    ) -> CellModel:
        return bit_model("bits of SRAM, which have no error")

    def bill(
        self, tile: TileLayout, energies: Sequence[tuple[str, float]], costs: LogicCosts
    ) -> Bill:
        n_bits = tile.placement.n_arrays * self.config.array.rows * self.config.array.columns
        return sram.bill(tile.name, n_bits, self.config.power, costs)
