"""The electrical chain of a read: cell current, line, clamp, load, and the noise at a decision.

Its numbers hang together: the voltage of a unit of pre-activation is that of the load times the
current of a unit, and swing, headroom, noise, time and energy follow from the same load, current
and supply.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from pimsim.circuits.clamp import CLAMPS, Clamp
from pimsim.circuits.lines import Lines
from pimsim.circuits.loads import LOADS, Load
from pimsim.circuits.wire import DISTRIBUTED

# width of a transistor that restores a bit line or a node, in smallest ones
RESTORING_WIDTH = 6


class LineCurrents(NamedTuple):
    """Current of a bit line over the reads of a matrix [A], at the full voltage of its cells."""

    mean: float
    highest: float


@dataclass(frozen=True)
class Chain:
    """The chain of the bit lines of one matrix.

    Attributes
    ----------
    lines : Lines
    load : Load
    clamp : Clamp
    currents : LineCurrents
        Of a line, with the rows that are assumed active.
    n_rows : int
        Cells on a bit line.
    transimpedance : float
        Voltage of the load for a current, uncompressed [V/A].
    capacitance : float
        Of the node that is read out, per side [F].
    """

    lines: Lines
    load: Load
    clamp: Clamp
    currents: LineCurrents
    n_rows: int
    transimpedance: float
    capacitance: float

    @property
    def line_capacitance(self) -> float:
        """Capacitance of the bit line [F]."""
        return self.lines.bit_line_capacitance * self.n_rows

    @property
    def is_compressed(self) -> bool:
        """Whether the current of the cells falls with the voltage of the line."""
        return self.lines.device.read.kind == "resistor" and not self.clamp.holds

    @property
    def _overvoltage(self) -> float:
        """Voltage of the line before a read, over that at which the cells' currents hold."""
        read = self.lines.device.read
        return self.lines.config.bit_line.supply / read.voltage if self.is_compressed else 1.0

    def _compression(self) -> tuple[float, float]:
        if not self.is_compressed:
            return 1.0, 1.0
        x = self.transimpedance * self.currents.mean / self.lines.device.read.voltage
        return self.load.compression(x)

    @property
    def drawn(self) -> float:
        """Current that cells draw, over the one that the device file states."""
        return self._overvoltage * self._compression()[0] * self.lines.access_share

    @property
    def gain(self) -> float:
        """Voltage at the read-out for a difference of currents as the device states them [V/A].

        The line is read when it has settled but for the error that the chip file allows.
        """
        settled = self.load.settled(self.lines.config.bit_line.settling_error)
        current = self._overvoltage * self._compression()[1] * self.lines.access_share
        return self.transimpedance * settled * current

    @property
    def lost_gain(self) -> float:
        """Share of the gain that compression takes."""
        return 1 - self._compression()[1]

    def drop(self, current: float) -> float:
        """Voltage across the load at a current of the line as the device states it [V]."""
        return current * self.drawn * self.transimpedance

    @property
    def needed_voltage(self) -> float:
        """Voltage that must remain below the load, for clamp and cells [V].

        Half of the current of a line that is held at both ends comes back along its wire.
        """
        if self.is_compressed:
            return 0.0
        way_back = 0.0
        if self.lines.ends == 2:
            resistance = self.lines.bit_line_resistance * self.n_rows
            way_back = self.currents.highest * self.drawn / 2 * resistance
        return self.lines.device.read.voltage + self.clamp.headroom + way_back

    @property
    def settling_time(self) -> float:
        """Time from a raised word line to a settled node [s].

        The time constants of load, clamp and wire are added, as Elmore's delay, times
        ln(1 / settling error); the wire is one of distributed R and C (0.38 R C).
        """
        config = self.lines.config
        resistance = self.lines.bit_line_resistance * self.n_rows
        # held at both ends, each half of a line settles for itself, and the way back comes on top
        of_wire = resistance * self.line_capacitance / self.lines.ends**2
        of_wire += resistance * self.lines.return_capacitance * self.n_rows
        tau = (
            self.load.settling(self.transimpedance, self.capacitance)
            + self.clamp.settling(
                self.line_capacitance, self.currents.mean * self.drawn, config.temperature
            )
            + DISTRIBUTED * of_wire
        )
        return tau * math.log(1 / config.bit_line.settling_error)

    @property
    def restoring_time(self) -> float:
        """Time from a fallen word line to lines and nodes as they are before a read [s].

        A transistor of six smallest ones' width recharges the line through its wire, and another
        one the node behind a clamp (CACTI, `w_pmos_bl_precharge`, parameter.cc). Both are within
        the settling error when the next read begins.
        """
        transistor = self.lines.technology.transistor.on_resistance / RESTORING_WIDTH
        wire = DISTRIBUTED * self.lines.bit_line_resistance * self.n_rows
        slowest = max((transistor + wire) * self.line_capacitance, transistor * self.capacitance)
        return slowest * math.log(1 / self.lines.config.bit_line.settling_error)

    @property
    def integration(self) -> float:
        """Time for which an integrator takes in the current [s]; 0 for a resistor."""
        return self.load.integration(self.transimpedance, self.capacitance)

    def energy_per_current(self, read: float) -> float:
        """Energy of a read of `read` [s] for a current as the device states it [J/A]."""
        flow = self.load.flow(self.transimpedance, self.capacitance, read)
        return self.drawn * flow * self.lines.config.bit_line.supply

    def precharge_energy(self) -> float:
        """Energy of bringing a clamped bit line to its read voltage [J]; others recharge by load.

        Every read is taken to begin with the line at 0.
        """
        if not self.clamp.holds:
            return 0.0
        return (
            self.line_capacitance
            * self.lines.device.read.voltage
            * self.lines.config.bit_line.supply
        )

    def noise(self, sides: int = 2) -> float:
        """Standard deviation of the noise of lines and loads at a decision [V]."""
        variance = self.load.noise(
            self.transimpedance,
            self.capacitance,
            self.currents.mean * self.drawn,
            self.lines.config.temperature,
            self.lines.device.read.shot_noise,
        )
        return math.sqrt(sides * variance)

    def mismatch(self, of_common_mode: float = 0.0) -> float:
        """Standard deviation of the ratio of the currents of both sides, once per chip.

        Load, clamp, and an offset of the read-out that follows the common mode by `of_common_mode`
        volts per volt: each is an error in proportion to the current of a side.
        """
        read = self.lines.device.read
        clamp = self.clamp.mismatch(read.voltage) if read.kind == "resistor" else 0.0
        return math.hypot(self.lines.config.load.mismatch, clamp, of_common_mode)


def chain_of(
    lines: Lines,
    currents: LineCurrents,
    n_rows: int,
    input_capacitance: float,
    range_current: float,
) -> Chain:
    """The chain of a matrix.

    Parameters
    ----------
    currents : LineCurrents
    n_rows : int
        Cells on a bit line.
    input_capacitance : float
        Of the read-out, per side [F].
    range_current : float
        Differential current at the end of the range of sums [A].
    """
    config = lines.config
    load = LOADS[config.load.kind](config.load)
    clamp = CLAMPS[config.clamp.kind](config.clamp)
    capacitance = config.load.capacitance + input_capacitance
    capacitance += lines.return_capacitance * n_rows
    if not clamp.holds:
        capacitance += lines.bit_line_capacitance * n_rows
    if config.load.input_range is None:
        z = load.transimpedance(capacitance)
    else:
        z = config.load.input_range / range_current
        z /= load.settled(config.bit_line.settling_error)
    if config.bit_line.pulse == "clocked":
        z = load.at_an_edge(z, capacitance, 1 / config.clock.frequency)
    return Chain(lines, load, clamp, currents, n_rows, z, capacitance)
