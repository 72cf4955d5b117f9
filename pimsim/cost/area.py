"""Area and leakage of a chip, from the parts of its components' bills."""

from __future__ import annotations

from collections.abc import Sequence

from pimsim.chip.graph import ChipGraph
from pimsim.circuits.bill import Part

WIRING = "wiring"


def area_items(graph: ChipGraph) -> list[Part]:
    """All parts of a chip, wiring last.

    Notes
    -----
    Logic leaks as the gates that fit into its area, which is ours.  Wiring lies between the
    gates of placed logic alone: arrays, circuits drawn to their pitch and memories abut.
    """
    parts = [part for bill in graph.bills.values() for part in bill.parts if part.count]
    logic = total_area([part for part in parts if part.is_logic])
    spacing = logic * (1 / graph.chip.config.layout.utilisation - 1)
    return [*parts, Part(WIRING, "between gates", 1, spacing, 0.0, ("chip.layout",), "")]


def total_area(parts: Sequence[Part]) -> float:
    """Area of some parts [m2]."""
    return sum(part.count * part.area for part in parts)


def leakage(parts: Sequence[Part]) -> float:
    """Leakage of some parts that are awake [W]."""
    return sum(part.count * part.leakage for part in parts)


def leakage_asleep(parts: Sequence[Part]) -> float:
    """Leakage of some parts in sleep: that of the bits that are kept [W]."""
    return sum(part.count * part.leakage * part.asleep for part in parts)
