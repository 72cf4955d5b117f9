"""Images in folders, one for each class."""

from __future__ import annotations

import io
from collections.abc import Iterable
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pimsim.data.archives import MAX_FILES
from pimsim.data.dataset import FEATURE_SHAPES, MAX_FEATURE_BYTES, Dataset
from pimsim.errors import DataError, Place
from pimsim.files import decoding, entries, is_folder, read_bytes, whole_path

# formats that are decoded, by the ending of a file's name
FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".bmp": "BMP",
    ".pgm": "PPM",
    ".ppm": "PPM",
}
MAX_IMAGE_BYTES = 1 << 24
MAX_PIXELS = 1 << 24  # of one image
MAX_CLASS_FOLDERS = 10_000
_CHANNELS = {"L": (), "RGB": (3,)}
_LAYOUT = (
    "A set of images has a folder for each class and nothing but images in it, all grey or all "
    f"RGB and of one size ({' '.join(FORMATS)})"
)


def class_folders(folder: Path) -> list[Path]:
    """Subfolders of a folder in the order of their names, hidden ones left out.

    Raises
    ------
    DataError
        If there are too many.
    """
    found = []
    for path in entries(folder, DataError):
        if is_folder(path, DataError):
            found.append(path)
        if len(found) > MAX_CLASS_FOLDERS:
            raise DataError(
                f"has more than {MAX_CLASS_FOLDERS} folders", place=Place(folder), remedy=_LAYOUT
            )
    return sorted(found, key=lambda path: path.name)


def is_image_folder(folder: Path) -> bool:
    """Whether a subfolder holds a file with the name of an image."""
    return any(
        path.suffix.lower() in FORMATS
        for of_class in class_folders(folder)
        for path in entries(of_class, DataError)
    )


def load_image_folder(folder: str | Path) -> Dataset:
    """Load images from a folder with a subfolder for each class.

    Parameters
    ----------
    folder
        Folder of `<class>/<name>.png`, and the like for `FORMATS`. Files beside the subfolders,
        and hidden ones, are left out.

    Returns
    -------
    Dataset
        Pixels (n, height, width) of grey images, or (n, height, width, 3) of RGB images, uint8;
        sorted by class, then by file name. Classes are the names of the subfolders, sorted.

    Raises
    ------
    DataError
        If a file is no such image, or another one than the first in size or colours; or if there
        are no images, or too many.
    """
    folder = Path(folder)
    classes = class_folders(folder)
    paths = [_image_files(of_class) for of_class in classes]
    n = sum(map(len, paths))
    if not 0 < n <= MAX_FILES:
        raise DataError(
            f"holds {n} images; 1 to {MAX_FILES} are read", place=Place(folder), remedy=_LAYOUT
        )
    return image_set(
        decode_images(((str(path), _content(path)) for of_class in paths for path in of_class), n),
        np.repeat(np.arange(len(classes)), [len(of_class) for of_class in paths]),
        tuple(of_class.name for of_class in classes),
        whole_path(folder).name,
        {"path": str(folder)},
    )


def image_set(
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    name: str,
    source: dict[str, str],
) -> Dataset:
    """Data set of images, described by their number, size and colours."""
    height, width = pixels.shape[1:3]
    colours = "grey" if pixels.ndim == 3 else "RGB"
    return Dataset(
        pixels,
        labels,
        classes,
        name=name,
        kind="image" if pixels.shape[1:] == FEATURE_SHAPES["image"] else "tensor",
        description=f"{len(labels):,} {colours} images of {height} x {width} pixels in "
        f"{len(classes)} classes",
        source=source,
    )


def decode_images(files: Iterable[tuple[str, bytes]], n: int) -> NDArray[np.uint8]:
    """Decode image files of one size.

    Parameters
    ----------
    files
        Name and content of each.
    n : int
        Number of files.

    Returns
    -------
    (n, height, width) or (n, height, width, 3) uint8
        Pixels as they are stored.

    Raises
    ------
    DataError
        If a file is no image, neither grey nor RGB, or unlike the first; or if all together would
        be larger than any data set.
    """
    pixels: NDArray[np.uint8] | None = None
    for index, (name, content) in enumerate(files):
        image = _decode(name, content, None if pixels is None else pixels.shape[1:], n)
        if pixels is None:
            pixels = np.empty((n, *image.shape), np.uint8)
        pixels[index] = image
    assert pixels is not None
    return pixels


def _decode(name: str, content: bytes, shape: tuple[int, ...] | None, n: int) -> NDArray[np.uint8]:
    """Pixels of one of `n` images; of the given shape, if there is one."""
    from PIL import Image

    kind = FORMATS[Path(name).suffix.lower()]
    remedy = "Copy the file again, or take it out of the folder"
    with (
        decoding(Place(name), remedy, DataError, f"is no {kind} image that can be read"),
        Image.open(io.BytesIO(content), formats=(kind,)) as image,
    ):
        if image.mode not in _CHANNELS:
            raise DataError(
                f"has colours of the mode {image.mode}; grey (L) and RGB are read",
                place=Place(name),
                remedy="Convert it to one of both",
            )
        # the header says the size; nothing is decoded before it is known to be right
        found = (image.size[1], image.size[0], *_CHANNELS[image.mode])
        if shape is None:
            _check_size(name, found, n)
        elif found != shape:
            raise DataError(
                f"has {' x '.join(map(str, found))} values, and the images before it have "
                f"{' x '.join(map(str, shape))}",
                place=Place(name),
                remedy=_LAYOUT,
            )
        return np.asarray(image)


def _check_size(name: str, shape: tuple[int, ...], n: int) -> None:
    """Refuse images that have too many pixels, each or all together."""
    if shape[0] * shape[1] > MAX_PIXELS or n * prod(shape) > MAX_FEATURE_BYTES:
        raise DataError(
            f"is one of {n} images of {' x '.join(map(str, shape))} values; {MAX_PIXELS} pixels "
            f"each and {MAX_FEATURE_BYTES} bytes together are the most",
            place=Place(name),
            remedy="Take fewer or smaller images",
        )


def _image_files(folder: Path) -> list[Path]:
    """Images of a class, in the order of their names."""
    found = []
    for path in entries(folder, DataError):
        if path.suffix.lower() not in FORMATS:
            raise DataError("is no image that pimsim reads", place=Place(path), remedy=_LAYOUT)
        found.append(path)
        if len(found) > MAX_FILES:
            break  # refused with the others
    return sorted(found, key=lambda path: path.name)


def _content(path: Path) -> bytes:
    return read_bytes(path, "an image", MAX_IMAGE_BYTES, DataError)
