"""The clock of flip-flops, as a price on the bill of what they belong to."""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Price, total
from pimsim.circuits.logic import LogicCosts


def clocked(bill: Bill, busy_cycles: int, costs: LogicCosts) -> Bill:
    """A bill with the clock of its flip-flops, in the cycles of an inference in which it works."""
    n_flip_flops = sum(part.count * part.flip_flops for part in bill.parts)
    each, rests_on = costs.clock_energy, ("chip.clock", "technology.clock_tree")
    clock = Price("clock", "flip_flop_cycles", each, rests_on,
                  per_inference=n_flip_flops * busy_cycles)  # fmt: skip
    return total([bill, Bill((), (clock,))])
