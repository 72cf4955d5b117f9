"""Counts of the actions of each component."""

from __future__ import annotations

from collections import defaultdict


class ActionCounts:
    """Counted actions, component by component; prices come later (pimsim.cost)."""

    def __init__(self) -> None:
        # current drawn by each matrix, summed over reads [quanta of that matrix]
        self.drawn: dict[str, int] = defaultdict(int)
        self._counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, component: str, action: str, count: int) -> None:
        self._counts[component][action] += int(count)

    def get(self, component: str, action: str) -> int:
        return self._counts.get(component, {}).get(action, 0)

    def draw(self, matrix: str, quanta: int) -> None:
        """Count the current of both bit lines of a matrix, summed over reads [quanta]."""
        self.drawn[matrix] += int(quanta)

    def merge(self, other: ActionCounts) -> None:
        for matrix, quanta in other.drawn.items():
            self.draw(matrix, quanta)
        for component, actions in other._counts.items():
            for action, count in actions.items():
                self.add(component, action, count)

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Plain {component: {action: count}}, in the order of the walk of a bit."""
        return {component: dict(actions) for component, actions in self._counts.items()}
