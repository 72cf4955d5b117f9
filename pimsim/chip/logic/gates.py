"""Logic of bits: multiplexers and registers."""

from __future__ import annotations

from pimsim.chip.logic.base import LogicCircuits
from pimsim.chip.phase import Phase, cycles_of
from pimsim.chip.tile import TileLayout
from pimsim.circuits import gates
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.logic import LogicCosts
from pimsim.config.logic import Gates


class GateCircuits(LogicCircuits):
    """Multiplexers of a few gates, and flip-flops."""

    @property
    def block(self) -> Gates:
        block = self.config.logic
        assert isinstance(block, Gates)
        return block

    def phase(self, tile: TileLayout, costs: LogicCosts, lookups: int = 0) -> Phase:
        delay = gates.write_delay(self.block, costs)
        rests_on = ("chip.clock", "chip.logic", "technology.gate", "technology.flip_flop")
        return Phase(
            "write",
            delay,
            cycles_of(delay, self.config.clock.frequency),
            rests_on,
            shows=("state",),
        )

    def encoder_actions(self, n_outputs: int) -> list[Action]:
        return [Action("input_encoder", "bits", n_outputs)]

    def register_bill(self, tile: TileLayout, costs: LogicCosts) -> Bill:
        return gates.register_bill(tile.name, tile.n_outputs, costs)

    def mixing_bill(self, tile: TileLayout, n_hidden: int, costs: LogicCosts) -> Bill:
        return gates.multiplexer_bill(
            self.block, tile.name, n_hidden, costs, self.config.power.retention
        )

    def mixing_actions(self, n_mixed: int, flips: int) -> list[Action]:
        return [
            Action("gru_logic", "selections", n_mixed),
            Action("gru_logic", "register_flips", flips),
        ]
