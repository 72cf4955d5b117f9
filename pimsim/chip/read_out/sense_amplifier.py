"""One-bit read-out: a sense amplifier for each column pair, or for several in turn."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pimsim.chip.characteristic import Characteristic, StaticErrors
from pimsim.chip.phase import Phase, cycles_of
from pimsim.chip.quantum import full_scale_quanta, smallest_noise, worst_column
from pimsim.chip.read_out.base import ReadOut
from pimsim.chip.tile import MatrixLayout, Tile, TileLayout
from pimsim.circuits import bit_line, sense_amplifier
from pimsim.circuits.bill import Action, Bill, total
from pimsim.circuits.logic import LogicCosts
from pimsim.config.read_out import SenseAmplifier
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel
from pimsim.streams import MAX_NORMAL, Purpose, normals

# drawn offsets are kept to this, far beyond any sum [quanta]
_OFFSET_LIMIT = 2.0**40


class SenseAmplifierReadOut(ReadOut):
    """A decision for each column: 1 if its differential current exceeds offset and noise."""

    @property
    def amplifier(self) -> SenseAmplifier:
        block = self.config.read_out
        assert isinstance(block, SenseAmplifier)
        return block

    def characterise(
        self, part: MatrixLayout, tile: TileLayout, cell: CellModel, noise: NoiseConfig
    ) -> Characteristic:
        config, amplifier, matrix = self.config, self.amplifier, part.matrix
        volts_per_unit = amplifier.input_range / matrix.preactivation_range
        capacitance = amplifier.input_capacitance + bit_line.bit_line_capacitance(
            config.bit_line, tile.placement.rows_on_bit_line
        )
        sigma_volts = sense_amplifier.sampled_noise(
            capacitance, config.temperature, config.thermal_noise.excess
        )
        offset_volts = sense_amplifier.offset_sigma(amplifier)
        dynamic = sigma_volts / volts_per_unit if noise.dynamic else 0.0
        sigma_units = math.hypot(dynamic, noise.sigma_eval)
        offset_units = offset_volts / volts_per_unit if noise.offset else 0.0
        full_weight = self.coding.full_scale(matrix)
        top_level = self.coding.n_cell_levels(matrix) - 1
        decision = np.array([sigma_units, offset_units]) / full_weight
        noise_floor = smallest_noise(cell, decision)
        highest = tile.placement.n_rows * cell.highest
        worst = worst_column(part.cells, cell, offset_units / full_weight)
        full_scale = full_scale_quanta(top_level, worst, highest, cell, decision)
        return Characteristic(
            volts_per_unit=volts_per_unit,
            capacitance=capacitance,
            sigma_volts=sigma_volts,
            offset_volts=offset_volts,
            sigma_units=sigma_units,
            offset_units=offset_units,
            full_scale_quanta=full_scale,
            quanta_per_unit=full_scale / full_weight,
            quantum_to_noise=0.0 if math.isinf(noise_floor) else 1 / (full_scale * noise_floor),
            widest=math.ceil((highest + MAX_NORMAL * offset_units / full_weight) * full_scale),
        )

    def static_errors(self, tile: Tile, seed: int, chip_index: int) -> StaticErrors:
        n_lines = tile.placement.n_lines
        draws = normals(seed, Purpose.OFFSET, chip_index, tile.index, (1, 1, n_lines))[0, 0]
        offsets = np.empty(n_lines, np.int64)
        for matrix in tile.matrices:
            drawn = draws[matrix.columns] * matrix.read_out.offset_quanta
            offsets[matrix.columns] = np.round(np.clip(drawn, -_OFFSET_LIMIT, _OFFSET_LIMIT))
        return StaticErrors(offsets, {})

    def pulse(self, tile: TileLayout) -> float:
        """Word lines stay up until the last decision of the columns that share an amplifier.

        The pulse is timed by the circuits, not by the clock.
        """
        decisions = self.amplifier.decision_time * self.amplifier.columns_per_amplifier
        return self.integration_time(tile) + decisions

    def phases(self, tile: TileLayout, pulses: int) -> tuple[Phase, ...]:
        amplifier, clock = self.amplifier, self.config.clock.frequency
        rests_on = ("chip.clock", "chip.read_out")
        cancelling, deciding = amplifier.cancelling_time, amplifier.decision_time
        return (
            Phase("cancel", cancelling, cycles_of(cancelling, clock), rests_on),
            self.integrate(tile, pulses),
            Phase(
                "decide",
                deciding,
                cycles_of(deciding, clock),
                rests_on,
                amplifier.columns_per_amplifier,
                shows="decisions",
            ),
        )

    def bill(self, tile: TileLayout, tiles: Sequence[TileLayout], costs: LogicCosts) -> Bill:
        columns, placed = self.config.array.columns, tile.placement
        n_pairs = placed.n_read_outs * (columns // placed.lines_each)
        loads = bit_line.bill(self.config.bit_line, tile.name, placed.n_read_outs * columns)
        return total([loads, sense_amplifier.bill(self.amplifier, tile.name, n_pairs, costs)])

    def actions(self, tile: TileLayout, reads: int, pulses: int) -> list[Action]:
        return [Action("sense_amplifier", "decisions", reads * tile.placement.n_lines)]
