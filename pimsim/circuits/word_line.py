"""Word line: its driver raises all cells of a row."""

from __future__ import annotations

import math

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.circuits.wire import DISTRIBUTED
from pimsim.config.chip import Array, WordLineDriver


def word_line_delay(driver: WordLineDriver, n_cells: int, error: float) -> float:
    """Time until the far end of a line of `n_cells` is up to within `error` [s].

    Notes
    -----
    A line of distributed R and C behind a driver: (R_driver + 0.38 R_wire) C ln(1 / error).
    """
    capacitance = driver.capacitance_per_cell * n_cells
    resistance = driver.resistance + DISTRIBUTED * driver.resistance_per_cell * n_cells
    return resistance * capacitance * math.log(1 / error)


def raising_energy(driver: WordLineDriver, n_cells: int) -> float:
    """Energy of raising and lowering a line of `n_cells` once [J]."""
    return charging_energy(driver.capacitance_per_cell * n_cells, driver.voltage, driver.voltage)


def charging_energy(capacitance: float, swing: float, supply: float) -> float:
    """Energy that a supply gives to a line that swings and comes back, C V_swing V_supply [J]."""
    return capacitance * swing * supply


def bill(
    driver: WordLineDriver, array: Array, where: str, n_arrays: int, costs: LogicCosts
) -> Bill:
    """Drivers of all word lines of some arrays."""
    area = driver.area_in_gates * costs.gate_area
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
                raising_energy(driver, array.columns),
                ("chip.array", "chip.word_line_driver"),
            ),
        ),
    )
