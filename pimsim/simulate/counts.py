"""Counts of the actions of each component."""

from __future__ import annotations

from collections import defaultdict


class ActionCounts:
    """Counted actions, component by component; prices come later (pimsim.cost).

    Attributes
    ----------
    drawn : dict of matrix -> int
        Current drawn by each matrix, summed over reads [quanta of that matrix].
    converted, clipped : dict of tile -> int
        Conversions of each tile, and those beyond the range of codes.
    """

    def __init__(self) -> None:
        self.drawn: dict[str, int] = defaultdict(int)
        self.converted: dict[str, int] = defaultdict(int)
        self.clipped: dict[str, int] = defaultdict(int)
        # (component, action) -> where -> count; `where` is the tile or unit that acted
        self._counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, component: str, action: str, count: int, where: str = "") -> None:
        self._counts[component, action][where] += int(count)

    def get(self, component: str, action: str, where: str | None = None) -> int:
        """Number of actions of a component, in one place, or everywhere if None."""
        if component == "array" and action in self.drawn:
            return self.drawn[action]
        found = self._counts.get((component, action), {})
        return sum(found.values()) if where is None else found.get(where, 0)

    def draw(self, matrix: str, quanta: int) -> None:
        """Count the current of all bit lines of a matrix, summed over reads [quanta]."""
        self.drawn[matrix] += int(quanta)

    def convert(self, tile: str, conversions: int, clipped: int) -> None:
        """Count the conversions of a tile, and those of them that are clipped."""
        self.converted[tile] += int(conversions)
        self.clipped[tile] += int(clipped)

    def clipped_share(self, tile: str) -> float | None:
        """Share of a tile's conversions that are clipped; None where nothing is converted."""
        return self.clipped[tile] / self.converted[tile] if self.converted.get(tile) else None

    def merge(self, other: ActionCounts) -> None:
        for matrix, quanta in other.drawn.items():
            self.draw(matrix, quanta)
        for tile, conversions in other.converted.items():
            self.convert(tile, conversions, other.clipped[tile])
        for (component, action), places in other._counts.items():
            for where, count in places.items():
                self.add(component, action, count, where)

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Plain {component: {action: count}}, in the order of the walk of a bit."""
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for (component, action), places in self._counts.items():
            found[component][action] = sum(places.values())
        return dict(found)
