"""Multiplexer and register of a hidden bit."""

from __future__ import annotations

from pimsim.circuits.logic import Logic
from pimsim.config.logic import Gates


def write_delay(unit: Gates, logic: Logic) -> float:
    """From a decision to the new hidden bit [s]."""
    return unit.gates_in_path * logic.gate_delay + logic.flip_flop_delay


def selection_energy(unit: Gates, logic: Logic) -> float:
    """Energy of a multiplexer choosing a bit [J]."""
    return unit.multiplexer_gates * logic.gate_energy


def hidden_bit_area(unit: Gates, logic: Logic) -> float:
    """Area of multiplexer and register [m2]."""
    return unit.multiplexer_gates * logic.gate_area + logic.flip_flop_area
