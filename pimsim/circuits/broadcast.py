"""Bus over an array of memory: a register and a driver for each wire, all multipliers on it."""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.digital_mac import RANDOM_FLIPS
from pimsim.circuits.input_line import pitch
from pimsim.circuits.logic import LogicCosts
from pimsim.config.array import Array
from pimsim.config.drive import BroadcastDrive


def sending_energy(
    block: BroadcastDrive, n_columns: int, n_multipliers: int, costs: LogicCosts
) -> float:
    """Energy of one code on the bus, whose bits are taken as random [J].

    Parameters
    ----------
    n_columns : int
        Bits of memory that the bus passes.
    n_multipliers : int
        Multipliers that load it.

    Notes
    -----
    A change of a wire costs C V^2 / 2 beside the flip of its register.
    """
    wire = n_columns * pitch(costs) * costs.wire_capacitance
    gates = n_multipliers * block.load_transistors * costs.gate_capacitance
    change = (wire + gates) * costs.supply**2 / 2 + costs.flip_flop_energy
    return block.bits * RANDOM_FLIPS * change


def bill(
    block: BroadcastDrive,
    array: Array,
    where: str,
    n_arrays: int,
    n_multipliers: int,
    costs: LogicCosts,
) -> Bill:
    """Buses of some arrays with `n_multipliers` each."""
    area = block.bits * (block.area_in_gates * costs.gate_area + costs.flip_flop_area)
    bus = Part(
        "input_bus", where, n_arrays, area, costs.leakage_of(area),
        ("chip.drive", "technology.logic_area"), "drivers", flip_flops=block.bits,
    )  # fmt: skip
    rests_on = ("chip.drive", "chip.array", "technology.wire", "technology.transistor",
                "technology.memory_area", "technology.flip_flop")  # fmt: skip
    each = sending_energy(block, array.columns, n_multipliers, costs)
    return Bill((bus,), (Price("input_bus", "codes_sent", each, rests_on),))
