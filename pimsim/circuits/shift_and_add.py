"""Shift-and-add behind a converter: codes of slices and input bits to one sum."""

from __future__ import annotations

import math

from pimsim.circuits.logic import Logic


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


def addition_energy(width: int, logic: Logic) -> float:
    """Of one addition and the register of the sum [J]."""
    return width * (logic.sum_energy + logic.flip_flop_energy)


def adder_area(width: int, logic: Logic) -> float:
    """Adder and register [m2]; the shift is wiring."""
    return width * (logic.sum_area + logic.flip_flop_area)


def offset_energy(width: int, count_bits: int, weight_bits: int, logic: Logic) -> float:
    """Of taking an offset off a sum: number of active inputs x offset, and a subtraction [J].

    Parameters
    ----------
    width : int
        Of the sum.
    count_bits, weight_bits : int
        Of the unit column's codes, added up over the input bits, and of the offset.
    """
    product = count_bits * weight_bits * logic.product_energy
    return product + addition_energy(width, logic)


def offset_area(count_bits: int, weight_bits: int, logic: Logic) -> float:
    """The multiplier for it, beside the adder [m2]."""
    return count_bits * weight_bits * logic.product_area
