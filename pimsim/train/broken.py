"""Weights that a given chip cannot hold: what its failing pairs of cells carry in their place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pimsim.data.arrays import read_whole_npz
from pimsim.errors import DataError, Place

_MAX_BYTES = 1 << 28
_KEYS = ("rows", "columns", "levels")


@dataclass(frozen=True)
class Broken:
    """Failing pairs of a matrix.

    Attributes
    ----------
    rows, columns : (n,) int64
    levels : (n, 2 L + 1) float32
        Weight [levels] that is there in the place of -L..L.
    """

    rows: Tensor
    columns: Tensor
    levels: Tensor

    def put_into(self, weights: Tensor, step: Tensor | float = 1.0) -> Tensor:
        """Quantised weights (n_rows, n_columns), multiples of a step, as this chip carries them.

        Gradients pass straight through: a pair that can still choose is moved by them.
        """
        at = self.rows.to(weights.device), self.columns.to(weights.device)
        wanted = weights.detach()[at]
        index = torch.round(wanted / step).long() + self.levels.shape[1] // 2
        table = self.levels.to(weights)
        held = table[torch.arange(len(table), device=weights.device), index] * step
        return weights.index_put(at, held - wanted, accumulate=True)


def read_broken(path: Path, shapes: dict[str, tuple[int, int]]) -> dict[str, Broken]:
    """Read a file of `pimsim faults`, for matrices of these shapes.

    Raises
    ------
    DataError
        If it is damaged, or of another network.
    """
    place = Place(path)
    known = {f"{name}.{key}": _MAX_BYTES for name in shapes for key in _KEYS}
    arrays = read_whole_npz(path, required={}, optional={**known, "facts": 1 << 20})
    found = {}
    for name, shape in shapes.items():
        own = [arrays.get(f"{name}.{key}") for key in _KEYS]
        if all(values is None for values in own):
            continue
        rows, columns, levels = _checked(own, name, shape, place)
        found[name] = Broken(
            torch.from_numpy(rows.astype(np.int64)),
            torch.from_numpy(columns.astype(np.int64)),
            torch.from_numpy(levels.astype(np.float32)),
        )
    if not found:
        raise DataError("names no matrix of the network", place=place, remedy=_remedy(shapes))
    return found


def _checked(
    arrays: Iterable[NDArray[Any] | None], name: str, shape: tuple[int, int], place: Place
) -> list[NDArray[Any]]:
    own = [values for values in arrays if values is not None]
    kinds = [values.dtype.kind for values in own]
    fits = kinds == ["i", "i", "f"] and own[0].ndim == 1 and own[1].shape == own[0].shape
    if not fits or own[2].ndim != 2 or len(own[2]) != len(own[0]) or own[2].shape[1] % 2 == 0:
        raise DataError(
            f"has no rows (n,), columns (n,) and levels (n, 2 L + 1) of '{name}'",
            place=place,
            remedy="Write it with `pimsim faults`",
        )
    for what, values, end in zip(("row", "column"), own, shape, strict=False):
        beyond = values[(values < 0) | (values >= end)]
        if beyond.size:
            raise DataError(
                f"names {what} {beyond[0]} of '{name}', which has {end}",
                place=place,
                remedy="Write it for the network that is trained",
            )
    if not np.isfinite(own[2]).all():
        raise DataError(f"has levels of '{name}' that are no numbers", place=place)
    return own


def _remedy(names: Iterable[str]) -> str:
    return f"Its matrices are {', '.join(names)}"
