"""The verbs of the cells that hold the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pimsim.chip.tile import TileLayout
from pimsim.circuits.bill import Bill
from pimsim.circuits.lines import Lines
from pimsim.circuits.logic import LogicCosts
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel
from pimsim.errors import Place


class Cells:
    """Cells that hold the weights of a chip.

    Attributes
    ----------
    without_device : str
        Sentence for reports where the device file has no effect; empty where it has.
    """

    without_device: ClassVar[str] = ""

    def __init__(self, lines: Lines) -> None:
        self.config, self.lines = lines.config, lines

    @property
    def name(self) -> str:
        """Name of the cells."""
        raise NotImplementedError

    def model(
        self,
        n_levels: int,
        noise: NoiseConfig,
        age: float | None,
        place: Place | None,
        read_times: tuple[float, ...],
    ) -> CellModel:
        """Levels of a cell with the noise sources that are on; as `pimsim.devices.cell_model`."""
        raise NotImplementedError

    def bill(
        self, tile: TileLayout, energies: Sequence[tuple[str, float]], costs: LogicCosts
    ) -> Bill:
        """Cells of a tile.

        Parameters
        ----------
        energies : sequence of (matrix, energy)
            Energy of one quantum of current in a read pulse [J]; none where no current is read.
        """
        raise NotImplementedError

    def programming_bill(self, tile: TileLayout) -> Bill:
        """Circuits that write the cells, beyond what their own area has for it."""
        return Bill()
