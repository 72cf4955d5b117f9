"""The verbs of a read-out that reads the currents of bit lines, through an electrical chain."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from pimsim.chip.check import Check
from pimsim.chip.line_currents import expected_currents
from pimsim.chip.phase import Phase, cycles_of
from pimsim.chip.read_out.base import ReadOut
from pimsim.chip.read_out.line_checks import LineRead, line_checks
from pimsim.chip.tile import MatrixLayout, MatrixOnChip, Tile, TileLayout
from pimsim.circuits import bit_line, dac
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.chain import Chain, chain_of
from pimsim.circuits.clamp import CLAMPS
from pimsim.circuits.lines import Lines
from pimsim.circuits.strobe import start_delay, strobe_delay
from pimsim.circuits.wires import Wires, column_wires
from pimsim.circuits.word_line import word_line_delay
from pimsim.config.chip import ChipConfig
from pimsim.config.drive import MultiLevelDrive
from pimsim.config.faults import Faults
from pimsim.config.read_out import CurrentReadOut
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel, cell_model
from pimsim.errors import MappingError


class LineReadOut(ReadOut):
    """From the currents of bit lines to bits or codes.

    Attributes
    ----------
    fails_as_pairs : bool
        Whether its lines are pairs, each decided by an amplifier that may be dead.
    """

    fails_as_pairs: ClassVar[bool] = False

    def __init__(self, config: ChipConfig, lines: Lines, key: str = "read_out") -> None:
        super().__init__(config, lines, key)
        self._chains: dict[tuple[str, str], Chain] = {}

    def sum_range(self, part: MatrixLayout, tile: TileLayout, cell: CellModel) -> float:
        """End of the range of a line's sums [full scales of a cell]."""
        raise NotImplementedError

    @property
    def shared(self) -> int:
        """Lines that share a circuit of the read-out, as the chip file has it."""
        raise NotImplementedError

    def turns(self, tile: TileLayout) -> int:
        """Lines of a read that one circuit serves, one after the other.

        It goes through all lines of its array that share it, used or not; of columns in groups,
        through those of the group.
        """
        placed = tile.placement
        if tile.groups == 1:
            return min(self.shared, placed.lines_of_array)
        circuit = placed.circuit_of_line(self.shared)
        return max(int(np.bincount(circuit[lines]).max()) for lines in tile.reads())

    def circuits_used(self, tile: TileLayout) -> float:
        """Circuits that serve the lines of a read; of columns in groups, the mean of all reads."""
        circuit = tile.placement.circuit_of_line(self.shared)
        return float(np.mean([len(np.unique(circuit[lines])) for lines in tile.reads()]))

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

    def chain(self, part: MatrixLayout, tile: TileLayout) -> Chain:
        """Electrical chain of the bit lines of a matrix, of cells without errors."""
        key = tile.name, part.name
        if key not in self._chains:
            n_levels = self.coding.n_cell_levels(part.matrix)
            # sized at the temperature of the device file, and run at that of the chip
            warm = NoiseConfig.ideal().model_copy(update={"temperature": True})
            cell = cell_model(
                self.lines.device, n_levels, warm, temperature=self.config.temperature
            )
            block_rows = None if self.joins_stack else self.config.array.rows
            self._chains[key] = chain_of(
                self.lines,
                expected_currents(
                    part, cell, tile.pulses, self.config.limits.active_rows, block_rows
                ),
                tile.placement.rows_on_bit_line,
                self._input_capacitance,
                self.sum_range(part, tile, cell) * cell.full_scale_current,
            )
        return self._chains[key]

    @property
    def _input_capacitance(self) -> float:
        block = self.config.read_out
        assert isinstance(block, CurrentReadOut)
        return block.input_capacitance

    def chains(self, tile: Tile) -> list[tuple[MatrixOnChip, Chain]]:
        return [(part, self.chain(part, tile)) for part in tile.matrices]

    def wires(self, tile: TileLayout, noise: NoiseConfig) -> Wires | None:
        """Wires of resistive cells; what a transistor in saturation loses costs no bit."""
        form = noise.ir_drop
        if form == "none" or self.lines.device.read.kind != "resistor":
            return None
        if not self.loses_on_wires:
            raise MappingError(
                f"noise.ir_drop is {form}, and {tile.name} is read by {self.kind}: losses along "
                "lines are in the sums of sense amplifiers alone",
                remedy="Set noise.ir_drop=none, or take a chip with sense amplifiers, without "
                "layers that are tall",
            )
        return column_wires(self.lines, tile.name, tile.placement.rows_on_bit_line, form)

    def faults(self, tile: TileLayout, noise: NoiseConfig) -> Faults | None:
        faults = noise.faults
        if not faults.any:
            return None
        if not self.fails_as_pairs and (faults.dead_amplifier or faults.repair):
            raise MappingError(
                f"is read by {self.kind}, and dead amplifiers and repairs of {tile.name} are known "
                "for pairs of bit lines with sense amplifiers alone",
                remedy="Set noise.faults.dead_amplifier=0, and leave out noise.faults.repair",
            )
        if "rows" in faults.repair and self.wires(tile, noise) is not None:
            raise MappingError(
                f"exchanges rows of {tile.name} around faults, chip by chip, and losses along "
                f"wires (noise.ir_drop={noise.ir_drop}) are those of rows that stand in order",
                remedy="Set noise.ir_drop=none, or leave rows out of noise.faults.repair",
            )
        return faults

    def pulse_energies(self, tile: Tile) -> list[tuple[str, float]]:
        pulse, steps = self.pulse(tile), tile.pulses.largest
        return [
            (part.name, part.quantum_ampere / steps * chain.energy_per_current(pulse))
            for part, chain in self.chains(tile)
        ]

    def line_current(self, tile: Tile, drawn: Mapping[str, int], pulses: int) -> float:
        placed = tile.placement
        # arrays with their own read-out have their own lines
        each = placed.lines_each * placed.read_outs_each
        return max(
            drawn.get(part.name, 0)
            * part.quantum_ampere
            * chain.drawn
            / (pulses * tile.pulses.largest * (each * part.n_lines))
            for part, chain in self.chains(tile)
        )

    def checks(
        self,
        tile: Tile,
        pulses: int,
        busy: float,
        current: float | None,
        highest: Mapping[str, float],
    ) -> list[Check]:
        read = LineRead(
            self.lines,
            self.chains(tile),
            pulses * self.pulse(tile) / busy,
            self.needed_time(tile),
            self.integration_time(tile),
        )
        return line_checks(tile, read, current, highest)

    def _each_chain(self, tile: TileLayout) -> list[Chain]:
        return [self.chain(part, tile) for part in tile.matrices]

    def integration_time(self, tile: TileLayout) -> float:
        """Time until lines are read: from the chip file if given, else the time needed [s]."""
        given = self.config.bit_line.integration_time
        return self.needed_time(tile) if given is None else given

    def needed_time(self, tile: TileLayout) -> float:
        """Time until word lines are up and bit lines have settled, or been integrated [s]."""
        return self._word_line_delay + max(
            c.settling_time + c.integration for c in self._each_chain(tile)
        )

    @property
    def _word_line_delay(self) -> float:
        """Time in which a word line rises, or falls [s]."""
        drive, error = self.config.drive, self.config.bit_line.settling_error
        if isinstance(drive, MultiLevelDrive):
            error = min(error, dac.settling_error(drive.bits))
        return word_line_delay(self.lines, self.config.array.columns, error)

    @property
    def start_delay(self) -> float:
        """Time from the edge that takes an input in to the driver of its word line [s]."""
        of_strobe = start_delay(self.lines, self.config.array.rows, self.costs)
        return of_strobe + self.config.drive.delay

    @property
    def strobe_delay(self) -> float:
        """Time from the end of integration to the strobe of all read-outs of an array [s]."""
        return strobe_delay(self.config.array.columns, self.costs)

    def restore_time(self, tile: TileLayout) -> float:
        """Time in which word lines fall and bit lines return to where a read begins [s]."""
        return self._word_line_delay + max(c.restoring_time for c in self._each_chain(tile))

    @property
    def margin(self) -> float:
        """Length of a pulse over what its circuits need, before it is rounded up to cycles."""
        line = self.config.bit_line
        return line.pulse_margin if line.pulse == "self_timed" else 1.0

    def conducting(self, tile: TileLayout, strobe: float = 0.0) -> float:
        """Time from a raised word line until lines are read [s].

        Where the clock ends a read, cells conduct until it does.

        Parameters
        ----------
        strobe : float
            Delay of the strobe that samples the lines, if they are sampled [s].
        """
        settled = self.integration_time(tile) + strobe
        if self.config.bit_line.pulse == "clocked":
            return self.timed(self.start_delay + settled) - self.start_delay
        return self.timed(settled)

    def timed(self, seconds: float) -> float:
        """Length of a pulse whose circuits need `seconds`: with the margin, or in whole cycles."""
        line, clock = self.config.bit_line, self.config.clock.frequency
        if line.pulse == "clocked":
            return cycles_of(seconds, clock) / clock
        return line.pulse_margin * seconds

    def integrate(self, tile: TileLayout, repeats: int = 1, further: float = 0.0) -> Phase:
        """Phase in which inputs are taken in, word lines rise and bit lines settle.

        Parameters
        ----------
        further : float
            Time that circuits need for what else must be done in it [s].
        """
        seconds = self.start_delay + self.margin * (self.integration_time(tile) + further)
        return Phase(
            "integrate",
            seconds,
            cycles_of(seconds, self.config.clock.frequency),
            (
                "chip.clock",
                *(("chip.drive",) if self.config.drive.delay else ()),
                "chip.word_line_driver",
                "chip.bit_line",
                "chip.load",
                "chip.clamp",
                "chip.read_out",
                "device.cell",
                "technology.wire",
                "technology.gate",
                "technology.flip_flop",
            ),
            repeats,
            shows=("word_lines",),
        )

    def lines_bill(self, tile: TileLayout) -> Bill:
        """Loads and clamps of the bit lines of a tile."""
        config, chains = self.config, self._each_chain(tile)
        clamp = CLAMPS[config.clamp.kind](config.clamp)
        return bit_line.bill(
            tile.name,
            tile.placement.n_read_outs * config.array.columns,
            self.lines.ends,
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
        n = reads * tile.lines_each * placed.lines_each * placed.read_outs_each
        return [Action("bit_line", "precharges", n), Action("clamp", "reads", n)]
