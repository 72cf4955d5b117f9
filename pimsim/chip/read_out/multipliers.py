"""Digital read-out: multiply-accumulators that read the words of weights, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from pimsim.chip.characteristic import Quantiser, StaticErrors
from pimsim.chip.phase import Phase
from pimsim.chip.read_out.base import ReadOut, refuse_noise_of_bits
from pimsim.chip.tile import MatrixLayout, Tile, TileLayout
from pimsim.circuits import multipliers
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.digital_mac import MacUnit
from pimsim.circuits.logic import LogicCosts
from pimsim.config.read_out import Multipliers
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel
from pimsim.errors import MappingError


class MultiplierReadOut(ReadOut):
    """The whole sum of each column, exactly.

    Arrays work side by side; each takes the code of one of its rows a cycle. Sums of arrays below
    each other are added.
    """

    joins_stack: ClassVar[bool] = False

    @property
    def block(self) -> Multipliers:
        block = self.config.read_out
        assert isinstance(block, Multipliers)
        return block

    def unit(self, tile: TileLayout) -> MacUnit:
        """Multiplier of the drive's codes and the words of weights, and its accumulator."""
        return MacUnit(
            self.config.drive.bits,  # type: ignore[attr-defined]
            tile.placement.lines_each,
            self._rows(tile),
        )

    def _rows(self, tile: TileLayout) -> int:
        """Rows of the fullest array."""
        return min(tile.placement.n_rows, self.config.array.rows)

    def characterise(
        self, part: MatrixLayout, tile: TileLayout, cell: CellModel, noise: NoiseConfig
    ) -> Quantiser:
        """Whole numbers: a code is a level times a code, and reaches as far as any sum."""
        matrix = part.matrix
        refuse_noise_of_bits(noise, "a chip with multipliers")
        if matrix.neurons is None and matrix.thresholds.any():
            raise MappingError(
                "has thresholds, and a chip of codes takes none",
                remedy="Train the network without thresholds, or take a chip with sense amplifiers",
            )
        largest = int(matrix.n_rows * matrix.top_level * tile.pulses.largest)
        unit = matrix.alpha / matrix.top_level / (2**tile.input_bits - 1)
        return Quantiser(
            code_quanta=1,
            top=largest,
            step=1.0,
            sigma=0.0,
            sigma_codes=0.0,
            offset=0.0,
            gain=0.0,
            bow=0.0,
            level_bow=0.0,
            signed=True,
            level0_current=0.0,
            sigma_units=0.0,
            offset_units=0.0,
            full_scale_quanta=1,
            quanta_per_unit=1 / unit,
            quantum_to_noise=0.0,
            widest=largest,
            mismatch=0.0,
        )

    def static_errors(self, tile: Tile, seed: int, chip_index: int) -> StaticErrors:
        """No errors."""
        n_lines = tile.placement.n_lines
        none = np.zeros((tile.placement.read_outs_each, n_lines))
        arrays = dict.fromkeys(("offset", "gain", "bow"), none)
        return StaticErrors(np.zeros(n_lines, np.int64), arrays)

    def phases(self, tile: TileLayout, pulses: int) -> tuple[Phase, ...]:
        """A row of words a cycle, pipelined to the clock, and then the sums of further arrays."""
        turns = self.block.words_per_multiplier
        turns = turns if tile.groups == 1 else min(turns, tile.lines_each)
        rests_on = ("chip.clock", "chip.read_out", "chip.array")
        cycles = self._rows(tile) * turns
        found = [Phase("multiply", 0.0, cycles, rests_on, pulses, ("word_lines",))]
        if tile.placement.n_stacked > 1:
            found.append(Phase("add", 0.0, tile.placement.n_stacked - 1, rests_on))
        return tuple(found)

    def bill(self, tile: TileLayout, tiles: Sequence[TileLayout], costs: LogicCosts) -> Bill:
        placed = tile.placement
        return multipliers.bill(
            self.block,
            self.config.array,
            tile.name,
            self.unit(tile),
            placed.n_arrays,
            placed.n_side_by_side,
            costs,
        )

    def actions(self, tile: TileLayout, reads: int, pulses: int) -> list[Action]:
        placed, sums = tile.placement, reads * tile.lines_each
        macs = sums * placed.n_rows
        found = [
            Action("mac_unit", "macs", macs),
            Action("mac_unit", "weight_bits_read", macs * placed.lines_each),
        ]
        joined = placed.n_stacked - 1
        return found + ([Action("partial_sums", "sums", sums * joined)] if joined else [])
