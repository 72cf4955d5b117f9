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
    Logic leaks as the gates that fit into its area, which is ours.
    """
    parts = [part for bill in graph.bills.values() for part in bill.parts if part.count]
    covered = total_area(parts)
    spacing = covered * (1 / graph.chip.config.layout.utilisation - 1)
    return [*parts, Part(WIRING, "between components", 1, spacing, 0.0, ("chip.layout",), "")]


def total_area(parts: Sequence[Part]) -> float:
    """Area of some parts [m2]."""
    return sum(part.count * part.area for part in parts)


def leakage(parts: Sequence[Part]) -> float:
    """Leakage of some parts that are awake [W]."""
    return sum(part.count * part.leakage for part in parts)
