"""The verbs of a drive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.pulses import Pulses, bit_pulses
from pimsim.chip.tile import TileLayout
from pimsim.circuits import word_line
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.lines import Lines
from pimsim.circuits.logic import LogicCosts
from pimsim.config.chip import ChipConfig
from pimsim.workload.graph import Network
from pimsim.workload.signals import CodeFormat, Numbers

Counts = NDArray[Any]


class Drive:
    """Conversion of numbers to signals on word lines.

    Attributes
    ----------
    numbers : Numbers
        Numbers between the layers of such a chip.
    bits : int
        Bits of a number.
    is_held : bool
        Whether lines stand from one operation to the next.
    """

    numbers: Numbers
    bits: int = 1
    is_held: ClassVar[bool] = False

    def __init__(self, config: ChipConfig, lines: Lines) -> None:
        self.config, self.lines = config, lines

    def pulses(self, formats: Sequence[CodeFormat]) -> Pulses:
        """Pulses for the numbers of a tile, by the format of each row's."""
        return bit_pulses(max(form.bits for form in formats), formats)

    def pulses_for(self, tile: TileLayout) -> int:
        """Number of pulses by which the numbers of a tile are put on its word lines."""
        return len(tile.pulses.weights)

    def amplitudes(self, tile: TileLayout, numbers: Counts) -> list[Counts]:
        """Amplitude of each row in each pulse, for numbers (..., n_rows) [steps of the drive]."""
        return [(numbers >> bit) & 1 for bit in range(len(tile.pulses.weights))]

    def first_layer(
        self, network: Network, preactivations: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        """Bits or codes of the input layer, from its pre-activations [units]."""
        raise NotImplementedError

    def counted(self, on: Counts, changed: Callable[[], Counts]) -> Counts:
        """Number of times that each row is driven: its energy is paid for each.

        Parameters
        ----------
        on : (..., n_rows) array
            Pulses in which each row was on; of lines with levels, the sum of their amplitudes.
        changed
            Gives the number of times that each row changed, of the same shape.
        """
        return on

    def bill(self, tile: TileLayout, costs: LogicCosts) -> Bill:
        """Word-line drivers of a tile, and the price of raising a line."""
        return word_line.bill(self.lines, tile.name, tile.placement.n_arrays, costs)

    def actions(self, tile: TileLayout, reads: int, driven: int) -> list[Action]:
        """Actions of `reads` operations.

        Parameters
        ----------
        driven : int
            Number of times that input rows were on, over all operations and pulses.
        """
        placed = tile.placement
        # a row that runs through several arrays side by side has a word line in each
        rows = (driven + reads * tile.n_always_on) * placed.n_side_by_side
        of_arrays = reads * self.pulses_for(tile) * placed.n_arrays
        return [
            Action("word_line_driver", "rows_driven", rows),
            Action("word_line_driver", "strobes", of_arrays),
            Action("array", "reads", of_arrays),
        ]
