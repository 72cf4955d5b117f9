"""CIFAR-10: 60,000 colour pictures of 32 x 32 pixels in 10 classes, as JPEGs in archives.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from pimsim.data.archives import files_in_tar
from pimsim.data.dataset import Dataset
from pimsim.data.images import decode_images
from pimsim.errors import DataError, Place
from pimsim.files import is_file

Split = Literal["train", "test"]
CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
CITATION = "A. Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images"
LICENCE = "none stated; citation asked for"
_SHAPE = (32, 32, 3)
_MAX_JPEG_BYTES = 1 << 16


def find_archive(folder: Path, split: Split) -> Path | None:
    """Path of the archive of a split in a folder, or None."""
    path = folder / f"cifar10_{split}_jpeg.tar.xz"
    return path if is_file(path, DataError) else None


def load_cifar10(path: str | Path, split: Split = "test") -> Dataset:
    """Load the training or test pictures from an archive.

    Parameters
    ----------
    path
        Archive (``.tar.xz`` or ``.tar.gz``) of `<class>/<number>.jpg`.

    Returns
    -------
    Dataset
        RGB pixels (n, 32, 32, 3) uint8, sorted by class, then by file name.

    Raises
    ------
    DataError
        If the archive is damaged, or holds other classes or other images.

    Notes
    -----
    JPEG is lossy: compare with networks that were trained on the same pictures.
    """
    path, place = Path(path), Place(path)
    files = sorted(files_in_tar(path, ".jpg", _MAX_JPEG_BYTES), key=lambda file: file[:2])
    counts = [sum(folder == name for folder, _, _ in files) for name in CLASSES]
    if sum(counts) != len(files) or not all(counts):
        found = sorted({folder for folder, _, _ in files})
        raise DataError(
            f"holds pictures of {', '.join(found[:20]) or 'nothing'}; the classes are "
            f"{', '.join(CLASSES)}",
            place=place,
            remedy="Copy the archive again",
        )
    named = ((f"{path}/{folder}/{name}", content) for folder, name, content in files)
    pixels = decode_images(named, len(files))
    if pixels.shape[1:] != _SHAPE:
        raise DataError(
            f"holds pictures of {' x '.join(map(str, pixels.shape[1:]))} bytes; those of CIFAR-10 "
            "have 32 x 32 x 3",
            place=place,
            remedy="Copy the archive again",
        )
    return Dataset(
        pixels,
        np.repeat(np.arange(len(CLASSES)), counts),
        CLASSES,
        name=f"cifar10-{split}",
        description=f"{len(files):,} colour pictures of the CIFAR-10 {split} set, from JPEGs",
        source={"path": str(path), "licence": LICENCE, "citation": CITATION},
    )
