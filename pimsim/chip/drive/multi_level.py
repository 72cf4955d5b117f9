"""Codes on word lines as levels: one pulse, a DAC for each row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pimsim.chip.drive.base import Counts
from pimsim.chip.drive.bit_serial import CodeDrive
from pimsim.chip.pulses import Pulses, zero_points
from pimsim.chip.read_out.lines import LineReadOut
from pimsim.chip.tile import TileLayout
from pimsim.circuits import dac
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.logic import LogicCosts
from pimsim.config.drive import MultiLevelDrive as Block
from pimsim.workload.signals import CodeFormat


class MultiLevelDrive(CodeDrive):
    """Drive whose line of a row has a level in proportion to its code.

    References of the DACs follow the codes: the largest one of a tile is the full level. With
    `two_pass` and `difference`, parts above the zero points come first and those below them in a
    second pulse, whose sum is subtracted: of `two_pass` as a code, of `difference` as a sample, so
    that an ADC rounds the whole sum once. Where no code has a sign there is one pulse alone.
    """

    @property
    def block(self) -> Block:
        block = self.config.drive
        assert isinstance(block, Block)
        return block

    def pulses(self, formats: Sequence[CodeFormat]) -> Pulses:
        zeros = zero_points(formats)
        tops = np.array([form.top for form in formats], np.int64)
        if self.block.signed_codes == "offset" or not zeros.any():
            return Pulses((1,), int(tops.max()), np.zeros_like(zeros), zeros)
        largest = int(np.maximum(zeros, tops - zeros).max())
        joined = self.block.signed_codes == "difference"
        return Pulses((1, -1), largest, zeros, zeros, joined)

    def amplitudes(self, tile: TileLayout, numbers: Counts) -> list[Counts]:
        signed = numbers.astype(np.int64) - tile.pulses.subtracted
        return [np.maximum(weight * signed, 0) for weight in tile.pulses.weights]

    def bill(self, tile: TileLayout, costs: LogicCosts) -> Bill:
        n_arrays, read_out = tile.placement.n_arrays, tile.read_out
        assert isinstance(read_out, LineReadOut)
        pulse = read_out.pulse(tile)
        return dac.bill(
            self.block, self.lines, tile.name, n_arrays, tile.pulses.largest, pulse, costs
        )

    def actions(self, tile: TileLayout, reads: int, driven: int) -> list[Action]:
        placed, pulses = tile.placement, self.pulses_for(tile)
        of_arrays = reads * pulses * placed.n_arrays
        # a row that runs through several arrays side by side has a DAC and lines in each
        rows = reads * pulses * placed.n_rows * placed.n_side_by_side
        found = [
            Action("dac", "conversions", rows),
            Action("word_line_driver", "steps_driven", driven * placed.n_side_by_side),
            Action("word_line_driver", "strobes", of_arrays),
            Action("array", "reads", of_arrays),
        ]
        if self.lines.has_input_lines:
            found.append(Action("word_line_driver", "rows_driven", rows))
        return found
