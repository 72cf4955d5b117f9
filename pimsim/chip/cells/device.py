"""Cells of a device file."""

from __future__ import annotations

from collections.abc import Sequence

from pimsim.chip.cells.base import Cells
from pimsim.chip.tile import TileLayout
from pimsim.circuits import arrays, programming_periphery
from pimsim.circuits.bill import Bill
from pimsim.circuits.logic import LogicCosts
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel, cell_model
from pimsim.errors import Place


class DeviceCells(Cells):
    """Non-volatile cells, whose levels are currents."""

    @property
    def name(self) -> str:
        return self.lines.device.name

    def model(
        self,
        n_levels: int,
        noise: NoiseConfig,
        age: float | None,
        place: Place | None,
        read_times: tuple[float, ...],
    ) -> CellModel:
        device, temperature = self.lines.device, self.config.temperature
        return cell_model(device, n_levels, noise, age, place, read_times, temperature)

    def bill(
        self, tile: TileLayout, energies: Sequence[tuple[str, float]], costs: LogicCosts
    ) -> Bill:
        n_arrays = tile.placement.n_arrays
        return arrays.bill(self.config.array, self.lines.device.cell, tile.name, n_arrays, energies)

    def programming_bill(self, tile: TileLayout) -> Bill:
        block, n_arrays = self.config.programming_periphery, tile.placement.n_arrays
        return programming_periphery.bill(block, self.config.array, tile.name, n_arrays)
