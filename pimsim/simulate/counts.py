"""How often each component acted."""

from __future__ import annotations

from collections import defaultdict


class ActionCounts:
    """Counted actions, component by component; prices come later (pimsim.cost)."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, component: str, action: str, count: int) -> None:
        self._counts[component][action] += int(count)

    def get(self, component: str, action: str) -> int:
        return self._counts.get(component, {}).get(action, 0)

    def merge(self, other: ActionCounts) -> None:
        for component, actions in other._counts.items():
            for action, count in actions.items():
                self.add(component, action, count)

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Plain {component: {action: count}}, in the order of the walk of a bit."""
        return {component: dict(actions) for component, actions in self._counts.items()}
