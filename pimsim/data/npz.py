"""Data sets of users in npz files: `features` and `labels`, and what else is known of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.data.arrays import read_whole_npz
from pimsim.data.dataset import MAX_CLASSES, MAX_FEATURE_BYTES, Dataset
from pimsim.errors import DataError, Place

_TEXTS = ("name", "source", "description", "kind")
_MAX_BYTES = 1 << 26  # of any other array than the features


def load_npz(path: str | Path) -> Dataset:
    """Load a data set from an npz file.

    Parameters
    ----------
    path
        File with the arrays `features` (n, ...) and `labels` (n,); if wanted `classes` (k,) and
        the texts `name`, `description` and `source`; and `kind`, `is_synthetic` and `taken` as
        `Dataset.save` writes them.

    Returns
    -------
    Dataset
        Data set called after its file, if it has no `name`.

    Raises
    ------
    DataError
        If the file is damaged or too large, lacks an array, holds another one or Python objects,
        or its arrays are no data set.
    """
    path = Path(path)
    arrays = read_whole_npz(
        path,
        required={"features": MAX_FEATURE_BYTES, "labels": _MAX_BYTES},
        optional=dict.fromkeys((*_TEXTS, "classes", "is_synthetic", "taken"), _MAX_BYTES),
    )
    place = Place(path)
    texts = {name: _text(arrays[name], name, place) for name in _TEXTS if name in arrays}
    origin = {key: texts.pop(key) for key in ("source",) if texts.get(key)}
    texts.pop("source", None)
    given: dict[str, Any] = {"name": path.stem} | texts
    if "classes" in arrays:
        given["classes"] = _names(arrays["classes"], place)
    if "is_synthetic" in arrays:
        given["is_synthetic"] = _switch(arrays["is_synthetic"], place)
    if "taken" in arrays:
        given["taken"] = arrays["taken"]
    try:
        return Dataset(
            arrays["features"], arrays["labels"], source={"path": str(path)} | origin, **given
        )
    except DataError as error:
        message = f"is no data set: {error.message}"
        raise DataError(message, place=place, remedy=error.remedy) from error


def _text(array: NDArray[Any], name: str, place: Place) -> str:
    if array.dtype.kind != "U" or array.shape != ():
        raise DataError(
            f"holds '{name}' as {array.dtype} of shape {array.shape}; it is one text",
            place=place,
            remedy=f"Write it as {name}=np.array('...')",
        )
    return _decoded(array, name, place)[0]


def _names(array: NDArray[Any], place: Place) -> tuple[str, ...]:
    if array.dtype.kind != "U" or array.ndim != 1 or not 0 < array.size <= MAX_CLASSES:
        raise DataError(
            f"holds 'classes' as {array.dtype} of shape {array.shape}; they are 1 to "
            f"{MAX_CLASSES} texts",
            place=place,
            remedy="Write them as classes=np.array(['...', '...'])",
        )
    return _decoded(array, "classes", place)


def _decoded(array: NDArray[Any], name: str, place: Place) -> tuple[str, ...]:
    """Texts of an array; its numbers need not be characters, on which numpy would stumble."""
    codes = np.frombuffer(array.tobytes(), np.dtype("u4").newbyteorder(array.dtype.byteorder))
    if codes.max(initial=0) > sys.maxunicode:
        raise DataError(f"holds '{name}' that is no text", place=place, remedy="Make it again")
    return tuple(map(str, array.reshape(-1).tolist()))


def _switch(array: NDArray[Any], place: Place) -> bool:
    if array.dtype != np.bool_ or array.shape != ():
        raise DataError(
            f"holds 'is_synthetic' as {array.dtype} of shape {array.shape}; it is True or False",
            place=place,
        )
    return bool(array)
