"""Word line: its driver raises all cells of a row."""

from __future__ import annotations

import math

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.lines import Lines
from pimsim.circuits.logic import LogicCosts
from pimsim.circuits.strobe import driver_capacitance, strobe_energy
from pimsim.circuits.wire import DISTRIBUTED


def word_line_delay(lines: Lines, n_cells: int, error: float) -> float:
    """Time until the far end of a line of `n_cells` is up to within `error` [s].

    Notes
    -----
    A line of distributed R and C behind a driver: (R_driver + 0.38 R_wire) C ln(1 / error).
    """
    capacitance = lines.word_line_capacitance * n_cells
    driver = lines.config.word_line_driver.resistance
    resistance = driver + DISTRIBUTED * lines.word_line_resistance * n_cells
    return resistance * capacitance * math.log(1 / error)


def raising_energy(lines: Lines, n_cells: int) -> float:
    """Energy of raising and lowering a line of `n_cells` and its driver once [J]."""
    voltage = lines.word_line_voltage
    capacitance = lines.word_line_capacitance * n_cells + driver_capacitance(lines)
    return charging_energy(capacitance, voltage, voltage)


def charging_energy(capacitance: float, swing: float, supply: float) -> float:
    """Energy that a supply gives to a line that swings and comes back, C V_swing V_supply [J]."""
    return capacitance * swing * supply


def bill(lines: Lines, where: str, n_arrays: int, costs: LogicCosts) -> Bill:
    """Drivers of all word lines of some arrays, and the strobes of rows and columns in a read."""
    array = lines.config.array
    of_strobes = strobe_energy(lines, array.rows + array.columns, costs)
    area = lines.config.word_line_driver.area_in_gates * costs.gate_area
    return Bill(
        (
            Part(
                "word_line_driver",
                where,
                n_arrays * array.rows,
                area,
                costs.leakage_of(area),
                ("chip.word_line_driver", "technology.logic_area"),
                "drivers",
            ),
        ),
        (
            Price(
                "word_line_driver",
                "rows_driven",
                raising_energy(lines, array.columns),
                (
                    "chip.array",
                    "chip.word_line_driver",
                    "device.cell",
                    "device.read",
                    "technology.wire",
                    "technology.transistor",
                ),
            ),
            Price(
                "word_line_driver",
                "strobes",
                of_strobes,
                ("chip.array", "technology.transistor"),
            ),
        ),
    )
