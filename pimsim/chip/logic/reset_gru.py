"""Logic of a GRU with reset gate: C = tanh(W x + R (U H)), H = Z H(t-1) + (1 - Z) C."""

from __future__ import annotations

from pimsim.chip.logic.base import Logic, LogicCircuits
from pimsim.chip.tile import TileLayout
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.logic import LogicCosts
from pimsim.kernels import logic as kernels
from pimsim.workload.layers import ResetGru


class ResetGruLogic(Logic):
    """A product with the reset gate, a lookup of the candidate, and a weighted mean of codes."""

    def kernel(self, tile: TileLayout) -> kernels.ResetGruLogic:
        layer = _layer(tile)
        sums = layer.below.neurons
        assert sums is not None
        return kernels.ResetGruLogic(layer.n_states, sums.zero, layer.candidate.limits)

    def lookups(self, tile: TileLayout) -> int:
        return tile.node.layer.n_states

    def bill(self, tile: TileLayout, circuits: LogicCircuits, costs: LogicCosts) -> Bill:
        return circuits.mixing_bill(tile, tile.node.layer.n_states, costs)

    def actions(
        self, tile: TileLayout, circuits: LogicCircuits, reads: int, flips: int
    ) -> list[Action]:
        # candidate and new state are mixed alike: two products, a sum and a lookup each
        n = reads * tile.node.layer.n_states
        lookups = Action("activation_unit", "activations", n)
        return [*circuits.mixing_actions(2 * n, flips), lookups]


def _layer(tile: TileLayout) -> ResetGru:
    layer = tile.node.layer
    assert isinstance(layer, ResetGru)
    return layer
