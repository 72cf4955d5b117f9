"""The verbs of the unit of an input layer."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.drive import Drive
from pimsim.chip.logic import LogicCircuits
from pimsim.chip.phase import Phase
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.logic import LogicCosts
from pimsim.config.chip import ChipConfig
from pimsim.errors import Place
from pimsim.workload.graph import Network


class EncoderWork(NamedTuple):
    """Work of a unit, in numbers or in arrays with one number for each operation.

    Attributes
    ----------
    frames : int
        Time steps or places that are encoded.
    operations : int
    flips : int
        Numbers that differ from those of the frame before, of which the first follows zeros.
    """

    frames: Any
    operations: Any
    flips: Any


class EncoderUnit:
    """Unit of an input layer; this one is none, and inputs drive the first array as they are.

    Attributes
    ----------
    is_there : bool
        Whether the chip has such a unit.
    frames_at_once : int
        Time steps or places of one operation.
    operands : str
        Bits of the operands of its products, if it has any.
    """

    is_there: ClassVar[bool] = False
    frames_at_once: int = 1
    operands: str = ""

    def __init__(self, network: Network, config: ChipConfig, place: Place | None) -> None:
        self.network, self.config = network, config

    def outputs(
        self, inputs: NDArray[np.float64], drive: Drive, fixed_point: bool
    ) -> NDArray[np.uint8]:
        """Bits or codes for the word lines, of inputs in the form of `Input.numbers`.

        Parameters
        ----------
        fixed_point : bool
            Whether inputs have the few bits of the unit, or are exact.
        """
        one = 1 if self.network.has_formats else drive.numbers.one
        return self.network.encoder.codes(inputs, one)

    def phases(self, costs: LogicCosts) -> tuple[Phase, ...]:
        """Phases of an operation."""
        return ()

    def bill(
        self, circuits: LogicCircuits, costs: LogicCosts, frames: int, operations: int
    ) -> Bill:
        """Parts and prices, with the clock of an inference of so many frames and operations."""
        return Bill()

    def actions(self, circuits: LogicCircuits, work: EncoderWork) -> list[Action]:
        """Actions of some work."""
        return []
