"""Logic of a GRU without reset gate: H = G H(t-1) + (1 - G) C (eq. 11)."""

from __future__ import annotations

from pimsim.chip.logic.base import Logic, LogicCircuits
from pimsim.chip.tile import TileLayout
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.logic import LogicCosts
from pimsim.kernels import logic as kernels


class GruLogic(Logic):
    """A 2:1 multiplexer for each hidden bit, or a weighted mean of codes."""

    def kernel(self, tile: TileLayout) -> kernels.GruLogic:
        return kernels.GruLogic(tile.node.layer.n_states)

    def bill(self, tile: TileLayout, circuits: LogicCircuits, costs: LogicCosts) -> Bill:
        return circuits.mixing_bill(tile, tile.node.layer.n_states, costs)

    def actions(
        self, tile: TileLayout, circuits: LogicCircuits, reads: int, flips: int
    ) -> list[Action]:
        return circuits.mixing_actions(reads * tile.node.layer.n_states, flips)
