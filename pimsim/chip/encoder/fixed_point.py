"""A real-valued first layer in multiply-accumulators."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.drive import Drive
from pimsim.chip.encoder.base import EncoderUnit, EncoderWork
from pimsim.chip.logic import LogicCircuits
from pimsim.chip.phase import Phase, pipelined
from pimsim.circuits.bill import Action, Bill, total
from pimsim.circuits.clock import clocked
from pimsim.circuits.digital_mac import encoder_macs, fixed_preactivations
from pimsim.circuits.logic import LogicCosts
from pimsim.config.chip import ChipConfig
from pimsim.errors import Place
from pimsim.workload.graph import ENCODER, Network


class FixedPointUnit(EncoderUnit):
    """Digital sums of products, compared with thresholds or looked up in a table."""

    is_there: ClassVar[bool] = True

    def __init__(self, network: Network, config: ChipConfig, place: Place | None) -> None:
        super().__init__(network, config, place)
        block = config.input_encoder
        self.macs = encoder_macs(network.encoder, block)
        self.frames_at_once = self.macs.frames_at_once
        self.operands = f"{block.input_bits} b x {block.weight_bits} b"

    def outputs(
        self, inputs: NDArray[np.float64], drive: Drive, fixed_point: bool
    ) -> NDArray[np.uint8]:
        encoder = self.network.encoder
        if fixed_point:
            sums, step = fixed_preactivations(encoder, self.config.input_encoder, inputs)
            return drive.first_layer(self.network, sums * step)
        return drive.first_layer(self.network, encoder.preactivations(inputs))

    def phases(self, costs: LogicCosts) -> tuple[Phase, ...]:
        return (pipelined("multiply", self.macs.cycles, self.macs.name),)

    def bill(
        self, circuits: LogicCircuits, costs: LogicCosts, frames: int, operations: int
    ) -> Bill:
        gathers = self.network.shapes[ENCODER].has_steps and self.frames_at_once > 1
        of_macs = self.macs.bill(costs, self.config.power, gathers=gathers)
        bill = total([of_macs, circuits.encoder_bill(costs)])
        return clocked(bill, operations * self.macs.cycles, costs)

    def actions(self, circuits: LogicCircuits, work: EncoderWork) -> list[Action]:
        outputs = work.frames * self.network.encoder.n_outputs
        return [
            *self.macs.actions(work.frames, work.operations),
            *circuits.encoder_actions(outputs),
        ]
