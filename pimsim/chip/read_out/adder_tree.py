"""Digital read-out: an adder tree for each column of words, and a comparator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from pimsim.chip.characteristic import Characteristic, StaticErrors
from pimsim.chip.phase import Phase, cycles_of
from pimsim.chip.read_out.base import ReadOut
from pimsim.chip.tile import MatrixLayout, Tile, TileLayout
from pimsim.circuits import adder_tree, input_line
from pimsim.circuits.adder_tree import Tree
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.logic import LogicCosts
from pimsim.config.drive import HeldDrive
from pimsim.config.read_out import AdderTree
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel


class AdderTreeReadOut(ReadOut):
    """A decision for each column: 1 if the sum of its words exceeds a threshold, exactly.

    Rows beyond those of one array have trees of their own, whose sums are added.
    """

    joins_stack: ClassVar[bool] = False

    @property
    def block(self) -> AdderTree:
        block = self.config.read_out
        assert isinstance(block, AdderTree)
        return block

    def tree(self, tile: TileLayout) -> Tree:
        """Tree of one column of words of one array."""
        return Tree(self.config.array.rows, tile.placement.lines_each)

    def characterise(
        self, part: MatrixLayout, tile: TileLayout, cell: CellModel, noise: NoiseConfig
    ) -> Characteristic:
        """Whole numbers: a quantum is one of the level steps that words count.

        The only noise is the algorithm's own of eq. 5, where it is asked for.
        """
        matrix = part.matrix
        thresholds = np.abs(matrix.thresholds.astype(np.int64)).max(initial=0)
        return Characteristic(
            sigma_units=noise.sigma_eval,
            offset_units=0.0,
            full_scale_quanta=1,
            quanta_per_unit=1 / self.coding.full_scale(matrix),
            quantum_to_noise=0.0,
            widest=int(matrix.n_rows * matrix.top_level + thresholds),
            mismatch=0.0,
        )

    def static_errors(self, tile: Tile, seed: int, chip_index: int) -> StaticErrors:
        """No errors; the comparators subtract the thresholds."""
        thresholds = [part.matrix.thresholds.astype(np.int64) for part in tile.matrices]
        return StaticErrors(np.concatenate(thresholds), {})

    def delay(self, tile: TileLayout) -> float:
        """Time from a changed input to a decision [s]."""
        drive, costs, placed = self.config.drive, self.costs, tile.placement
        assert isinstance(drive, HeldDrive)
        # the adders of partial sums and the comparator add levels to the tree, as wide as its sum
        tree, block = self.tree(tile), self.block
        joined = Tree(tree.rows * placed.n_stacked, tree.bits)
        gates = joined.delay_in_gates(block) + block.sum_delay_in_gates + block.multiplier_gates
        line = input_line.delay(drive, self.config.array.columns, costs)
        return costs.flip_flop_delay + line + gates * costs.gate_delay

    def phases(self, tile: TileLayout, pulses: int) -> tuple[Phase, ...]:
        """One pass, without registers on its way."""
        seconds = self.delay(tile)
        rests_on = ("chip.clock", "chip.drive", "chip.read_out", "technology.gate",
                    "technology.flip_flop", "technology.wire")  # fmt: skip
        cycles = cycles_of(seconds, self.config.clock.frequency)
        return (Phase("add", seconds, cycles, rests_on, pulses, ("word_lines", "decisions")),)

    def bill(self, tile: TileLayout, tiles: Sequence[TileLayout], costs: LogicCosts) -> Bill:
        placed = tile.placement
        words = placed.lines_of_array
        n_trees, n_columns = placed.n_arrays * words, placed.n_side_by_side * words
        return adder_tree.bill(
            self.block, tile.name, self.tree(tile), n_trees, n_columns, placed.n_stacked, costs
        )

    def actions(self, tile: TileLayout, reads: int, pulses: int) -> list[Action]:
        decisions, joined = reads * tile.lines_each, tile.placement.n_stacked - 1
        found = [Action("comparator", "decisions", decisions)]
        return found + ([Action("partial_sums", "sums", decisions * joined)] if joined else [])

    def driven_actions(self, tile: TileLayout, driven: int) -> list[Action]:
        """A row that changes changes its product with every word of the tile."""
        return [Action("adder_tree", "products_changed", driven * tile.placement.n_lines)]
