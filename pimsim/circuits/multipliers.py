"""Multiply-accumulators beside arrays of memory, which read each weight for every product."""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.digital_mac import RANDOM_FLIPS, MacUnit
from pimsim.circuits.logic import LogicCosts
from pimsim.config.array import Array
from pimsim.config.read_out import Multipliers


def per_array(block: Multipliers, array: Array, word_bits: int) -> int:
    """Multipliers of an array with words of `word_bits`."""
    return -(-(array.columns // word_bits) // block.words_per_multiplier)


def bill(
    block: Multipliers,
    array: Array,
    where: str,
    unit: MacUnit,
    n_arrays: int,
    n_side_by_side: int,
    costs: LogicCosts,
) -> Bill:
    """Multiply-accumulators of some arrays, and adders of the sums of arrays below each other.

    Parameters
    ----------
    unit : MacUnit
        A multiplier with its adder and one accumulator; it has a further one for each word that
        shares it, and a register for the weight that is read.

    Notes
    -----
    A port is as wide as the words that are read at once, so that bit lines have as many cells as
    the array has rows, times the words that share a multiplier.
    """
    each, n_stacked = per_array(block, array, unit.weight_bits), n_arrays // n_side_by_side
    shared = block.words_per_multiplier
    more = (shared - 1) * unit.sum_bits + unit.weight_bits
    area = unit.area(costs) + more * costs.flip_flop_area
    # partial sums grow by a bit for each doubling of the arrays that are added
    width = unit.sum_bits + (n_stacked - 1).bit_length()
    adder = width * (costs.sum_area + costs.flip_flop_area)
    silicon = ("chip.read_out", "chip.array", "chip.drive", "technology.arithmetic_area",
               "technology.logic_area")  # fmt: skip
    energy = ("chip.read_out", "chip.drive", "chip.weight_coding", "technology.arithmetic",
              "technology.flip_flop")  # fmt: skip
    reading = ("chip.array", "chip.read_out", "technology.memory_read", "technology.flip_flop")
    word = costs.memory_energy(array.rows * shared) + RANDOM_FLIPS * costs.flip_flop_energy
    # clocked for the addition alone, not while multipliers are at work
    joining = width * (costs.sum_energy + costs.flip_flop_energy + costs.clock_energy)
    return Bill(
        (
            Part("mac_unit", where, n_arrays * each, area, costs.leakage_of(area), silicon,
                 flip_flops=unit.sum_bits + unit.weight_bits, is_logic=True),
            Part("partial_sums", where, n_side_by_side * each * (n_stacked - 1), adder,
                 costs.leakage_of(adder), silicon, is_logic=True),
        ),
        (
            Price("mac_unit", "macs", unit.energy(costs), energy),
            Price("mac_unit", "weight_bits_read", word, reading),
            Price("partial_sums", "sums", joining, (*energy, "technology.clock_tree")),
        ),
    )  # fmt: skip
