"""A register for each output: layers without a state."""

from __future__ import annotations

from pimsim.chip.logic.base import Logic, LogicCircuits
from pimsim.chip.tile import TileLayout
from pimsim.circuits.bill import Bill
from pimsim.circuits.logic import LogicCosts


class RegisterLogic(Logic):
    """Decisions are the output, and are kept until they are handed on."""

    def bill(self, tile: TileLayout, circuits: LogicCircuits, costs: LogicCosts) -> Bill:
        return circuits.register_bill(tile, costs)
