"""Energy of a run: counted actions times the prices of the components' bills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pimsim.chip.graph import ChipGraph
from pimsim.circuits.bill import Bill, Part, Price
from pimsim.config.chip import ChipConfig
from pimsim.cost.area import leakage, leakage_asleep
from pimsim.simulate import ActionCounts
from pimsim.timing.schedule import Timing


@dataclass(frozen=True)
class Item:
    """One line of an energy bill.

    Attributes
    ----------
    component, action : str
    count : float
        Number of actions in all.
    each : float
        Energy of one [J].
    rests_on : tuple of str
        Blocks of the hardware files that it follows from.
    """

    component: str
    action: str
    count: float
    each: float
    rests_on: tuple[str, ...]

    @property
    def energy(self) -> float:
        """Energy of its counted actions [J]."""
        return self.count * self.each


def energy_items(graph: ChipGraph, counts: ActionCounts, inferences: int) -> list[Item]:
    """Energy of all counted actions.

    Parameters
    ----------
    graph : ChipGraph
        Chip whose components state the price of each action.
    counts : ActionCounts
        Actions of all chips and sequences together.
    inferences : int
        Chips x sequences.

    Notes
    -----
    The array's energy is the charge that the programmed cells of driven rows really draw,
    times the supply of the bit lines: sum of I t V (contract, section 5).
    """
    found: dict[tuple[str, str, float], Item] = {}
    for where, bill in graph.bills.items():
        for price in bill.prices:
            count = paid(price, counts, where, inferences)
            key = (price.component, price.action, price.each)
            before = found[key].count if key in found else 0
            found[key] = Item(*key[:2], before + count, price.each, price.rests_on)
    return [item for item in found.values() if item.count]


def bill_energy(bill: Bill, counts: ActionCounts, where: str, inferences: int = 0) -> float:
    """Energy of the counted actions of one bill [J]."""
    return sum(price.each * paid(price, counts, where, inferences) for price in bill.prices)


def paid(price: Price, counts: ActionCounts, where: str, inferences: int) -> int:
    """Number of actions that a price is paid for."""
    counted = counts.get(price.component, price.counted or price.action, price.counted_at or where)
    return counted * price.times + inferences * price.per_inference


def time_items(
    config: ChipConfig, timing: Timing, parts: Sequence[Part], inferences: int
) -> list[Item]:
    """Energy of leakage, while awake and asleep, and of waking.

    Parameters
    ----------
    parts : sequence of Part
        What the chip is made of.

    Notes
    -----
    A count of leakage is a second.
    """
    power, wakes = config.power, inferences * timing.wakes
    leaks = ("technology.transistor", "technology.leakage", "technology.logic_area", "chip.power")
    items = [
        Item("leakage", "awake", inferences * timing.awake_s, leakage(parts), leaks),
        Item("leakage", "asleep", inferences * timing.asleep_s, leakage_asleep(parts), leaks),
        Item("power", "wakes", wakes, power.energy_per_wake, ("chip.power",)),
    ]
    if power.weights == "reload":
        bits = sum(part.count for part in parts if part.is_volatile)
        each = power.reload_energy_per_bit
        items.append(Item("power", "bits_reloaded", wakes * bits, each, ("chip.power",)))
    return [item for item in items if item.count]
