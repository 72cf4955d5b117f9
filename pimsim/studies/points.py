"""Finished points of a study, stored at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import ConfigError, Place
from pimsim.files import write_json

# (stage in words, work of the stage, work done since the last call)
Progress = Callable[[str, int, int], None]


class Points:
    """Finished points in a folder, keyed by all that determines them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, list[float]] = {}
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        except OSError as error:
            raise ConfigError(f"cannot be read ({error.strerror})", place=Place(path)) from error
        try:
            known = json.loads(text)
            self.known = {str(k): [float(x) for x in v] for k, v in known.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"holds no finished points ({error})",
                place=Place(path),
                remedy="Remove it, or name another folder",
            ) from error

    def get(self, key: str, compute: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
        """The point of a key; computed and stored if it is new."""
        if key not in self.known:
            self.known[key] = compute().tolist()
            write_json(self.path, self.known)
        return np.array(self.known[key])


def statistics(values: NDArray[np.float64]) -> dict[str, float]:
    """Mean, standard deviation (n - 1; 0 for one), smallest and largest."""
    return {
        "mean": float(values.mean()),
        "std": float(values.std(ddof=1)) if len(values) > 1 else 0.0,
        "min": float(values.min()),
        "max": float(values.max()),
    }
