"""Codes on a bus, one after the other, to the multipliers of an array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pimsim.chip.drive.base import Counts
from pimsim.chip.drive.bit_serial import CodeDrive
from pimsim.chip.pulses import Pulses, zero_points
from pimsim.chip.tile import TileLayout
from pimsim.circuits import broadcast, multipliers
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.logic import LogicCosts
from pimsim.config.drive import BroadcastDrive as Block
from pimsim.config.read_out import Multipliers
from pimsim.workload.signals import CodeFormat


class BroadcastDrive(CodeDrive):
    """Drive that sends the code of each row as a word; zero points are in the neurons' limits."""

    @property
    def block(self) -> Block:
        block = self.config.drive
        assert isinstance(block, Block)
        return block

    def pulses(self, formats: Sequence[CodeFormat]) -> Pulses:
        top = max(form.top for form in formats)
        zeros = zero_points(formats)
        return Pulses((1,), top, np.zeros_like(zeros), zeros)

    def amplitudes(self, tile: TileLayout, numbers: Counts) -> list[Counts]:
        return [numbers.astype(np.int64)]

    def bill(self, tile: TileLayout, costs: LogicCosts) -> Bill:
        placed, read_out = tile.placement, self.config.read_out
        assert isinstance(read_out, Multipliers)
        each = multipliers.per_array(read_out, self.config.array, placed.lines_each)
        return broadcast.bill(
            self.block, self.config.array, tile.name, placed.n_arrays, each, costs
        )

    def actions(self, tile: TileLayout, reads: int, driven: int) -> list[Action]:
        # arrays side by side have buses of their own; every code is sent, also 0
        placed = tile.placement
        return [Action("input_bus", "codes_sent", reads * placed.n_rows * placed.n_side_by_side)]
