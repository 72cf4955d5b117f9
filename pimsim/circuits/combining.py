"""Adders and comparators of layers without arrays: pools of codes, and sums of signals."""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts

_RESTS_ON = ("technology.arithmetic", "technology.arithmetic_area")


def combining_bill(where: str, channels: int, bits: int, costs: LogicCosts) -> Bill:
    """An adder or comparator for each channel, which works as codes come.

    Parameters
    ----------
    bits : int
        Bits of a code.

    Notes
    -----
    An operation is an addition or a comparison of two codes; products by the small factors of a
    sum of signals count as one.
    """
    area = channels * bits * costs.sum_area
    part = Part(
        "combining",
        where,
        1,
        area,
        costs.leakage_of(area),
        _RESTS_ON,
        strip="block",
        is_logic=True,
    )
    price = Price("combining", "operations", bits * costs.sum_energy, _RESTS_ON)
    return Bill((part,), (price,))
