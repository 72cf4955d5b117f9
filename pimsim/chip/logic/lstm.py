"""Logic of an LSTM: c = F c(t-1) + I G, H = O tanh(c)."""

from __future__ import annotations

from pimsim.chip.logic.base import Logic, LogicCircuits
from pimsim.chip.tile import TileLayout
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.logic import LogicCosts
from pimsim.kernels import logic as kernels
from pimsim.workload.layers import Lstm
from pimsim.workload.matrix import LevelMatrix


class LstmLogic(Logic):
    """Three products and a sum for each unit, and a lookup of tanh(c); c is in registers."""

    def kernel(self, tile: TileLayout) -> kernels.LstmLogic:
        layer = _layer(tile)
        return kernels.LstmLogic(
            layer.n_states,
            _zero(layer.candidate),
            layer.cell_top,
            2**layer.cell_parts,
            layer.cell.limits,
            layer.cell.zero,
            2**layer.hidden_parts,
            layer.hidden_zero,
            layer.hidden.top,
            layer.n_memory,
        )

    def lookups(self, tile: TileLayout) -> int:
        return tile.node.layer.n_states

    def bill(self, tile: TileLayout, circuits: LogicCircuits, costs: LogicCosts) -> Bill:
        layer = _layer(tile)
        n, cell_bits, gate = layer.n_states, layer.cell_bits + 1, layer.forget_gate.neurons
        assert gate is not None
        decided = sum(m.neurons.bits * n for m in layer.matrices.values() if m.neurons)
        kept = n * (cell_bits + layer.hidden_bits)
        return circuits.cell_state_bill(tile, decided, kept, gate.bits, cell_bits, costs)

    def actions(
        self, tile: TileLayout, circuits: LogicCircuits, reads: int, flips: int
    ) -> list[Action]:
        return circuits.cell_state_actions(reads * tile.node.layer.n_states)


def _layer(tile: TileLayout) -> Lstm:
    layer = tile.node.layer
    assert isinstance(layer, Lstm)
    return layer


def _zero(matrix: LevelMatrix) -> int:
    assert matrix.neurons is not None
    return matrix.neurons.zero
