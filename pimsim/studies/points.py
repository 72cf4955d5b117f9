"""Finished points of a study, each stored in a file of its own as soon as it is done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim import __version__
from pimsim.errors import ConfigError
from pimsim.files import look, read_json, write_json
from pimsim.report.documents.base import MAX_NUMBER
from pimsim.studies.origin import CODE


def key_of(content: str) -> str:
    """Key of a point from all that determines it: `content`, and the code that computes it."""
    return hashlib.sha256(f"{CODE} {content}".encode()).hexdigest()[:32]


class Points:
    """Finished points in the folder `points` of a study, keyed by all that determines them.

    Many processes may share a folder: a point appears whole or not at all.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "points"

    def path(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def read(self, key: str) -> dict[str, Any] | None:
        """Stored content of a point; None if it is not finished, or its file is damaged."""
        path = self.path(key)
        if look(path) is None:
            return None
        try:
            stored = read_json(path)
        except ConfigError:
            return None
        return stored if isinstance(stored, dict) else None

    def keep(self, key: str, content: Mapping[str, Any]) -> None:
        """Store a finished point."""
        write_json(self.path(key), {"pimsim": __version__, **content})

    def values(
        self, content: str, compute: Callable[[], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Results of a point; computed and stored if it is new.

        Parameters
        ----------
        content
            All that determines the point, in words.
        """
        key = key_of(content)
        stored = self.read(key) or {}
        values = stored.get("values")
        if not _are_numbers(values):
            values = compute().tolist()
            self.keep(key, {"point": content, "values": values})
        return np.array(values, dtype=np.float64)


def _are_numbers(values: object) -> bool:
    """Whether values are those of a finished point: numbers, and finite ones."""
    return (
        isinstance(values, list)
        and bool(values)
        and all(type(x) in (int, float) and abs(x) < MAX_NUMBER for x in values)
    )
