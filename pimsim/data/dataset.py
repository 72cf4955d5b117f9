"""Labelled data sets of features for a network's encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError, Place, shown
from pimsim.files import write_npz
from pimsim.workload.inputs import Features

Kind = Literal["speech", "image", "direct", "text", "tensor"]
FEATURE_SHAPES = {"speech": (98, 40), "image": (28, 28)}
MAX_FEATURE_BYTES = 1 << 29  # of one set; the training pictures of CIFAR-10 take 154 MB
MAX_CLASSES = 1 << 16
MAX_TEXT = 1000  # characters of a name or a description
# what a file in the place of a name would be called
DEFAULT_NAME = "own data"


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set: features of any shape with their labels.

    `Dataset(features, labels)` is enough; the network's input says if the features fit it.

    Parameters
    ----------
    features : (n, ...) uint8 or float32
        Log-mel frames, pixels, or any other numbers of one clip, image or sample each. Other
        floating-point numbers are rounded to float32.
    labels : (n,) int64, or (n, n_scored) of text
        Index into `classes`; of text, one for each of the last steps. Other integers are converted.
    classes
        Names of the classes; "0", "1", ... up to the largest label if there are none.
    name
        Short name for reports.
    kind
        ``speech`` (log-mels, (n, 98, 40)), ``image`` (grey pixels, (n, 28, 28)), ``direct`` (bits
        or codes that drive word lines, (n, 1, n_inputs)), ``text`` (indices into `classes`,
        (n, n_steps)), all of uint8; else ``tensor``.
    description
        One sentence for reports: content and origin; number and shape if there is none.
    is_synthetic
        Whether the speech was synthesised; reports say so.
    source
        Provenance: file or folder, licence, and similar entries.
    taken : (n,) int64, optional
        Index of each sample in the whole set, if this is a subset.

    Raises
    ------
    DataError
        If the arrays do not fit each other, or hold numbers that are not finite.
    """

    features: Features
    labels: NDArray[np.int64]
    classes: tuple[str, ...] = ()
    _: KW_ONLY
    name: str = DEFAULT_NAME
    kind: Kind = "tensor"
    description: str = ""
    is_synthetic: bool = False
    source: Mapping[str, str] = field(default_factory=dict)
    taken: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        self._check_texts()
        features, labels = np.asarray(self.features), np.asarray(self.labels)
        self._set("features", self._checked_features(features))
        of_steps = self.kind == "text" and labels.ndim == 2
        wanted = features.shape[:1] + labels.shape[1:] * of_steps
        if labels.dtype.kind not in "iu" or labels.shape != wanted:
            raise DataError(
                f"{self._called} holds {len(features)} samples and {labels.dtype} labels of shape "
                f"{labels.shape}",
                remedy="Give every sample one whole number, the index of its class",
            )
        if not labels.size:
            raise DataError(f"{self._called} is empty")
        if of_steps and labels.shape[1] > features.shape[1]:
            raise DataError(
                f"{self._called} has labels of {labels.shape[1]} steps in samples of "
                f"{features.shape[1]}"
            )
        low, high = int(labels.min()), int(labels.max())
        top = (len(self.classes) or MAX_CLASSES) - 1
        if low < 0 or high > top:
            raise DataError(
                f"{self._called} has a label {low if low < 0 else high}; labels run from 0 to {top}"
            )
        self._set("labels", labels.astype(np.int64, copy=False))
        if self.kind == "text":
            high = max(high, int(features.max()))
        self._set("classes", tuple(self.classes) or tuple(map(str, range(high + 1))))
        if self.kind == "text" and high >= len(self.classes):
            raise DataError(
                f"{self._called} holds the symbol {high}, and has {len(self.classes)} classes"
            )
        if self.taken is not None:
            self._check_taken(self.taken)
        if not self.description:
            self._set("description", self._content())

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @property
    def _called(self) -> str:
        return f"the {'data' if self.kind == 'tensor' else self.kind} set '{self.name}'"

    def _check_texts(self) -> None:
        if self.kind not in get_args(Kind):
            raise DataError(
                f"the kind of a data set is {shown(self.kind)}",
                remedy=f"Known here: {', '.join(get_args(Kind))}",
            )
        if isinstance(self.classes, str) or len(self.classes) > MAX_CLASSES:
            raise DataError(
                f"the classes of a data set are {shown(self.classes)}",
                remedy=f"Give a list of 1 to {MAX_CLASSES} names",
            )
        texts: dict[str, Any] = {"name": self.name, "description": self.description or "-"}
        for what, text in (*texts.items(), *(("class name", text) for text in self.classes)):
            if not isinstance(text, str) or not text.isprintable() or not 0 < len(text) <= MAX_TEXT:
                raise DataError(
                    f"the {what} of a data set is {shown(text)}",
                    remedy=f"Give a text of one line and at most {MAX_TEXT} characters",
                )
        if len(set(self.classes)) < len(self.classes):
            twice = next(name for name in self.classes if list(self.classes).count(name) > 1)
            raise DataError(f"{self._called} has two classes called '{twice}'")
        if "sha256" in self.source:
            raise DataError(f"the source of {self._called} names a sha256, which is computed")

    def _checked_features(self, features: NDArray[Any]) -> Features:
        shape = FEATURE_SHAPES.get(self.kind)
        if self.kind != "tensor":
            wanted = features.shape[1:] if shape is None else shape
            if self.kind == "text" and (features.ndim != 2 or not features.shape[1]):
                wanted = ("n_steps",)
            if features.dtype != np.uint8 or features.shape[1:] != wanted:
                raise DataError(
                    f"{self._called} holds {features.dtype} features of shape "
                    f"{features.shape[1:]}; uint8 of shape {wanted} are needed"
                )
            return features
        if features.dtype != np.uint8 and features.dtype.kind != "f":
            raise DataError(
                f"{self._called} holds {features.dtype} features; uint8 or float32 are needed",
                remedy="Convert them, as with features.astype(np.float32)",
            )
        if features.ndim < 2 or not prod(features.shape[1:]):
            raise DataError(
                f"{self._called} holds features of shape {features.shape}; the first axis counts "
                "samples, and each sample has at least one number"
            )
        if features.dtype == np.uint8:
            return features
        with np.errstate(over="ignore"):  # what is too large for float32 is found below
            numbers = features.astype(np.float32, copy=False)
        finite = np.isfinite(numbers)
        if not finite.all():
            # the first one: a list of all of them could be larger than the features
            where = tuple(map(int, np.unravel_index(int(finite.argmin()), finite.shape)))
            raise DataError(
                f"{self._called} holds {features[where]} in features{list(where)}; numbers must be "
                "finite, in float32 too",
                remedy="Replace or leave out such samples",
            )
        return numbers

    def _check_taken(self, taken: NDArray[np.int64]) -> None:
        if taken.dtype != np.int64 or taken.shape != self.labels.shape[:1] or taken.min() < 0:
            raise DataError(
                f"{self._called} has {taken.dtype} indices of shape {taken.shape} in the whole "
                f"set; int64 of shape {self.labels.shape[:1]} from 0 on are needed"
            )

    def _content(self) -> str:
        """Number and shape of the samples in words."""
        sides = " x ".join(map(str, self.features.shape[1:]))
        what = "bytes" if self.features.dtype == np.uint8 else "numbers"
        return f"{len(self):,} samples of {sides} {what} in {len(self.classes)} classes"

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def sha256(self) -> str:
        """Digest of features and labels, for a report's provenance."""
        digest = hashlib.sha256(repr(self.features.shape).encode())
        if self.features.dtype != np.uint8:
            digest.update(b"float32")
        stored = self.features.dtype.newbyteorder("<")
        # a buffer in C order, which takes no copy where it is one already
        digest.update(np.ascontiguousarray(self.features, stored).data)
        digest.update(self.labels.astype("<i8").tobytes())
        if self.labels.ndim > 1:
            digest.update(repr(self.labels.shape).encode())
        return digest.hexdigest()

    @property
    def sample_indices(self) -> NDArray[np.int64]:
        """Index of each sample in the whole set; it keys the noise of its inference."""
        return np.arange(len(self), dtype=np.int64) if self.taken is None else self.taken

    def limit(self, n: int) -> Dataset:
        """Select at most `n` clips or images, with the class frequencies of the whole set.

        The same `n` always gives the same subset: evenly spaced after sorting by class (of text
        with a label for every step, as it stands), and returned in the original order.

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
        is_single = self.labels.ndim == 1
        by_class = np.argsort(self.labels, kind="stable") if is_single else np.arange(len(self))
        spaced = (np.arange(n) * len(self) + len(self) // 2) // n
        return self.select(np.sort(by_class[spaced]))

    def select(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Dataset:
        """Select samples by their indices, or by a mask of all of them.

        A sample keeps the noise that it has in the whole set.

        Parameters
        ----------
        chosen : (n_chosen,) int64, or (n,) bool

        Raises
        ------
        DataError
            If there is no such sample, or none is chosen.
        """
        try:
            return replace(
                self,
                features=self.features[chosen],
                labels=self.labels[chosen],
                taken=self.sample_indices[chosen],
            )
        except IndexError as error:
            raise DataError(f"cannot select from {self._called}: {error}") from error

    def named_as(self, classes: tuple[str, ...]) -> Dataset:
        """The same samples, with labels into the classes of a network that has the same by name.

        Of folders classes come in the order of their names, which may be another one. A set with
        a class that is not among them stays as it is, and so does a text, whose inputs are symbols
        as its labels are (`pimsim.data.text.with_symbols`).
        """
        if self.kind == "text":
            return self
        is_same = self.classes == classes[: len(self.classes)]
        if is_same or not set(self.classes) <= set(classes):
            return self
        places = np.array([classes.index(name) for name in self.classes], np.int64)
        return replace(self, labels=places[self.labels], classes=classes)

    def save(self, path: str | Path) -> Path:
        """Write an npz file that `pimsim.data.load` and `--data` read; whole or not at all.

        Raises
        ------
        DataError
            If the name does not end in ``.npz``, or the features are too large to be read again.
        ConfigError
            If the file cannot be written.
        """
        path = Path(path)
        if path.suffix != ".npz":
            raise DataError(
                "does not end in .npz", place=Place(path), remedy=f"Name it {path.name}.npz"
            )
        if self.features.nbytes > MAX_FEATURE_BYTES:
            raise DataError(
                f"would hold {self.features.nbytes} bytes of features; {MAX_FEATURE_BYTES} are the "
                "most",
                place=Place(path),
                remedy="Save parts of the set",
            )
        # a text that came with a file goes back into the next one, other entries in their order
        entries = [f"{key}: {text}" for key, text in self.source.items() if key != "source"]
        origin = self.source.get("source") or "; ".join(entries)
        texts = {"name": self.name, "description": self.description, "kind": self.kind,
                 "source": origin}  # fmt: skip
        arrays: dict[str, NDArray[Any]] = {
            "features": self.features,
            "labels": self.labels,
            "classes": np.array(self.classes),
            "is_synthetic": np.array(self.is_synthetic),
            **{key: np.array(text) for key, text in texts.items()},
        }
        if self.taken is not None:
            arrays["taken"] = self.taken
        return write_npz(path, arrays)
