"""SRAM that holds weights beside the gates that multiply them."""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Part
from pimsim.circuits.logic import LogicCosts
from pimsim.config.chip import Power


def bill(where: str, n_bits: int, power: Power, costs: LogicCosts) -> Bill:
    """Bits of SRAM, whose inverters drive the gates beside them.

    Notes
    -----
    Weights stand while the chip computes: no bit is read, and none costs energy but its leakage.
    """
    rests_on = ("chip.array", "technology.memory_area", "chip.power")
    kept = power.retention if power.weights == "retain" else 0.0
    cells = Part(
        "array", where, n_bits, costs.memory_area, costs.memory_leakage, rests_on, "cells",
        asleep=kept, is_volatile=True,
    )  # fmt: skip
    return Bill((cells,))
