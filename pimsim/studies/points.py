"""Finished points of a study, stored at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import ConfigError, Place
from pimsim.files import folder_held, read_json, write_json

# (stage in words, work of the stage, work done since the last call)
Progress = Callable[[str, int, int], None]


class Points:
    """Finished points in a folder, keyed by all that determines them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, list[float]] = {}
        self._read()

    def _read(self) -> None:
        if not self.path.exists():
            return
        known = read_json(self.path)
        if not isinstance(known, dict) or not all(map(_are_numbers, known.values())):
            raise ConfigError(
                "holds no finished points",
                place=Place(self.path),
                remedy="Remove it, or name another folder",
            )
        self.known |= known

    def get(self, key: str, compute: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
        """The point of a key; computed and stored if it is new."""
        if key not in self.known:
            values = compute().tolist()
            with folder_held(self.path.parent):
                self._read()  # what another process has finished in the meantime
                self.known[key] = values
                write_json(self.path, self.known)
        return np.array(self.known[key])


def _are_numbers(values: object) -> bool:
    return isinstance(values, list) and all(type(x) in (int, float) for x in values)


def statistics(values: NDArray[np.float64]) -> dict[str, float]:
    """Mean, standard deviation (n - 1; 0 for one), smallest and largest."""
    return {
        "mean": float(values.mean()),
        "std": float(values.std(ddof=1)) if len(values) > 1 else 0.0,
        "min": float(values.min()),
        "max": float(values.max()),
    }
