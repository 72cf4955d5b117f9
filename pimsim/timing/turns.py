"""Turns of layers at one array."""

from __future__ import annotations


class Turns:
    """Turns of several stages at one thing, such as a chip's array, each for some operations.

    Parameters
    ----------
    shares : dict of name -> int
        Stages in the order of their turns, which repeats, and their operations in each.
    """

    name = "turns"

    def __init__(self, shares: dict[str, int]) -> None:
        self._shares = list(shares.items())
        self._index = self._done = self._coming = 0

    @property
    def rests(self) -> bool:
        return True

    def next_event(self, cycle: int) -> int | None:
        return None

    def holds(self, name: str) -> bool:
        """Whether it is a stage's turn."""
        return self._shares[self._index][0] == name

    def use(self) -> None:
        """Count an operation of the stage whose turn it is."""
        self._coming += 1

    def evaluate(self, cycle: int) -> None:
        """Nothing to decide: stages pass it on."""

    def commit(self) -> None:
        self._done, self._coming = self._done + self._coming, 0
        if self._done == self._shares[self._index][1]:
            self._index, self._done = (self._index + 1) % len(self._shares), 0

    def skip(self, cycle: int, count: int, all_rest: bool) -> None:
        """Nothing changes."""
