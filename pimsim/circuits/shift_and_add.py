"""Shift-and-add behind an ADC: joins the codes of slices and input bits to one sum."""

from __future__ import annotations

import math

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts


def sum_bits(code_bits: int, weight_bits: int, input_bits: int, terms: int) -> int:
    """Width of the accumulator: a code, shifted by all but the lowest slice and input bit.

    Parameters
    ----------
    code_bits : int
        Bits of the ADC's codes.
    weight_bits, input_bits : int
        Bits of the magnitude of a weight, and of an activation.
    terms : int
        Arrays whose sums are added.
    """
    return code_bits + weight_bits + input_bits + math.ceil(math.log2(max(1, terms)))


def addition_energy(width: int, costs: LogicCosts) -> float:
    """Energy of one addition and of the sum's register [J]."""
    return width * (costs.sum_energy + costs.flip_flop_energy)


def adder_area(width: int, costs: LogicCosts) -> float:
    """Area of adder and register [m2]; the shift is wiring."""
    return width * (costs.sum_area + costs.flip_flop_area)


def offset_energy(width: int, count_bits: int, weight_bits: int, costs: LogicCosts) -> float:
    """Energy of an offset correction: number of active inputs x offset, and a subtraction [J].

    Parameters
    ----------
    width : int
        Bits of the sum.
    count_bits, weight_bits : int
        Bits of the reference column's codes, added up over the input bits, and of the offset.
    """
    product = count_bits * weight_bits * costs.product_energy
    return product + addition_energy(width, costs)


def offset_area(count_bits: int, weight_bits: int, costs: LogicCosts) -> float:
    """Area of the multiplier for the offset correction [m2]."""
    return count_bits * weight_bits * costs.product_area


def bill(
    where: str,
    count: int,
    area: float,
    addition: float,
    offset: float,
    costs: LogicCosts,
    width: int,
) -> Bill:
    """Shift-and-add units.

    Parameters
    ----------
    area : float
        Area of one unit [m2].
    addition, offset : float
        Energy of adding a code, and of an offset correction [J].
    width : int
        Bits of a unit's accumulator.
    """
    leakage = costs.leakage_of(area)
    silicon = ("chip.read_out", "technology.arithmetic_area", "technology.logic_area")
    energy = ("chip.read_out", "technology.arithmetic", "technology.flip_flop")
    unit = Part("shift_and_add", where, count, area, leakage, silicon,
                flip_flops=width, is_logic=True)  # fmt: skip
    return Bill(
        (unit,),
        (
            Price("shift_and_add", "sums", addition, energy),
            Price("shift_and_add", "offsets", offset, energy),
        ),
    )
