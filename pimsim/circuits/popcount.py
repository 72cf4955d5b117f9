"""Popcount of active inputs: full adders that add the bits of the word lines of an array."""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts


def bill(where: str, n_blocks: int, n_rows: int, count_bits: int, costs: LogicCosts) -> Bill:
    """Popcounts of some blocks of rows, one for all arrays that share the rows.

    Parameters
    ----------
    n_blocks, n_rows : int
        Blocks, and inputs of each.
    count_bits : int
        Bits of the accumulator of the counts of all pulses.

    Notes
    -----
    n bits are added by a tree of about n full adders; the count of a pulse is shifted and added.
    """
    area = n_rows * costs.sum_area + count_bits * (costs.sum_area + costs.flip_flop_area)
    energy = n_rows * costs.sum_energy + count_bits * (costs.sum_energy + costs.flip_flop_energy)
    silicon = ("chip.weight_coding", "chip.array", "technology.arithmetic_area",
               "technology.logic_area")  # fmt: skip
    logic = ("chip.weight_coding", "chip.array", "technology.arithmetic", "technology.flip_flop")
    unit = Part("popcount", where, n_blocks, area, costs.leakage_of(area), silicon,
                flip_flops=count_bits, is_logic=True)  # fmt: skip
    return Bill((unit,), (Price("popcount", "counts", energy, logic),))
