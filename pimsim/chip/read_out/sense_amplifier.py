"""One-bit read-out: a sense amplifier for each column pair, or for several in turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from pimsim.chip.characteristic import Characteristic, StaticErrors
from pimsim.chip.phase import Phase, cycles_of
from pimsim.chip.quantum import full_scale_quanta, smallest_noise, worst_column
from pimsim.chip.read_out.lines import LineReadOut
from pimsim.chip.tile import MatrixLayout, Tile, TileLayout
from pimsim.circuits import sense_amplifier
from pimsim.circuits.bill import Action, Bill, total
from pimsim.circuits.logic import LogicCosts
from pimsim.config.read_out import SenseAmplifier
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel
from pimsim.streams import MAX_NORMAL, Purpose, normals

# drawn offsets are kept to this, far beyond any sum [quanta]
_OFFSET_LIMIT = 2.0**40


class SenseAmplifierReadOut(LineReadOut):
    """A decision for each column: 1 if its differential current exceeds offset and noise."""

    tosses_ties: ClassVar[bool] = True
    loses_on_wires: ClassVar[bool] = True

    @property
    def amplifier(self) -> SenseAmplifier:
        block = self.config.read_out
        assert isinstance(block, SenseAmplifier)
        return block

    @property
    def shared(self) -> int:
        return self.amplifier.columns_per_amplifier

    def sum_range(self, part: MatrixLayout, tile: TileLayout, cell: CellModel) -> float:
        return part.matrix.preactivation_range / self.coding.full_scale(part.matrix)

    def characterise(
        self, part: MatrixLayout, tile: TileLayout, cell: CellModel, noise: NoiseConfig
    ) -> Characteristic:
        config, amplifier, matrix = self.config, self.amplifier, part.matrix
        chain, full_weight = self.chain(part, tile), self.coding.full_scale(matrix)
        volts_per_unit = chain.gain * cell.full_scale_current / full_weight
        own = sense_amplifier.own_noise(amplifier, config.temperature)
        sigma_volts = math.hypot(chain.noise(), own)
        offset_volts = sense_amplifier.offset_sigma(amplifier)
        dynamic = sigma_volts / volts_per_unit if noise.dynamic else 0.0
        sigma_units = math.hypot(dynamic, noise.sigma_eval)
        offset_units = offset_volts / volts_per_unit if noise.offset else 0.0
        mismatch = self.mismatch(part, tile) if noise.mismatch else 0.0
        top_level = self.coding.n_cell_levels(matrix) - 1
        decision = np.array([sigma_units, offset_units]) / full_weight
        noise_floor = smallest_noise(cell, decision, mismatch)
        one_side = tile.placement.n_rows * cell.highest
        highest = one_side * (1 + MAX_NORMAL * mismatch)
        worst = worst_column(part.cells, cell, offset_units / full_weight, mismatch)
        full_scale = full_scale_quanta(top_level, worst, highest, cell, decision, mismatch)
        return Characteristic(
            volts_per_unit=volts_per_unit,
            capacitance=chain.capacitance,
            sigma_volts=sigma_volts,
            offset_volts=offset_volts,
            sigma_units=sigma_units,
            offset_units=offset_units,
            full_scale_quanta=full_scale,
            quanta_per_unit=full_scale / full_weight,
            quantum_to_noise=0.0 if math.isinf(noise_floor) else 1 / (full_scale * noise_floor),
            widest=math.ceil((highest + MAX_NORMAL * offset_units / full_weight) * full_scale),
            mismatch=mismatch,
        )

    @property
    def offset_per_common_mode(self) -> float:
        return self.amplifier.offset_per_common_mode

    def static_errors(self, tile: Tile, seed: int, chip_index: int) -> StaticErrors:
        placed = tile.placement
        # as many draws as amplifiers on the bill
        across = placed.n_side_by_side * placed.circuits_of_array(self.shared)
        draws = normals(seed, Purpose.OFFSET, chip_index, tile.index, (1, 1, across))[0, 0]
        of_lines = draws[placed.circuit_of_line(self.shared)]
        offsets = np.empty(placed.n_lines, np.int64)
        for matrix in tile.matrices:
            drawn = of_lines[matrix.columns] * matrix.read_out.offset_quanta
            offsets[matrix.columns] = np.round(np.clip(drawn, -_OFFSET_LIMIT, _OFFSET_LIMIT))
        return StaticErrors(offsets, {})

    @property
    def decision_time(self) -> float:
        """Time of one decision, with the way of its strobe [s]."""
        scale = sense_amplifier.scaled(self.amplifier, self.lines.logic).delay
        return self.strobe_delay + self.amplifier.decision_time * scale

    def pulse(self, tile: TileLayout) -> float:
        """Word lines stay up until the last decision of the columns that share an amplifier."""
        return self.conducting(tile) + self.turns(tile) * self.timed(self.decision_time)

    def cancelling(self) -> float:
        """Time of offset cancelling [s]."""
        return self.timed(self.amplifier.cancelling_time)

    def _preparing(self, tile: TileLayout) -> float:
        """Time before a read, in which lines are restored and offsets cancelled at once [s]."""
        return max(self.amplifier.cancelling_time, self.restore_time(tile))

    def phases(self, tile: TileLayout, pulses: int) -> tuple[Phase, ...]:
        """Restore lines, integrate and decide: in cycles of their own, or one self-timed read."""
        clock, line = self.config.clock.frequency, self.config.bit_line
        integrate = self.integrate(tile, pulses)
        if line.pulse == "self_timed":
            seconds = self.timed(self._preparing(tile)) + self.start_delay + self.pulse(tile)
            return (
                Phase(
                    "read",
                    seconds,
                    cycles_of(seconds, clock),
                    integrate.rests_on,
                    pulses,
                    shows=("word_lines", "decisions"),
                ),
            )
        rests_on = ("chip.clock", "chip.read_out")
        preparing, deciding = self._preparing(tile), self.decision_time
        return (
            Phase("restore", preparing, cycles_of(preparing, clock), integrate.rests_on),
            integrate,
            Phase(
                "decide",
                deciding,
                cycles_of(deciding, clock),
                rests_on,
                self.turns(tile),
                shows=("decisions",),
            ),
        )

    def bill(self, tile: TileLayout, tiles: Sequence[TileLayout], costs: LogicCosts) -> Bill:
        placed = tile.placement
        amplifiers = sense_amplifier.bill(
            self.amplifier,
            tile.name,
            placed.n_read_outs * placed.circuits_of_array(self.shared),
            # an amplifier cancels its offset once in a read, and its decisions share that
            self.cancelling() * (self.circuits_used(tile) / tile.lines_each),
            self.lines,
            costs,
        )
        return total([self.lines_bill(tile), amplifiers])

    def actions(self, tile: TileLayout, reads: int, pulses: int) -> list[Action]:
        decisions = Action("sense_amplifier", "decisions", reads * tile.lines_each)
        return [*self.line_actions(tile, reads * pulses), decisions]
