"""Decisions of chips that are kept as a simulation goes on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pimsim.simulate.signals import Values

# (name, position of the first chip, of the first sequence, values (n_chips, n_sequences, ...))
Keep = Callable[[str, int, int, Values], None]


class InMemory:
    """All decisions of some chips on some sequences, a byte each.

    Attributes
    ----------
    bits : dict of name -> (n_chips, n_sequences, ...)
    """

    def __init__(self, n_chips: int, n_sequences: int) -> None:
        self._shape = n_chips, n_sequences
        self.bits: dict[str, Values] = {}

    def __call__(self, name: str, chip: int, sequence: int, values: Values) -> None:
        """Keep the values of one batch."""
        if name not in self.bits:
            self.bits[name] = np.empty((*self._shape, *values.shape[2:]), values.dtype)
        rows, columns = values.shape[:2]
        self.bits[name][chip : chip + rows, sequence : sequence + columns] = values
