"""The verbs of a read-out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pimsim.chip.characteristic import Characteristic, StaticErrors
from pimsim.chip.phase import Phase, cycles_of
from pimsim.chip.tile import MatrixLayout, Tile, TileLayout
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.bit_line import settling_time
from pimsim.circuits.logic import LogicCosts
from pimsim.circuits.word_line import word_line_delay
from pimsim.config.chip import ChipConfig
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel
from pimsim.mapping import weight_coding


class ReadOut:
    """From line currents to bits or codes.

    Attributes
    ----------
    joins_stack : bool
        Whether all rows of a layer must meet on one bit line.
    """

    joins_stack: ClassVar[bool] = True

    def __init__(self, config: ChipConfig) -> None:
        self.config, self.coding = config, weight_coding(config)

    def characterise(
        self, part: MatrixLayout, tile: TileLayout, cell: CellModel, noise: NoiseConfig
    ) -> Characteristic:
        """Noise, quantum and bounds for the columns of a matrix of a tile.

        Raises
        ------
        MappingError
            If sums would not fit, or a noise is asked for that this read-out does not have.
        """
        raise NotImplementedError

    def static_errors(self, tile: Tile, seed: int, chip_index: int) -> StaticErrors:
        """Errors that are drawn once per chip; nothing else draws them."""
        raise NotImplementedError

    def pulse(self, tile: TileLayout) -> float:
        """Time for which the current of one pulse flows [s]."""
        raise NotImplementedError

    def phases(self, tile: TileLayout, pulses: int) -> tuple[Phase, ...]:
        """Phases of an operation until its bits or codes are ready.

        Parameters
        ----------
        pulses : int
            Pulses by which the drive puts an input on a word line.
        """
        raise NotImplementedError

    def bill(self, tile: TileLayout, tiles: Sequence[TileLayout], costs: LogicCosts) -> Bill:
        """Parts below the arrays of a tile, and the prices of their actions.

        Parameters
        ----------
        tiles
            All tiles of the chip; some circuits are equal in all of them.
        """
        raise NotImplementedError

    def other_prices(self) -> dict[str, tuple[str, float]]:
        """Energies by other published cost models [J]: model -> (component, energy of an action).

        For the span that a report shows.
        """
        return {}

    def actions(self, tile: TileLayout, reads: int, pulses: int) -> list[Action]:
        """Actions of `reads` operations."""
        raise NotImplementedError

    def integration_time(self, tile: TileLayout) -> float:
        """Settling time of the lines: from the chip file if given, else the time needed [s]."""
        given = self.config.bit_line.integration_time
        return self.needed_time(tile) if given is None else given

    def needed_time(self, tile: TileLayout) -> float:
        """Time until word lines are up and bit lines have settled [s]."""
        config = self.config
        word_line = word_line_delay(
            config.word_line_driver, config.array.columns, config.bit_line.settling_error
        )
        return word_line + settling_time(
            config.bit_line,
            tile.placement.rows_on_bit_line,
            config.read_out.input_capacitance,
        )

    def integrate(self, tile: TileLayout, repeats: int = 1) -> Phase:
        """Phase in which word lines rise and bit lines settle."""
        settled = self.integration_time(tile)
        return Phase(
            "integrate",
            settled,
            cycles_of(settled, self.config.clock.frequency),
            ("chip.clock", "chip.word_line_driver", "chip.bit_line", "chip.read_out"),
            repeats,
            shows="word_lines",
        )
