"""Finished points of a study, each stored in a file of its own as soon as it is done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim import __version__
from pimsim.errors import ConfigError, Place
from pimsim.files import look, read_json, write_json


def key_of(content: str) -> str:
    """Key of a point from all that determines it."""
    return hashlib.sha256(content.encode()).hexdigest()[:32]


class Points:
    """Finished points in the folder `points` of a study, keyed by all that determines them.

    Many processes may share a folder: a point appears whole or not at all.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "points"

    def path(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def read(self, key: str) -> dict[str, Any] | None:
        """Stored content of a point; None if it is not finished.

        Raises
        ------
        ConfigError
            If its file is damaged.
        """
        path = self.path(key)
        if look(path) is None:
            return None
        stored = read_json(path)
        if not isinstance(stored, dict):
            raise damaged(path)
        return stored

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
        stored = self.read(key)
        if stored is None:
            stored = {"point": content, "values": compute().tolist()}
            self.keep(key, stored)
        values = stored.get("values")
        if not isinstance(values, list) or not all(type(x) in (int, float) for x in values):
            raise damaged(self.path(key))
        return np.array(values, dtype=np.float64)


def damaged(path: Path) -> ConfigError:
    """Error for a file that does not contain a point."""
    return ConfigError("holds no finished point", place=Place(path), remedy="Remove it")
