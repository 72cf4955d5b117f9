"""Word, bit and source lines of an array: their wires follow from the cell and the technology."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.config.chip import ChipConfig
from pimsim.config.device import DeviceConfig
from pimsim.config.technology import TechnologyConfig


@dataclass(frozen=True)
class Lines:
    """Lines of the arrays of a chip, whose cells abut.

    A word line runs along the width of its cells, a bit line along their height.
    """

    config: ChipConfig
    device: DeviceConfig
    technology: TechnologyConfig

    @property
    def logic(self) -> TechnologyConfig:
        """The technology at the supply of the chip's logic; transistors are as in its file."""
        return self.technology.at(self.config.supply)

    @property
    def word_line_capacitance(self) -> float:
        """Capacitance of a word line, per cell: its wire and the cell's gate [F]."""
        wire, cell = self.technology.wire, self.device.cell
        gate = self.technology.transistor.gate_capacitance * cell.fins
        return wire.capacitance_per_length * cell.pitch[0] + gate

    @property
    def word_line_resistance(self) -> float:
        """Resistance of a word line, per cell [ohm]."""
        return self.technology.wire.resistance_per_length * self.device.cell.pitch[0]

    @property
    def word_line_voltage(self) -> float:
        """High level of a word line [V]: the gate voltage of cells that are transistors."""
        return self.device.read.gate_voltage or self.config.word_line_driver.voltage

    @property
    def has_input_lines(self) -> bool:
        """Whether rows have lines beside their word lines, whose levels drive resistive cells.

        A cell that is a transistor has its level on the word line itself.
        """
        config = self.config
        levels = config.drive.whole_codes and config.read_out.reads_currents
        return levels and self.device.read.kind == "resistor"

    @property
    def input_line_capacitance(self) -> float:
        """Capacitance of such a line, per cell: its wire and the cell's drain [F]."""
        wire, cell = self.technology.wire, self.device.cell
        drain = self.technology.transistor.drain_capacitance * cell.fins
        return wire.capacitance_per_length * cell.pitch[0] + drain

    @property
    def bit_line_capacitance(self) -> float:
        """Capacitance of a bit line, per row: its wire and the cell's drain [F].

        A wider wire has the same capacitance to its neighbours, which are as high, and a larger
        one down and up, which is neglected.
        """
        wire, cell = self.technology.wire, self.device.cell
        drain = self.technology.transistor.drain_capacitance * cell.fins
        layers = self.config.bit_line.wire_layers
        return layers * wire.capacitance_per_length * cell.pitch[1] + drain

    def wire_width(self, pitch: float) -> float:
        """Width of bit and source lines of cells of a pitch, of all layers [smallest widths]."""
        line = self.config.bit_line
        return line.wire_layers * max(1.0, line.wire_share * pitch / self.technology.wire.width)

    @property
    def bit_line_resistance(self) -> float:
        """Resistance of a bit line, per row [ohm]."""
        width, height = self.device.cell.pitch
        return self.technology.wire.resistance_per_length / self.wire_width(width) * height

    @property
    def ends(self) -> int:
        """Ends of a bit line that are held at the read voltage, each by a clamp of its own."""
        return 2 if self.config.bit_line.held_at == "both_ends" else 1

    @property
    def return_capacitance(self) -> float:
        """Capacitance, per row, of the wire from the far end of a bit line to its load [F].

        It has the width of the bit line, in a layer of its own, and no drains of cells.
        """
        if self.ends == 1:
            return 0.0
        layers = self.config.bit_line.wire_layers
        return layers * self.technology.wire.capacitance_per_length * self.device.cell.pitch[1]

    @property
    def access_resistance(self) -> float:
        """Resistance of a cell's access transistor, raised by the word line [ohm]; inf if off.

        In its linear region it is inverse to the gate's voltage above the threshold.
        """
        transistor = self.technology.transistor
        overdrive = self.config.word_line_driver.voltage - transistor.threshold
        if overdrive <= 0:
            return float("inf")
        full = self.technology.supply - transistor.threshold
        return transistor.on_resistance / self.device.cell.fins * full / overdrive

    @property
    def access_share(self) -> float:
        """Current of the most conducting cell, over that with a fully raised word line.

        What an access transistor has in resistance beyond that at the supply of the logic comes
        on top of the cell's. All currents are scaled alike; those of higher resistance lose less.
        """
        read = self.device.read
        if read.kind == "current_source":
            return 1.0
        full = self.technology.transistor.on_resistance / self.device.cell.fins
        excess = max(0.0, self.access_resistance - full)
        # transistors that are off are refused; until then their cells have some current
        return max(1e-9, 1 / (1 + excess * read.top_current / read.voltage))

    def drop(self, n_rows: int, line_current: float, row_current: float) -> float:
        """Voltage that the cell worst placed loses on its bit line and source line [V].

        Parameters
        ----------
        n_rows : int
            Cells along a bit line.
        line_current : float
            Current that a bit line collects evenly along it [A].
        row_current : float
            Current of all cells of an active row [A].

        Notes
        -----
        A line of resistance R that collects I evenly and is fed at one end loses I R / 2 at its
        far end; fed at both ends, I R / 8 in its middle. Where levels of rows drive resistive
        cells, the currents of a row come along it, whatever the source line of the chip file.
        """
        of_line = line_current * self.bit_line_resistance * n_rows
        of_bit = of_line / (8 if self.ends == 2 else 2)
        match "row" if self.has_input_lines else self.config.array.source_line:
            case "column":
                back = of_line / 2
            case "mesh":
                back = of_line / 8
            case _:
                width, height = self.device.cell.pitch
                wire = self.technology.wire.resistance_per_length / self.wire_width(height)
                back = row_current * wire * width * self.config.array.columns / 2
        return of_bit + back
