"""Labelled data sets of features for a network's encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError

FEATURE_SHAPES = {"speech": (98, 40), "image": (28, 28)}


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set of clips or images with their classes.

    Parameters
    ----------
    name
        Short name for reports.
    kind
        ``speech`` (log-mels), ``image`` (grey pixels) or ``direct`` (bits or codes).
    features : (n, 98, 40), (n, 28, 28) or (n, 1, n_inputs) uint8
        Log-mel frames, pixels, or what drives word lines.
    labels : (n,) int64
        Index into `classes`.
    classes
        Names of the classes.
    description
        One sentence for reports: content and origin.
    is_synthetic
        Whether the speech was synthesised; reports say so.
    source
        Provenance: file or folder, licence, and similar entries.
    taken : (n,) int64, optional
        Index of each clip or image in the whole set, if this is a subset.

    Raises
    ------
    DataError
        If the arrays do not fit each other.
    """

    name: str
    kind: Literal["speech", "image", "direct"]
    features: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    description: str
    is_synthetic: bool = False
    source: Mapping[str, str] = field(default_factory=dict)
    taken: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        shape = FEATURE_SHAPES.get(self.kind, self.features.shape[1:])
        if self.features.dtype != np.uint8 or self.features.shape[1:] != shape:
            raise DataError(
                f"the {self.kind} set '{self.name}' holds {self.features.dtype} features of shape "
                f"{self.features.shape[1:]}; uint8 of shape {shape} are needed"
            )
        if self.labels.dtype != np.int64 or self.labels.shape != self.features.shape[:1]:
            raise DataError(
                f"the {self.kind} set '{self.name}' holds {len(self.features)} clips or images and "
                f"{self.labels.dtype} labels of shape {self.labels.shape}"
            )
        if not len(self.labels):
            raise DataError(f"the {self.kind} set '{self.name}' is empty")
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < 0 or high >= len(self.classes):
            raise DataError(
                f"the {self.kind} set '{self.name}' has a label {low if low < 0 else high}; labels "
                f"run from 0 to {len(self.classes) - 1}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def sha256(self) -> str:
        """Digest of features and labels, for a report's provenance."""
        digest = hashlib.sha256(repr(self.features.shape).encode())
        digest.update(self.features.tobytes())
        digest.update(self.labels.astype("<i8").tobytes())
        return digest.hexdigest()

    @property
    def sample_indices(self) -> NDArray[np.int64]:
        """Index of each clip or image in the whole set; it keys the noise of its inference."""
        return np.arange(len(self), dtype=np.int64) if self.taken is None else self.taken

    def limit(self, n: int) -> Dataset:
        """Select at most `n` clips or images, with the class frequencies of the whole set.

        The same `n` always gives the same subset: evenly spaced after sorting by class, and
        returned in the original order.

        Raises
        ------
        DataError
            If `n` is not positive.
        """
        if n < 1:
            raise DataError(
                f"cannot take {n} clips or images of '{self.name}'",
                remedy=f"Ask for 1 to {len(self)}.",
            )
        if n >= len(self):
            return self
        by_class = np.argsort(self.labels, kind="stable")
        spaced = (np.arange(n) * len(self) + len(self) // 2) // n
        chosen = np.sort(by_class[spaced])
        return replace(
            self,
            features=self.features[chosen],
            labels=self.labels[chosen],
            taken=self.sample_indices[chosen],
        )
