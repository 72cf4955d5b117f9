"""Read-out of tall layers: ADCs of a few bits below each array, adders of codes, a comparator."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.characteristic import Quantiser
from pimsim.chip.phase import Phase
from pimsim.chip.read_out.adc import AdcReadOut
from pimsim.chip.tile import MatrixLayout, MatrixOnChip, TileLayout
from pimsim.circuits import adc as circuit
from pimsim.circuits import partial_sums
from pimsim.circuits.bill import Action, Bill, total
from pimsim.circuits.logic import LogicCosts
from pimsim.config.run import NoiseConfig
from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.matrix import LevelMatrix, without_limits


class PartialSumsReadOut(AdcReadOut):
    """A bit for each column: 1 if the sum of its arrays' codes exceeds the column's threshold.

    Thresholds are numbers beside comparators, and take no rows. A sum of codes that equals its
    threshold gives 0.
    """

    def held(self, matrix: LevelMatrix) -> LevelMatrix:
        return without_limits(matrix)

    def neurons(self, matrix: LevelMatrix) -> CodeNeurons:
        return matrix.neurons or CodeNeurons(matrix.thresholds[:, None] + np.int32(1))

    def code_limits(self, part: MatrixOnChip) -> NDArray[np.int64]:
        """Smallest sum of codes at which each column gives 1: the number beside its comparator."""
        numbers = part.read_out
        assert isinstance(numbers, Quantiser)
        # half-way to the next whole sum, as sums of codes are rounded
        middle = part.matrix.thresholds + 0.5
        found = np.ceil(middle / numbers.step)
        return np.asarray(found - ((found - 1) * numbers.step >= middle), np.int64)

    def neuron_noise(self, part: MatrixLayout, noise: NoiseConfig) -> float:
        """Noise of the algorithm: each array has an equal share of its variance [levels]."""
        n_blocks = len(part.cells.weight_of_line)
        unit = part.matrix.alpha / part.matrix.top_level
        return noise.sigma_eval / unit / math.sqrt(n_blocks)

    def phases(self, tile: TileLayout, pulses: int) -> tuple[Phase, ...]:
        """After the last conversion its codes are added and compared, in a cycle of their own."""
        # adders are pipelined to the clock: their cycles are given, not their delay
        compare = Phase("compare", 0.0, 1, ("chip.clock", "chip.read_out"), shows=("decisions",))
        return (*super().phases(tile, pulses), compare)

    def bill(self, tile: TileLayout, tiles: Sequence[TileLayout], costs: LogicCosts) -> Bill:
        placed, columns = tile.placement, self.config.array.columns
        of_array = placed.circuits_of_array(self.shared)
        return total(
            [
                self.lines_bill(tile),
                circuit.bill(
                    self.adc,
                    tile.name,
                    placed.n_read_outs * of_array,
                    placed.n_read_outs * columns,
                    costs,
                    self.conversion_time(tile),
                ),
                partial_sums.bill(
                    tile.name,
                    placed.n_side_by_side * of_array,
                    placed.n_stacked,
                    partial_sums.sum_bits(self.adc.bits, placed.n_stacked),
                    min(self.shared, placed.lines_of_array),
                    costs,
                ),
            ]
        )

    def actions(self, tile: TileLayout, reads: int, pulses: int) -> list[Action]:
        placed, decisions = tile.placement, reads * tile.lines_each
        return [
            *self.line_actions(tile, reads * pulses),
            Action("adc", "conversions", decisions * pulses * placed.read_outs_each),
            Action("partial_sums", "sums", decisions * (placed.n_stacked - 1)),
            Action("comparator", "decisions", decisions),
        ]
