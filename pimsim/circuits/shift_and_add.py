"""Shift-and-add behind a converter: codes of slices and input bits to one sum."""

from __future__ import annotations

import math

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts


def sum_bits(code_bits: int, weight_bits: int, input_bits: int, terms: int) -> int:
    """Width of the accumulator: a code, shifted by all but the lowest slice and input bit.

    Parameters
    ----------
    code_bits : int
        Of the converter.
    weight_bits, input_bits : int
        Of the magnitude of a weight, and of an activation.
    terms : int
        Arrays whose sums are added.
    """
    return code_bits + weight_bits + input_bits + math.ceil(math.log2(max(1, terms)))


def addition_energy(width: int, costs: LogicCosts) -> float:
    """Of one addition and the register of the sum [J]."""
    return width * (costs.sum_energy + costs.flip_flop_energy)


def adder_area(width: int, costs: LogicCosts) -> float:
    """Adder and register [m2]; the shift is wiring."""
    return width * (costs.sum_area + costs.flip_flop_area)


def offset_energy(width: int, count_bits: int, weight_bits: int, costs: LogicCosts) -> float:
    """Of taking an offset off a sum: number of active inputs x offset, and a subtraction [J].

    Parameters
    ----------
    width : int
        Of the sum.
    count_bits, weight_bits : int
        Of the unit column's codes, added up over the input bits, and of the offset.
    """
    product = count_bits * weight_bits * costs.product_energy
    return product + addition_energy(width, costs)


def offset_area(count_bits: int, weight_bits: int, costs: LogicCosts) -> float:
    """The multiplier for it, beside the adder [m2]."""
    return count_bits * weight_bits * costs.product_area


def bill(
    where: str, count: int, area: float, addition: float, offset: float, costs: LogicCosts
) -> Bill:
    """Shift-and-add units.

    Parameters
    ----------
    area : float
        Of one [m2].
    addition, offset : float
        Energy of adding a code, and of taking an offset off a sum [J].
    """
    leakage = costs.leakage_of(area)
    silicon = ("chip.read_out", "technology.arithmetic_area", "technology.flip_flop")
    energy = ("chip.read_out", "technology.arithmetic", "technology.flip_flop")
    return Bill(
        (Part("shift_and_add", where, count, area, leakage, silicon),),
        (
            Price("shift_and_add", "sums", addition, energy),
            Price("shift_and_add", "offsets", offset, energy),
        ),
    )
