"""Entries of a network file's header, read strictly: keys that were not read are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import PimsimError, nearest, shown


class Entry:
    """A table of the header, and the file's tensors; notes which keys were read.

    Parameters
    ----------
    name : str
        Place in the header, for errors; empty for the whole of it.
    table : dict
    tensors : dict of name -> array
    """

    def __init__(
        self, name: str, table: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]
    ) -> None:
        if not isinstance(table, dict):
            raise ValueError(f"{name} is {shown(table)}, which is no table")
        self.name, self._table, self._tensors = name, table, tensors
        self._read: set[str] = set()
        self._read_tensors: set[str] = set()
        self._inner: list[Entry] = []

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def _get(self, key: str) -> Any:
        self._read.add(key)
        return self._table[key]

    def text(self, key: str) -> str:
        return _as_text(self._get(key))

    def texts(self, key: str) -> list[str]:
        return [_as_text(value) for value in self._list(key)]

    def whole(self, key: str) -> int:
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{key} is {shown(value)}, which is no whole number")
        return value

    def wholes(self, key: str) -> tuple[int, ...]:
        values = self._list(key)
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            raise ValueError(f"{key} is {shown(values)}, which is no list of whole numbers")
        return tuple(values)

    def sides(self, key: str) -> int | tuple[int, ...]:
        """A whole number, a pair (vertical, horizontal), or four (top, left, bottom, right)."""
        return self.wholes(key) if isinstance(self._table[key], list) else self.whole(key)

    def number(self, key: str) -> float:
        value = self._get(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueError(f"{key} is {shown(value)}, which is no number")
        return float(value)

    def switch(self, key: str) -> bool:
        value = self._get(key)
        if not isinstance(value, bool):
            raise ValueError(f"{key} is {shown(value)}; it is true or false")
        return value

    def free(self, key: str) -> dict[str, Any]:
        """A table that may hold anything, or may be absent."""
        value = self._get(key) if key in self._table else {}
        if not isinstance(value, dict):
            raise ValueError(f"{key} is {shown(value)}, which is no table")
        return dict(value)

    def kind(self, kinds: Iterable[str], what: str) -> str:
        """The word under `kind`; raises a PimsimError for one that is not among `kinds`."""
        found, known = self._get("kind"), list(kinds)
        if found not in known:
            raise PimsimError(
                f"has the unknown {what} kind {shown(found)} ({self.name})",
                remedy=f"This pimsim knows {', '.join(known)}",
            )
        return str(found)

    def inner(self, key: str) -> Entry:
        return self._nested(f"{self.name}.{key}" if self.name else key, self._get(key))

    def list(self, key: str) -> list[Entry]:
        """Tables of a list."""
        return [self._nested(f"{key}[{i}]", table) for i, table in enumerate(self._list(key))]

    def _list(self, key: str) -> Sequence[Any]:
        value = self._get(key)
        if not isinstance(value, list):
            raise ValueError(f"{key} is {shown(value)}, which is no list")
        return value

    def _nested(self, name: str, table: Any) -> Entry:
        entry = Entry(name, table, self._tensors)
        # tensors are counted once, for the whole file
        entry._read_tensors = self._read_tensors
        self._inner.append(entry)
        return entry

    def tensor(self, name: str) -> NDArray[Any]:
        self._read_tensors.add(name)
        tensor = self._tensors[name]
        if tensor.dtype.kind not in "biuf":
            raise ValueError(f"{name} holds {tensor.dtype}; real numbers are needed")
        return tensor

    def tensor_or_none(self, name: str) -> NDArray[np.float32] | None:
        return self.tensor(name) if name in self._tensors else None

    def require_all_read(self) -> None:
        """Raise a PimsimError for the first key or tensor that was never asked for."""
        for key in self._table:
            if key not in self._read:
                where = f"{self.name}.{key}" if self.name else key
                raise PimsimError(
                    f"has the key '{where}', which pimsim does not know",
                    remedy=nearest(key, self._read)
                    or "Without it the network would be another one; export it without it",
                )
        for entry in self._inner:
            entry.require_all_read()
        for name in sorted(self._tensors):
            if name not in self._read_tensors:
                raise PimsimError(
                    f"holds the tensor '{name}', which nothing reads",
                    remedy="Without it the network would be another one; export it without it",
                )


def _as_text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{shown(value)} is no name")
    return value
