"""The verbs of a layer's logic, and of the circuits that it is built from."""

from __future__ import annotations

from typing import Any

from pimsim.chip.phase import Phase
from pimsim.chip.tile import TileLayout
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.logic import LogicCosts
from pimsim.config.chip import ChipConfig


class LogicCircuits:
    """Circuits that the logic of a chip is built from: gates for bits, tables for codes."""

    def __init__(self, config: ChipConfig) -> None:
        self.config = config

    def phase(self, tile: TileLayout, costs: LogicCosts, lookups: int = 0) -> Phase:
        """The phase from decisions to the output of a tile.

        Parameters
        ----------
        lookups : int
            Lookups of its logic, beside one for each neuron (`Logic.lookups`).
        """
        raise NotImplementedError

    def bill(self, tile: TileLayout, costs: LogicCosts) -> Bill:
        """Parts that every tile has, whatever its logic, and their prices."""
        return Bill()

    def actions(self, tile: TileLayout, reads: int) -> list[Action]:
        """Actions of these parts in `reads` operations."""
        return []

    def encoder_bill(self, costs: LogicCosts) -> Bill:
        """Parts and prices of the input layer beside its multiply-accumulators."""
        return Bill()

    def encoder_actions(self, n_outputs: int) -> list[Action]:
        """Actions of the input layer for `n_outputs` outputs."""
        raise NotImplementedError

    def register_bill(self, tile: TileLayout, costs: LogicCosts) -> Bill:
        """A register for every output of a tile."""
        raise NotImplementedError

    def mixing_bill(self, tile: TileLayout, n_hidden: int, costs: LogicCosts) -> Bill:
        """Registers of hidden states, and circuits that mix old and new states (eq. 11)."""
        raise NotImplementedError

    def cell_state_bill(
        self,
        tile: TileLayout,
        decided_bits: int,
        kept_bits: int,
        gate_bits: int,
        cell_bits: int,
        costs: LogicCosts,
    ) -> Bill:
        """Registers of an LSTM, and circuits that compute its cell states.

        Parameters
        ----------
        decided_bits, kept_bits : int
            Bits of all gates and candidates, and of all cell states and hidden states.
        gate_bits, cell_bits : int
            Bits of one gate, and of one cell state with its sign.
        """
        raise NotImplementedError

    def cell_state_actions(self, n_units: int) -> list[Action]:
        """Actions of computing the cell states and hidden states of `n_units`."""
        raise NotImplementedError

    def mixing_actions(self, n_mixed: int, flips: int) -> list[Action]:
        """Actions of mixing `n_mixed` hidden states; `flips` of their register bits changed."""
        raise NotImplementedError


class Logic:
    """Logic of a layer kind: the hardware of its `Layer.next_state`."""

    def kernel(self, tile: TileLayout) -> Any:
        """Argument by which a kernel's loop over time steps chooses this logic, if it has one."""
        raise NotImplementedError

    def lookups(self, tile: TileLayout) -> int:
        """Lookups in tables in each operation, beside one for each neuron."""
        return 0

    def bill(self, tile: TileLayout, circuits: LogicCircuits, costs: LogicCosts) -> Bill:
        """Parts and prices in a tile."""
        raise NotImplementedError

    def actions(
        self, tile: TileLayout, circuits: LogicCircuits, reads: int, flips: int
    ) -> list[Action]:
        """Actions of `reads` operations; `flips` bits of the state changed."""
        return []
