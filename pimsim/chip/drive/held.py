"""Bits on static lines, which stand until they change."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from pimsim.chip.drive.base import Counts
from pimsim.chip.drive.binary import BinaryDrive
from pimsim.chip.tile import TileLayout
from pimsim.circuits import input_line
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.logic import LogicCosts
from pimsim.config.drive import HeldDrive as Block


class HeldDrive(BinaryDrive):
    """Drive with a latch for each row: a line that keeps its bit costs nothing.

    Before the first operation of an inference all lines are 0.
    """

    is_held: ClassVar[bool] = True

    @property
    def block(self) -> Block:
        block = self.config.drive
        assert isinstance(block, Block)
        return block

    def counted(self, on: Counts, changed: Callable[[], Counts]) -> Counts:
        return changed()

    def bill(self, tile: TileLayout, costs: LogicCosts) -> Bill:
        n_arrays = tile.placement.n_arrays
        return input_line.bill(self.block, self.config.array, tile.name, n_arrays, costs)

    def actions(self, tile: TileLayout, reads: int, driven: int) -> list[Action]:
        # a row that runs through several arrays side by side has a line in each
        rows = driven * tile.placement.n_side_by_side
        return [Action("input_driver", "rows_changed", rows)]
