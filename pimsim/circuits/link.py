"""Link: wires from a component's register to the next one's buffer."""

from __future__ import annotations

from pimsim.circuits.logic import Logic
from pimsim.config.chip import Link


def bit_energy(link: Link, logic: Logic) -> float:
    """Mean energy of a bit: its wire, the gate at the end and a register, as often as they change.

    Half C V^2 of a wire at every change [J].
    """
    capacitance = logic.wire_capacitance * link.wire_length + logic.gate_capacitance
    change = capacitance * logic.supply**2 / 2 + logic.flip_flop_energy
    return link.activity * change


def transfer_delay(link: Link, logic: Logic) -> float:
    """From a register along a wire of distributed R and C into the next register [s].

    A gate drives it: its delay, 0.38 R C of the wire, and the register's.
    """
    wire = logic.wire_resistance * logic.wire_capacitance * link.wire_length**2
    return logic.gate_delay + 0.38 * wire + logic.flip_flop_delay
