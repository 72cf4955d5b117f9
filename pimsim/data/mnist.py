"""MNIST handwritten digits (LeCun, Cortes, Burges), and other images in idx files like theirs."""

from __future__ import annotations

import gzip
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import BinaryIO, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pimsim.data.archives import is_gzip
from pimsim.data.dataset import FEATURE_SHAPES, Dataset
from pimsim.errors import DataError, Place
from pimsim.files import decoding, is_file, open_regular, whole_path

Split = Literal["train", "test"]
CLASSES = tuple(str(digit) for digit in range(10))
_PREFIXES = {"train": "train", "test": "t10k"}
# kinds of files, with the idx format's word for their dimensions
_CONTENTS = {"images": "idx3", "labels": "idx1"}
_OTHER = {"images": "labels", "labels": "images"}
_UINT8_CODE = 8  # the idx format's number for unsigned bytes
_MAX_BYTES = 1 << 27  # the 60,000 training digits take 47 MB
_MAX_HEADER_BYTES = 1 << 10
_AGAIN = "Download it again with `pimsim data get mnist`."
# digests of `Dataset.sha256`: files of the same names may hold anything
MNIST_SHA256 = {
    "test": "f5147f7baa1787ec4b3cd00068f8ec8a61d969373b74639b6aef5c981fc5a5b2",
    "train": "c41b322ede5b4fc991fbf5440b21cefc76cb0418e0ebf66b8f78109632b41509",
}


def read_idx(path: str | Path, n_dimensions: int) -> NDArray[np.uint8]:
    """Read an array of bytes from an idx file, gzipped if its first bytes say so.

    No more is unpacked than the header promises, and no more than 128 MiB.

    Parameters
    ----------
    path
        The file.
    n_dimensions : int
        Dimensions that the array must have.

    Returns
    -------
    uint8 array of `n_dimensions` dimensions

    Raises
    ------
    DataError
        If the file is not such an idx file, or is longer or shorter than its header says.
    """
    path = Path(path)
    place = Place(path)
    with open_regular(path, "an idx file", _MAX_BYTES + _MAX_HEADER_BYTES, DataError) as file:
        if not is_gzip(file):
            return _parse_idx(file, n_dimensions, place)
        with (
            decoding(place, _AGAIN, DataError, "is a damaged gzip file"),
            gzip.open(file) as unpacked,
        ):
            return _parse_idx(cast(BinaryIO, unpacked), n_dimensions, place)


def find_idx(folder: Path, split: Split) -> tuple[Path, Path] | None:
    """Paths of the images and labels of a split in a folder, gzipped or not; None if one lacks."""
    images, labels = (_find(folder, split, what) for what in _CONTENTS)
    return None if images is None or labels is None else (images, labels)


def has_idx(folder: Path, split: Split) -> bool:
    """Whether images or labels of a split are in a folder."""
    return any(_find(folder, split, what) is not None for what in _CONTENTS)


def _find(folder: Path, split: Split, what: str) -> Path | None:
    """Path of images or labels; archives elsewhere write a dot where MNIST's own has a hyphen."""
    stems = [f"{_PREFIXES[split]}-{what}{dot}{_CONTENTS[what]}-ubyte" for dot in "-."]
    paths = (folder / f"{stem}{gz}" for stem in stems for gz in ("", ".gz"))
    return next((path for path in paths if is_file(path, DataError)), None)


def _both(folder: Path, split: Split) -> tuple[Path, Path]:
    """Paths of images and labels.

    Raises
    ------
    DataError
        If one is missing; the error says which.
    """
    found = find_idx(folder, split)
    if found is not None:
        return found
    missing = [what for what in _CONTENTS if _find(folder, split, what) is None]
    names = " and ".join(f"{_PREFIXES[split]}-{what}-{_CONTENTS[what]}-ubyte" for what in missing)
    there = "" if len(missing) > 1 else f", the {missing[0]} of its {_OTHER[missing[0]]}"
    raise DataError(
        f"does not hold {names}{there}, gzipped or not",
        place=Place(folder),
        remedy="Put it there, or get MNIST with `pimsim data get mnist`.",
    )


def load_idx(folder: str | Path, split: Split = "test") -> Dataset:
    """Load the images of a folder with idx files of MNIST's names.

    Returns
    -------
    Dataset
        Images (n, height, width) in the order of the files. If they are MNIST's, bit for bit, the
        set is called so; otherwise it is called after its folder, and its classes are "0", "1",
        ... up to the largest label.

    Raises
    ------
    DataError
        If the files are missing, damaged, or differ in length.
    """
    folder = Path(folder)
    paths = _both(folder, split)
    images, labels = read_idx(paths[0], 3), read_idx(paths[1], 1)
    if len(images) != len(labels):
        raise DataError(
            f"holds {len(labels)} labels for {len(images)} images",
            place=Place(paths[1]),
            remedy=_AGAIN,
        )
    height, width = images.shape[1:]
    n_classes = int(labels.max(initial=0)) + 1
    found = Dataset(
        images,
        labels.astype(np.int64),
        name=whole_path(folder).name,
        kind="image" if images.shape[1:] == FEATURE_SHAPES["image"] else "tensor",
        description=f"{len(labels):,} images of {height} x {width} in {n_classes} classes "
        "(idx files)",
        source={"path": str(folder)},
    )
    if found.sha256 != MNIST_SHA256[split]:
        return found
    return replace(
        found,
        name=f"mnist-{split}",
        classes=CLASSES,
        description=f"{len(labels)} handwritten digits of the MNIST {split} set",
    )


def load_mnist(folder: str | Path, split: Split = "test") -> Dataset:
    """Load the training or test digits of MNIST from a folder with the idx files.

    Raises
    ------
    DataError
        As `load_idx`; or if the files hold other images or labels than those of MNIST.
    """
    found = load_idx(folder, split)
    if found.sha256 != MNIST_SHA256[split]:
        raise DataError(
            f"holds {found.description}, which are not the digits of MNIST",
            place=Place(folder),
            remedy="Name the folder to use them as they are, or get MNIST with "
            "`pimsim data get mnist`",
        )
    return found


def _parse_idx(file: BinaryIO, n_dimensions: int, place: Place) -> NDArray[np.uint8]:
    header = file.read(4 + 4 * n_dimensions)
    magic = bytes([0, 0, _UINT8_CODE, n_dimensions])
    if header[:4] != magic:
        raise DataError(
            f"starts with {header[:4].hex() or 'nothing'}; an idx file of bytes in {n_dimensions} "
            f"dimensions starts with {magic.hex()}",
            place=place,
            remedy=_AGAIN,
        )
    if len(header) < 4 + 4 * n_dimensions:
        raise DataError("ends within its header", place=place, remedy=_AGAIN)
    shape = tuple(int.from_bytes(header[k : k + 4], "big") for k in range(4, len(header), 4))
    size = prod(shape)
    if size > _MAX_BYTES:
        raise DataError(
            f"promises an array of {shape}, more than {_MAX_BYTES >> 20} MiB",
            place=place,
            remedy=_AGAIN,
        )
    content = file.read(size)
    if len(content) < size:
        raise DataError(
            f"promises {size} bytes and ends after {len(content)}", place=place, remedy=_AGAIN
        )
    if file.read(1):
        raise DataError(
            f"goes on after the {size} bytes that it promises", place=place, remedy=_AGAIN
        )
    return np.frombuffer(content, np.uint8).reshape(shape)
