"""Reading npz files that may be hostile: nothing unpickled, sizes known before they are read."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pimsim.errors import DataError, Place
from pimsim.files import open_regular

MAX_BYTES = 1 << 28  # of one array; the training speech takes 60 MB
MAX_FILE_BYTES = 1 << 32
_CHUNK_BYTES = 1 << 18
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    TypeError,
    SyntaxError,
    tokenize.TokenError,
    RecursionError,
    RuntimeError,  # an encrypted member
    NotImplementedError,  # a compression that zipfile does not know
    MemoryError,  # a header of thousands of brackets
)


def read_npz(
    path: Path, names: Sequence[str], max_bytes: int = MAX_BYTES
) -> tuple[NDArray[Any], ...]:
    """Arrays of an npz file by their names.

    Parameters
    ----------
    path
        The file.
    names
        Of the arrays; others are left where they are.
    max_bytes : int
        Longest array that is taken.

    Raises
    ------
    DataError
        If the file is missing or damaged, lacks an array, or holds a larger one than is taken or
        one of Python objects.
    """
    place = Place(path)
    again = "Make or copy the file again."
    try:
        with (
            open_regular(path, "an npz file", MAX_FILE_BYTES, DataError) as file,
            zipfile.ZipFile(file) as archive,
        ):
            return tuple(_read_array(archive, name, max_bytes, place) for name in names)
    except KeyError as error:
        raise DataError(f"lacks an array ({error.args[0]})", place=place, remedy=again) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"cannot be read ({reason})", place=place, remedy=again) from error
    except _DAMAGE as error:
        raise DataError(f"is damaged ({error})", place=place, remedy=again) from error


def _read_array(archive: zipfile.ZipFile, name: str, max_bytes: int, place: Place) -> NDArray[Any]:
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
        # bit by bit: memory is taken for what comes, not for what is promised
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
