"""Link: wires from a component's register to the next one's buffer."""

from __future__ import annotations

from pimsim.circuits.logic import Logic
from pimsim.config.chip import Link
from pimsim.config.technology import TechnologyConfig


def bit_energy(link: Link, technology: TechnologyConfig, logic: Logic) -> float:
    """Mean energy of a bit: its wire, the gate at the end and a register, as often as they change.

    Half C V^2 of a wire at every change [J].
    """
    capacitance = (
        technology.wire.capacitance_per_length * link.wire_length
        + technology.transistor.gate_capacitance
    )
    change = capacitance * technology.supply**2 / 2 + logic.flip_flop_energy
    return link.activity * change
