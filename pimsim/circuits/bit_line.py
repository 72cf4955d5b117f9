"""Bit line: joins the currents of its rows and loads the sense amplifier."""

from __future__ import annotations

import math

from pimsim.circuits.bill import Bill, Part
from pimsim.circuits.wire import DISTRIBUTED
from pimsim.config.chip import BitLine


def bit_line_capacitance(bit_line: BitLine, n_rows: int) -> float:
    """C_BL [F] of a line with `n_rows` cells, driven or not."""
    return bit_line.capacitance_per_row * n_rows


def settling_time(bit_line: BitLine, n_rows: int, input_capacitance: float) -> float:
    """Time until the voltage of a line of `n_rows` is within the settling error [s].

    Notes
    -----
    The load with everything that hangs on the line, and the line's own distributed R and C:
    (R_load (C_BL + C_IN) + 0.38 R_wire C_BL) ln(1 / error).
    """
    capacitance = bit_line_capacitance(bit_line, n_rows)
    wire = DISTRIBUTED * bit_line.resistance_per_row * n_rows * capacitance
    tau = bit_line.load_resistance * (capacitance + input_capacitance) + wire
    return tau * math.log(1 / bit_line.settling_error)


def ir_drop(bit_line: BitLine, n_rows: int, current: float) -> float:
    """Voltage lost at the far end of a line that collects `current` evenly along it [V]."""
    return current * bit_line.resistance_per_row * n_rows / 2


def drawn_energy(current: float, pulse: float, supply: float) -> float:
    """Energy that a supply gives to a current through cells, I t V [J]."""
    return current * pulse * supply


def bill(bit_line: BitLine, where: str, n_lines: int) -> Bill:
    """Loads of some bit lines."""
    load = Part("bit_line", where, n_lines, bit_line.load_area, 0.0, ("chip.bit_line",))
    return Bill((load,))
