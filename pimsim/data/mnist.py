"""MNIST handwritten digits in their idx files (LeCun, Cortes, Burges)."""

from __future__ import annotations

import gzip
import zlib
from contextlib import ExitStack
from math import prod
from pathlib import Path
from typing import IO, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pimsim.data.dataset import Dataset
from pimsim.errors import DataError, Place
from pimsim.files import open_regular

Split = Literal["train", "test"]
CLASSES = tuple(str(digit) for digit in range(10))
_PREFIXES = {"train": "train", "test": "t10k"}
_UINT8_CODE = 8  # the idx format's number for unsigned bytes
_MAX_BYTES = 1 << 27  # the 60,000 training digits take 47 MB
MAX_FILE_BYTES = _MAX_BYTES + 4096  # its header as well
_AGAIN = "Download it again with `pimsim data get mnist`."


def read_idx(path: str | Path, n_dimensions: int) -> NDArray[np.uint8]:
    """An array of bytes from an idx file, gzipped where its name ends in ``.gz``.

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
    try:
        with ExitStack() as opened:
            file: IO[bytes] = opened.enter_context(
                open_regular(path, "an idx file", MAX_FILE_BYTES, DataError)
            )
            if path.suffix == ".gz":
                file = cast(IO[bytes], opened.enter_context(gzip.open(file, "rb")))
            return _parse_idx(file, n_dimensions, place)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"is a damaged gzip file ({error})", place=place, remedy=_AGAIN) from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", place=place, remedy=_AGAIN) from error


def find_idx(folder: Path, split: Split) -> tuple[Path, Path] | None:
    """The files of images and labels of a split in a folder, gzipped or not."""
    found = []
    for stem in (f"{_PREFIXES[split]}-images-idx3-ubyte", f"{_PREFIXES[split]}-labels-idx1-ubyte"):
        candidates = [folder / stem, folder / f"{stem}.gz"]
        present = [path for path in candidates if path.is_file()]
        if not present:
            return None
        found.append(present[0])
    return found[0], found[1]


def load_mnist(folder: str | Path, split: Split = "test") -> Dataset:
    """The training or test digits from a folder with the idx files under their usual names.

    Returns
    -------
    Dataset
        In the files' order: 60,000 or 10,000 digits of 28 x 28 pixels.

    Raises
    ------
    DataError
        If the files are missing, damaged, or do not belong together.
    """
    folder = Path(folder)
    paths = find_idx(folder, split)
    if paths is None:
        raise DataError(
            f"does not hold {_PREFIXES[split]}-images-idx3-ubyte.gz and "
            f"{_PREFIXES[split]}-labels-idx1-ubyte.gz",
            place=Place(folder),
            remedy="Get them with `pimsim data get mnist`.",
        )
    images, labels = read_idx(paths[0], 3), read_idx(paths[1], 1)
    if images.shape[1:] != (28, 28):
        raise DataError(
            f"holds images of {images.shape[1]} by {images.shape[2]} pixels; digits have 28 by 28",
            place=Place(paths[0]),
            remedy=_AGAIN,
        )
    if len(images) != len(labels):
        raise DataError(
            f"holds {len(labels)} labels for {len(images)} images",
            place=Place(paths[1]),
            remedy=_AGAIN,
        )
    if labels.size and labels.max() > 9:
        raise DataError(
            f"holds a label {labels.max()}; digits run from 0 to 9",
            place=Place(paths[1]),
            remedy=_AGAIN,
        )
    return Dataset(
        name=f"mnist-{split}",
        kind="image",
        features=images,
        labels=labels.astype(np.int64),
        classes=CLASSES,
        description=f"{len(labels)} handwritten digits of the MNIST {split} set",
        source={"path": str(folder)},
    )


def _parse_idx(file: IO[bytes], n_dimensions: int, place: Place) -> NDArray[np.uint8]:
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
