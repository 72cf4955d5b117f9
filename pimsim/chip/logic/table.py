"""Logic of codes: lookup tables of activations, which mix hidden states, too."""

from __future__ import annotations

from pimsim.chip.logic.base import LogicCircuits
from pimsim.chip.phase import Phase
from pimsim.chip.tile import TileLayout
from pimsim.circuits import activation_table
from pimsim.circuits.bill import Action, Bill, Price, total
from pimsim.circuits.gates import register_bill
from pimsim.circuits.logic import LogicCosts
from pimsim.config.chip import ChipConfig
from pimsim.config.logic import Table


class TableCircuits(LogicCircuits):
    """Units that look up a code for each sum, several in a cycle."""

    def __init__(self, config: ChipConfig) -> None:
        super().__init__(config)
        block = config.logic
        assert isinstance(block, Table)
        self.block = block

    def phase(self, tile: TileLayout, costs: LogicCosts, lookups: int = 0) -> Phase:
        # lookups and products are pipelined to the clock: their cycles are given
        cycles = -(-(tile.outputs_each + lookups) // self.block.units)
        shows = "decisions", "state"
        return Phase("activate", 0.0, cycles, ("chip.clock", "chip.logic"), shows=shows)

    def bill(self, tile: TileLayout, costs: LogicCosts) -> Bill:
        return activation_table.table_bill(self.block, tile.name, costs)

    def actions(self, tile: TileLayout, reads: int) -> list[Action]:
        return [Action("activation_unit", "activations", reads * tile.outputs_each)]

    def encoder_bill(self, costs: LogicCosts) -> Bill:
        each = self.block.energy_per_activation
        return Bill((), (Price("input_encoder", "activations", each, ("chip.logic",)),))

    def encoder_actions(self, n_outputs: int) -> list[Action]:
        return [Action("input_encoder", "activations", n_outputs)]

    def register_bill(self, tile: TileLayout, costs: LogicCosts) -> Bill:
        return register_bill(tile.name, tile.n_outputs * tile.output_bits, costs)

    def mixing_bill(self, tile: TileLayout, n_hidden: int, costs: LogicCosts) -> Bill:
        mixing = activation_table.mixing_bill(tile.output_bits, costs)
        # of its outputs, the hidden states are kept in sleep
        kept = self.config.power.retention * n_hidden / tile.n_outputs
        registers = register_bill(tile.name, tile.n_outputs * tile.output_bits, costs, kept)
        return total([registers, mixing])

    def cell_state_bill(
        self,
        tile: TileLayout,
        decided_bits: int,
        kept_bits: int,
        gate_bits: int,
        cell_bits: int,
        costs: LogicCosts,
    ) -> Bill:
        # cell states and hidden states are kept in sleep
        n_bits = decided_bits + kept_bits
        kept = self.config.power.retention * kept_bits / n_bits
        registers = register_bill(tile.name, n_bits, costs, kept)
        multipliers = activation_table.multipliers_bill(
            self.block, tile.name, gate_bits, cell_bits, costs
        )
        return total([registers, multipliers])

    def cell_state_actions(self, n_units: int) -> list[Action]:
        return [
            Action("activation_unit", "activations", n_units),
            Action("activation_unit", "products", 3 * n_units),
            Action("activation_unit", "sums", n_units),
        ]

    def mixing_actions(self, n_mixed: int, flips: int) -> list[Action]:
        return [Action("activation_unit", "mixes", n_mixed)]
