"""Codes on word lines: bit after bit, a pulse for each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.drive.base import Drive
from pimsim.circuits.lines import Lines
from pimsim.config.chip import ChipConfig
from pimsim.config.drive import DriveBlock
from pimsim.workload.graph import Network
from pimsim.workload.neurons import Activation
from pimsim.workload.signals import CodeNumbers


class CodeDrive(Drive):
    """Drive of codes, whose first ones are sigmoids of the input layer."""

    def __init__(self, config: ChipConfig, lines: Lines) -> None:
        super().__init__(config, lines)
        self.bits = _bits(config.drive)
        self.numbers = CodeNumbers(self.bits)

    def activation(self, network: Network) -> Activation:
        """Neurons of the chip: sigmoids at the temperature of the network's training."""
        return Activation(self.bits, network.temperature)

    def first_layer(
        self, network: Network, preactivations: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        if network.has_formats:
            return (preactivations > 0).astype(np.uint8)
        return self.activation(network).of_values(preactivations)


class BitSerialDrive(CodeDrive):
    """Drive with a pulse for each bit: a word line is raised if that bit of its code is 1."""


def _bits(block: DriveBlock) -> int:
    bits = getattr(block, "bits", None)
    assert isinstance(bits, int)
    return bits
