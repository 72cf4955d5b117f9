"""Energy and area layer by layer: the same bills, folded by the component that they belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pimsim.chip.graph import ChipGraph
from pimsim.circuits.bill import Part
from pimsim.cost.area import leakage, leakage_asleep
from pimsim.cost.energy import Item, paid
from pimsim.simulate import ActionCounts
from pimsim.timing.schedule import Timing

# what belongs to no component: wiring, waking
WHOLE_CHIP = "whole chip"


@dataclass(frozen=True)
class LayerCosts:
    """Costs of a component of the chip, or of a link.

    Attributes
    ----------
    energy : dict of component of a bill -> float
        Of all inferences together, with its share of the leakage [J].
    area : dict of component of a bill -> float
        [m2]
    """

    name: str
    energy: dict[str, float]
    area: dict[str, float]


def layer_costs(
    graph: ChipGraph,
    counts: ActionCounts,
    timing: Timing,
    area: Sequence[Part],
    of_time: Sequence[Item],
    inferences: int,
) -> list[LayerCosts]:
    """Costs by component and link, the rest last; together they are the chip's.

    Parameters
    ----------
    area, of_time
        As `area_items` and `time_items` give them.
    """
    found = []
    for name, bill in graph.bills.items():
        energy = _sums(
            (price.component, price.each * paid(price, counts, name, inferences))
            for price in bill.prices
        )
        leaks = timing.awake_s * leakage(bill.parts) + timing.asleep_s * leakage_asleep(bill.parts)
        energy = _sums([*energy.items(), ("leakage", inferences * leaks)])
        found.append(LayerCosts(name, energy, _areas(bill.parts)))
    placed = {id(part) for bill in graph.bills.values() for part in bill.parts}
    rest = _sums((item.component, item.energy) for item in of_time if item.component != "leakage")
    others = _areas([part for part in area if id(part) not in placed])
    return [*found, LayerCosts(WHOLE_CHIP, rest, others)]


def _areas(parts: Iterable[Part]) -> dict[str, float]:
    return _sums((part.component, part.count * part.area) for part in parts)


def _sums(values: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Sums by name, of names that have any."""
    found: dict[str, float] = defaultdict(float)
    for name, value in values:
        found[name] += value
    return {name: value for name, value in found.items() if value}
