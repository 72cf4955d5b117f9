"""Input lines of static logic: a latch and a driver for each row, and the line that it holds."""

from __future__ import annotations

import math

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.circuits.wire import DISTRIBUTED
from pimsim.config.array import Array
from pimsim.config.drive import HeldDrive

# a driver raises a line to half of the supply in this many time constants: ln 2
HALF_SWING = 0.693


def pitch(costs: LogicCosts) -> float:
    """Pitch of cells that abut, each a square of a bit of SRAM and its gate [m]."""
    return math.sqrt(costs.memory_area + costs.gate_area)


def line_capacitance(block: HeldDrive, n_bits: int, costs: LogicCosts) -> float:
    """Capacitance of a line that passes `n_bits` bits of weights [F]."""
    wire = costs.wire_capacitance * pitch(costs)
    return n_bits * (wire + block.load_transistors * costs.gate_capacitance)


def delay(block: HeldDrive, n_bits: int, costs: LogicCosts) -> float:
    """Time from a latch to the far end of its line [s]."""
    wire = costs.wire_resistance * pitch(costs) * n_bits
    resistance = HALF_SWING * block.resistance + DISTRIBUTED * wire
    return resistance * line_capacitance(block, n_bits, costs)


def change_energy(block: HeldDrive, n_bits: int, costs: LogicCosts) -> float:
    """Energy of one change of a line and of its latch [J]: C V^2 / 2, and a flip-flop's flip."""
    charge = line_capacitance(block, n_bits, costs) * costs.supply**2 / 2
    return charge + costs.flip_flop_energy


def bill(block: HeldDrive, array: Array, where: str, n_arrays: int, costs: LogicCosts) -> Bill:
    """Latches and drivers of all rows of some arrays."""
    area = block.area_in_gates * costs.gate_area + costs.flip_flop_area
    parts = Part(
        "input_driver", where, n_arrays * array.rows, area, costs.leakage_of(area),
        ("chip.drive", "chip.array", "technology.logic_area"), "drivers", flip_flops=1,
    )  # fmt: skip
    energy = ("chip.drive", "chip.array", "technology.wire", "technology.transistor",
              "technology.memory_area", "technology.flip_flop")  # fmt: skip
    each = change_energy(block, array.columns, costs)
    return Bill((parts,), (Price("input_driver", "rows_changed", each, energy),))
