"""Thermometer bits by comparators: the first layer's weights stand in an array."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.drive import Drive
from pimsim.chip.encoder.base import EncoderUnit, EncoderWork
from pimsim.chip.logic import LogicCircuits
from pimsim.chip.phase import Phase, cycles_of
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.comparators import NAME, Comparators, rounded
from pimsim.circuits.logic import LogicCosts
from pimsim.config.chip import ChipConfig
from pimsim.errors import MappingError, Place
from pimsim.workload.graph import Network
from pimsim.workload.thermometer import ThermometerEncoder, step_of


class ThermometerUnit(EncoderUnit):
    """Comparators of features, whose register holds the bits of a frame."""

    is_there: ClassVar[bool] = True

    def __init__(self, network: Network, config: ChipConfig, place: Place | None) -> None:
        super().__init__(network, config, place)
        encoder, block = network.encoder, config.thermometer
        assert isinstance(encoder, ThermometerEncoder)
        if block is None:
            raise MappingError(
                "has no comparators, and the network's first layer reads thermometer bits",
                place=place,
                remedy="Add the block 'thermometer:' to the chip, as ba_mlw_16nm has it",
            )
        self.circuit = Comparators(block, encoder.n_bits, encoder.n_channels)
        self.step = step_of(encoder.limits, block.input_bits)

    def outputs(
        self, inputs: NDArray[np.float64], drive: Drive, fixed_point: bool
    ) -> NDArray[np.uint8]:
        seen = rounded(inputs, self.step, self.circuit.block.input_bits) if fixed_point else inputs
        return super().outputs(seen, drive, fixed_point)

    def phases(self, costs: LogicCosts) -> tuple[Phase, ...]:
        delay = self.circuit.delay(costs)
        cycles = cycles_of(delay, self.config.clock.frequency)
        rests_on = ("chip.clock", f"chip.{NAME}", "technology.gate", "technology.flip_flop")
        return (Phase("compare", delay, cycles, rests_on, repeats=self.circuit.words),)

    def bill(
        self, circuits: LogicCircuits, costs: LogicCosts, frames: int, operations: int
    ) -> Bill:
        cycles = sum(phase.cycles * phase.repeats for phase in self.phases(costs))
        return self.circuit.bill(costs, frames, cycles)

    def actions(self, circuits: LogicCircuits, work: EncoderWork) -> list[Action]:
        return self.circuit.actions(work.frames, work.flips)
