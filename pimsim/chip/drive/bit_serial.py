"""Codes on word lines: bit after bit, a pulse for each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.drive.base import Drive
from pimsim.chip.tile import TileLayout
from pimsim.circuits.lines import Lines
from pimsim.config.chip import ChipConfig
from pimsim.config.drive import BitSerialDrive as Block
from pimsim.workload.graph import Network
from pimsim.workload.neurons import Activation
from pimsim.workload.signals import CodeNumbers


class BitSerialDrive(Drive):
    """Drive with a pulse for each bit: a word line is raised if that bit of its code is 1."""

    def __init__(self, config: ChipConfig, lines: Lines) -> None:
        super().__init__(config, lines)
        block = config.drive
        assert isinstance(block, Block)
        self.bits = block.bits
        self.numbers = CodeNumbers(block.bits)

    def pulses_for(self, tile: TileLayout) -> int:
        return tile.input_bits

    def activation(self, network: Network) -> Activation:
        """Neurons of the chip: sigmoids at the temperature of the network's training."""
        return Activation(self.bits, network.temperature)

    def first_layer(
        self, network: Network, preactivations: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        if network.has_formats:
            return (preactivations > 0).astype(np.uint8)
        return self.activation(network).of_values(preactivations)
