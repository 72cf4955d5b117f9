"""Human activities from a phone at the waist: 561 features of windows of 2.56 s, in 6 classes.

J. Reyes-Ortiz, D. Anguita, A. Ghio, L. Oneto, X. Parra, "Human Activity Recognition Using
Smartphones" (UCI, 2012), and "Smartphone-Based Recognition of Human Activities and Postural
Transitions" (UCI, 2015). The features were computed anew from the recordings of the latter; they
are close in kind to the published ones, not equal in value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pimsim.data.arrays import read_npz
from pimsim.data.dataset import Dataset
from pimsim.errors import DataError, Place

Split = Literal["train", "test"]
FILE = "har_features.npz"
CLASSES = ("walking", "upstairs", "downstairs", "sitting", "standing", "lying")
CITATION = (
    "D. Anguita, A. Ghio, L. Oneto, X. Parra, J. Reyes-Ortiz, A Public Domain Dataset for Human "
    "Activity Recognition Using Smartphones, ESANN 2013"
)
LICENCE = "citation asked for, no commercial use (readme of version 1.0)"
N_FEATURES = 561
FULL_SCALE = 32767  # the stored integer that stands for 1
_MAX_BYTES = 1 << 26


def load_har(path: str | Path, split: Split = "test") -> Dataset:
    """Load the windows of the persons of one split.

    Parameters
    ----------
    path
        The file `har_features.npz`.

    Returns
    -------
    Dataset
        Features (n, 561) float32 from -1 to 1.

    Raises
    ------
    DataError
        If the file is damaged, or its arrays are others.
    """
    features, activity, _, is_test = _arrays(Path(path))
    rows = is_test == (split == "test")
    return Dataset(
        features[rows].astype(np.float32) / np.float32(FULL_SCALE),
        activity[rows].astype(np.int64) - 1,
        CLASSES,
        name=f"har-{split}",
        description=f"{int(rows.sum()):,} windows of 2.56 s of human activities, 561 features "
        f"each, of the persons of the {split} set",
        source={"path": str(path), "licence": LICENCE, "citation": CITATION},
    )


def persons(path: str | Path, split: Split = "test") -> NDArray[np.int64]:
    """Person of each window of `load_har`, (n,), numbered from 1.

    A validation set of some persons of the training set, none of whose windows was trained on::

        validation = train.select(np.isin(persons(path, "train"), [1, 3, 5]))

    Raises
    ------
    DataError
        As `load_har`.
    """
    _, _, subject, is_test = _arrays(Path(path))
    chosen: NDArray[np.int64] = subject[is_test == (split == "test")].astype(np.int64)
    return chosen


def _arrays(path: Path) -> tuple[NDArray[Any], ...]:
    """Features, activities, persons, and which windows are for testing; checked."""
    names = ("features", "activity", "subject", "is_test")
    arrays = read_npz(path, names, _MAX_BYTES)
    n = len(arrays[0]) if arrays[0].ndim else 0
    shapes = {"features": (n, N_FEATURES)}
    kinds = {"features": np.int16, "is_test": np.bool_}
    for name, array in zip(names, arrays, strict=True):
        shape, kind = shapes.get(name, (n,)), np.dtype(kinds.get(name, np.int8))
        if array.shape != shape or array.dtype != kind:
            raise DataError(
                f"holds '{name}' as {array.dtype} of shape {array.shape}; {kind} of shape {shape} "
                "is needed",
                place=Place(path),
                remedy="Copy the file again",
            )
    return arrays
