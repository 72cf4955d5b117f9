"""Multiplexer and register of a hidden bit."""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.config.logic import Gates

_LOGIC = ("technology.gate", "technology.flip_flop")


def write_delay(gates: Gates, costs: LogicCosts) -> float:
    """Time from a decision to the new hidden bit [s]."""
    return gates.gates_in_path * costs.gate_delay + costs.flip_flop_delay


def selection_energy(gates: Gates, costs: LogicCosts) -> float:
    """Energy of a multiplexer choosing a bit [J]."""
    return gates.multiplexer_gates * costs.gate_energy


def hidden_bit_area(gates: Gates, costs: LogicCosts) -> float:
    """Area of multiplexer and register [m2]."""
    return gates.multiplexer_gates * costs.gate_area + costs.flip_flop_area


def multiplexer_bill(gates: Gates, where: str, n_bits: int, costs: LogicCosts) -> Bill:
    """A multiplexer and a register for each hidden bit."""
    area, rests_on = hidden_bit_area(gates, costs), ("chip.logic", *_LOGIC)
    return Bill(
        (Part("gru_logic", where, n_bits, area, costs.leakage_of(area), rests_on),),
        (
            Price("gru_logic", "selections", selection_energy(gates, costs), rests_on),
            Price("gru_logic", "register_flips", costs.flip_flop_energy, rests_on),
        ),
    )


def register_bill(where: str, n_bits: int, costs: LogicCosts) -> Bill:
    """A register for each bit of a tile's output."""
    area = costs.flip_flop_area
    part = Part("register", where, n_bits, area, costs.leakage_of(area), ("technology.flip_flop",))
    return Bill((part,))
