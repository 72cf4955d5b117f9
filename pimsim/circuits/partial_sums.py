"""Adders of the codes of arrays below each other, and the comparators that make bits of the sums.

Codes are registered with their sums and added while the next column is converted; a column's
threshold is a number in a memory beside its comparator.
"""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.circuits.shift_and_add import adder_area, addition_energy


def sum_bits(code_bits: int, terms: int) -> int:
    """Bits of the sum of so many codes, its sign included."""
    return code_bits + (terms - 1).bit_length()


def comparison_energy(width: int, columns: int, costs: LogicCosts) -> float:
    """Energy of reading a threshold, one of `columns` in a memory, and of a subtraction [J]."""
    return width * (costs.memory_energy(columns) + costs.sum_energy)


def comparator_area(width: int, columns: int, costs: LogicCosts) -> float:
    """Area of a subtracting adder, and of the thresholds of the columns that share it [m2]."""
    return width * (costs.sum_area + columns * costs.memory_area)


def bill(where: str, n_units: int, terms: int, width: int, columns: int, costs: LogicCosts) -> Bill:
    """Adders and comparators of a tile.

    Parameters
    ----------
    n_units : int
        ADCs side by side: each has adders for the arrays below it, and a comparator.
    terms : int
        Arrays whose codes are added.
    width : int
        Bits of a sum.
    columns : int
        Columns that share a unit, one after the other.
    """
    silicon = ("chip.read_out", "technology.arithmetic_area", "technology.logic_area")
    energy = ("chip.read_out", "technology.arithmetic", "technology.flip_flop")
    adder, comparator = adder_area(width, costs), comparator_area(width, columns, costs)
    # thresholds are bits of memory, which leak as such; the rest leaks as gates do
    leaks = costs.leakage_of(width * costs.sum_area) + width * columns * costs.memory_leakage
    return Bill(
        (
            Part("partial_sums", where, n_units * (terms - 1), adder, costs.leakage_of(adder),
                 silicon, flip_flops=width, is_logic=True),
            Part("comparator", where, n_units, comparator, leaks,
                 (*silicon, "technology.memory_area"), is_logic=True),
        ),
        (
            Price("partial_sums", "sums", addition_energy(width, costs), energy),
            Price("comparator", "decisions", comparison_energy(width, columns, costs),
                  ("chip.read_out", "technology.arithmetic", "technology.memory_read")),
        ),
    )  # fmt: skip
