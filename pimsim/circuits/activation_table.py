"""Lookup of activations, and products of hidden states and cell states."""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.config.logic import Table

_RESTS_ON = ("chip.logic", "technology.arithmetic")


def mix_energy(bits: int, costs: LogicCosts) -> float:
    """Energy of G H + (1 - G) C: two products and a sum of the activations' bits [J]."""
    return 2 * bits**2 * costs.product_energy + 2 * bits * costs.sum_energy


def table_bill(table: Table, where: str, costs: LogicCosts) -> Bill:
    """Lookup units of a tile."""
    area = table.area
    return Bill(
        (
            Part(
                "activation_unit",
                where,
                table.units,
                area,
                costs.leakage_of(area),
                ("chip.logic",),
                is_logic=True,
            ),
        ),
        (Price("activation_unit", "activations", table.energy_per_activation, _RESTS_ON),),
    )


def mixing_bill(bits: int, costs: LogicCosts) -> Bill:
    """Mixing of hidden states, done by the lookup units."""
    return Bill((), (Price("activation_unit", "mixes", mix_energy(bits, costs), _RESTS_ON),))


def multipliers_bill(
    table: Table, where: str, gate_bits: int, cell_bits: int, costs: LogicCosts
) -> Bill:
    """Multipliers of gates by cell states, and adders, one beside each lookup unit.

    All products of an LSTM pass them, and are paid for as the widest: that of a cell state.
    """
    n_products, n_sums = gate_bits * cell_bits, gate_bits + cell_bits
    area = n_products * costs.product_area + n_sums * costs.sum_area
    part = Part("activation_unit", where, table.units, area, costs.leakage_of(area),
                ("chip.logic", "technology.arithmetic_area"), is_logic=True)  # fmt: skip
    return Bill(
        (part,),
        (
            Price("activation_unit", "products", n_products * costs.product_energy, _RESTS_ON),
            Price("activation_unit", "sums", n_sums * costs.sum_energy, _RESTS_ON),
        ),
    )
