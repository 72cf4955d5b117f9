"""Safe reading of untrusted npz files: no pickle, sizes checked before reading."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pimsim.errors import DataError, Place, nearest, shown
from pimsim.files import decoding, open_regular

MAX_BYTES = 1 << 28  # of one array; the training speech takes 60 MB
MAX_FILE_BYTES = 1 << 30
_CHUNK_BYTES = 1 << 18
_AGAIN = "Make or copy the file again."


def read_npz(
    path: Path, names: Sequence[str], max_bytes: int = MAX_BYTES
) -> tuple[NDArray[Any], ...]:
    """Read arrays of an npz file by their names.

    Parameters
    ----------
    path
        The file.
    names
        Names of the arrays to read; other arrays are ignored.
    max_bytes : int
        Size of the largest array that is accepted.

    Raises
    ------
    DataError
        If the file is missing or damaged, lacks an array, or holds one that is too large or
        consists of Python objects.
    """
    place = Place(path)
    with _opened(path) as archive:
        return tuple(_read_array(archive, name, max_bytes, place) for name in names)


def read_whole_npz(
    path: Path, required: Mapping[str, int], optional: Mapping[str, int]
) -> dict[str, NDArray[Any]]:
    """Read all arrays of an npz file, which may hold no others.

    Parameters
    ----------
    path
        The file.
    required, optional
        Size of the largest array that is accepted under each name [bytes].

    Raises
    ------
    DataError
        As `read_npz`; or if the file holds an array of another name, or one twice.
    """
    place, known = Place(path), {**required, **optional}
    with _opened(path) as archive:
        members = archive.namelist()
        names = [member.removesuffix(".npy") for member in members]
        for member, name in zip(members, names, strict=True):
            if name not in known or not member.endswith(".npy"):
                raise DataError(
                    f"holds {shown(name)}, which is not known here",
                    place=place,
                    remedy=nearest(name, known),
                )
            if names.count(name) > 1:
                raise DataError(f"holds '{name}' twice", place=place, remedy=_AGAIN)
        missing = [name for name in required if name not in names]
        if missing:
            raise DataError(
                f"lacks an array '{missing[0]}'",
                place=place,
                remedy=f"An npz file of data holds {' and '.join(required)}",
            )
        return {name: _read_array(archive, name, known[name], place) for name in names}


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    with (
        open_regular(path, "an npz file", MAX_FILE_BYTES, DataError) as file,
        decoding(Place(path), _AGAIN, DataError),
        zipfile.ZipFile(file) as archive,
    ):
        yield archive


def _read_array(archive: zipfile.ZipFile, name: str, max_bytes: int, place: Place) -> NDArray[Any]:
    if f"{name}.npy" not in archive.namelist():
        raise DataError(f"lacks an array '{name}'", place=place, remedy=_AGAIN)
    with archive.open(f"{name}.npy") as member:
        shape, by_columns, dtype = _read_header(member)
        if dtype.hasobject:
            raise DataError(f"holds Python objects in '{name}'", place=place)
        size = prod(shape) * dtype.itemsize
        if size > max_bytes:
            raise DataError(
                f"promises an array '{name}' of {size} bytes; {max_bytes} are the most",
                place=place,
            )
        # in chunks: memory grows with the bytes that exist, not with the size in the header
        content = bytearray()
        while chunk := member.read(min(_CHUNK_BYTES, size - len(content))):
            content += chunk
        if len(content) < size or member.read(1):
            raise ValueError(f"'{name}' is not as long as its header says")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if by_columns else "C")


def _read_header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(member)
    if version == (1, 0):
        return npy.read_array_header_1_0(member)
    if version == (2, 0):
        return npy.read_array_header_2_0(member)
    raise ValueError(f"version {version[0]}.{version[1]} of the npy format")
