"""The verbs of a read-out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from pimsim.chip.characteristic import Characteristic, StaticErrors
from pimsim.chip.line_currents import expected_currents
from pimsim.chip.phase import Phase, cycles_of
from pimsim.chip.tile import MatrixLayout, Tile, TileLayout
from pimsim.circuits import bit_line
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.chain import Chain, chain_of
from pimsim.circuits.clamp import CLAMPS
from pimsim.circuits.lines import Lines
from pimsim.circuits.logic import LogicCosts
from pimsim.circuits.word_line import word_line_delay
from pimsim.config.chip import ChipConfig
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel, cell_model
from pimsim.mapping import weight_coding


class ReadOut:
    """From line currents to bits or codes.

    Attributes
    ----------
    joins_stack : bool
        Whether all rows of a layer must meet on one bit line.
    """

    joins_stack: ClassVar[bool] = True

    def __init__(self, config: ChipConfig, lines: Lines) -> None:
        self.config, self.lines, self.coding = config, lines, weight_coding(config)
        self._chains: dict[tuple[str, str], Chain] = {}

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

    def sum_range(self, part: MatrixLayout, cell: CellModel) -> float:
        """End of the range of a line's sums [full scales of a cell]."""
        raise NotImplementedError

    def mismatch(self, part: MatrixLayout, tile: TileLayout) -> float:
        """Standard deviation of the ratio of the currents of both sides of a pair.

        Of single lines, that of a line's current.
        """
        both = self.chain(part, tile).mismatch(self.offset_per_common_mode)
        return both if self.coding.is_signed else both / math.sqrt(2)

    @property
    def offset_per_common_mode(self) -> float:
        """Change of an offset with the common mode [V/V].

        It acts as a mismatch of the loads of as much: both grow with the current of a side.
        """
        return 0.0

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

    def chain(self, part: MatrixLayout, tile: TileLayout) -> Chain:
        """Electrical chain of the bit lines of a matrix, with cells as the device file has them."""
        key = tile.name, part.name
        if key not in self._chains:
            n_levels = self.coding.n_cell_levels(part.matrix)
            cell = cell_model(self.lines.device, n_levels, NoiseConfig.ideal())
            block_rows = None if self.joins_stack else self.config.array.rows
            self._chains[key] = chain_of(
                self.lines,
                expected_currents(part, cell, self.config.limits.active_rows, block_rows),
                tile.placement.rows_on_bit_line,
                self.config.read_out.input_capacitance,
                self.sum_range(part, cell) * cell.full_scale_current,
            )
        return self._chains[key]

    def chains(self, tile: TileLayout) -> list[Chain]:
        """Chains of all matrices of a tile."""
        return [self.chain(part, tile) for part in tile.matrices]

    def integration_time(self, tile: TileLayout) -> float:
        """Time until lines are read: from the chip file if given, else the time needed [s]."""
        given = self.config.bit_line.integration_time
        return self.needed_time(tile) if given is None else given

    def needed_time(self, tile: TileLayout) -> float:
        """Time until word lines are up and bit lines have settled, or been integrated [s]."""
        word_line = word_line_delay(
            self.lines, self.config.array.columns, self.config.bit_line.settling_error
        )
        return word_line + max(c.settling_time + c.integration for c in self.chains(tile))

    def timed(self, seconds: float) -> float:
        """Length of a pulse whose circuits need `seconds`: with the margin, or in whole cycles."""
        line, clock = self.config.bit_line, self.config.clock.frequency
        if line.pulse == "clocked":
            return cycles_of(seconds, clock) / clock
        return line.pulse_margin * seconds

    def integrate(self, tile: TileLayout, repeats: int = 1) -> Phase:
        """Phase in which word lines rise and bit lines settle."""
        settled, line = self.integration_time(tile), self.config.bit_line
        if line.pulse == "self_timed":
            settled *= line.pulse_margin
        return Phase(
            "integrate",
            settled,
            cycles_of(settled, self.config.clock.frequency),
            (
                "chip.clock",
                "chip.word_line_driver",
                "chip.bit_line",
                "chip.load",
                "chip.clamp",
                "chip.read_out",
                "device.cell",
                "technology.wire",
            ),
            repeats,
            shows=("word_lines",),
        )

    def lines_bill(self, tile: TileLayout) -> Bill:
        """Loads and clamps of the bit lines of a tile."""
        config, chains = self.config, self.chains(tile)
        clamp = CLAMPS[config.clamp.kind](config.clamp)
        return bit_line.bill(
            tile.name,
            tile.placement.n_read_outs * config.array.columns,
            config.load.area,
            clamp,
            max(chain.precharge_energy() for chain in chains),
            clamp.bias_energy(config.bit_line.supply, self.pulse(tile)),
        )

    def line_actions(self, tile: TileLayout, reads: int) -> list[Action]:
        """Precharges and biased reads of the bit lines that are used, in `reads` pulses."""
        placed = tile.placement
        if not CLAMPS[self.config.clamp.kind].holds:
            return []
        n = reads * placed.n_lines * placed.lines_each * placed.read_outs_each
        return [Action("bit_line", "precharges", n), Action("clamp", "reads", n)]
