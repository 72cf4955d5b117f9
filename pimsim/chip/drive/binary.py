"""Bits on word lines: one pulse for all rows at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.drive.base import Drive
from pimsim.workload.graph import Network
from pimsim.workload.signals import BITS


class BinaryDrive(Drive):
    """Drive with one pulse: a word line is raised if its bit is 1."""

    numbers = BITS

    def first_layer(
        self, network: Network, preactivations: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        return (preactivations > 0).astype(np.uint8)
