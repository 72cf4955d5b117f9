"""Multiplexer and register of a hidden bit."""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.config.logic import Gates

_ENERGY = ("technology.gate", "technology.flip_flop")
_AREA = ("technology.logic_area",)


def write_delay(gates: Gates, costs: LogicCosts) -> float:
    """Time from a decision to the new hidden bit [s]."""
    return gates.gates_in_path * costs.gate_delay + costs.flip_flop_delay


def selection_energy(gates: Gates, costs: LogicCosts) -> float:
    """Energy of a multiplexer choosing a bit [J]."""
    return gates.multiplexer_gates * costs.gate_energy


def hidden_bit_area(gates: Gates, costs: LogicCosts) -> float:
    """Area of multiplexer and register [m2]."""
    return gates.multiplexer_gates * costs.gate_area + costs.flip_flop_area


def multiplexer_bill(
    gates: Gates, where: str, n_bits: int, costs: LogicCosts, retention: float
) -> Bill:
    """A multiplexer and a register for each hidden bit, which is kept in sleep."""
    area, energy = hidden_bit_area(gates, costs), ("chip.logic", *_ENERGY)
    asleep = retention * costs.flip_flop_area / area
    leakage = costs.leakage_of(area)
    part = Part("gru_logic", where, n_bits, area, leakage, ("chip.logic", *_AREA),
                flip_flops=1, is_logic=True, asleep=asleep)  # fmt: skip
    return Bill(
        (part,),
        (
            Price("gru_logic", "selections", selection_energy(gates, costs), energy),
            Price("gru_logic", "register_flips", costs.flip_flop_energy, energy),
        ),
    )


def register_bill(where: str, n_bits: int, costs: LogicCosts, asleep: float = 0.0) -> Bill:
    """A register for each bit of a tile's output; a share of its leakage may remain in sleep."""
    area = costs.flip_flop_area
    part = Part("register", where, n_bits, area, costs.leakage_of(area), _AREA,
                flip_flops=1, is_logic=True, asleep=asleep)  # fmt: skip
    return Bill((part,))
