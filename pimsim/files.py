"""Reading of regular files with bounds, and writing of files that appear whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import ConfigError, PimsimError, Place

# of a report or a table; more would take a hundred times as much memory to read
MAX_TEXT_BYTES = 1 << 24
Write = Callable[[IO[bytes]], object]


def write_whole(path: Path, write: Write) -> Path:
    """Write a file under a temporary name and rename it when it is complete.

    Raises
    ------
    ConfigError
        If the folder cannot be written or the disk is full; nothing half-written stays.
    """
    return write_together([(path, write)])


def write_together(files: Sequence[tuple[Path, Write]], remove: Sequence[Path] = ()) -> Path:
    """Write files that belong together: where the last one exists, all others are complete.

    All are written under temporary names first. Then an earlier version of the last file is
    deleted, with the files to `remove`, and the new files are renamed in order. Returns the
    last path.

    Raises
    ------
    ConfigError
        As `write_whole`; what was there before is then still there.
    """
    moves: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, write in files:
            if not path.name or path.is_dir():
                raise ConfigError("is a folder", place=Place(path), remedy="Name a file in it")
            path.parent.mkdir(parents=True, exist_ok=True)
            # a name that no other process takes, here or on another machine with this folder
            temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
            moves.append((temporary, path))
            with temporary.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
        if len(moves) > 1 or any(old.exists() for old in remove):
            for old in (path, *remove):
                old.unlink(missing_ok=True)
        for temporary, path in moves:
            temporary.replace(path)
    except OSError as error:
        raise ConfigError(
            f"cannot be written ({error.strerror})",
            place=Place(path),
            remedy="Name a place that can be written and has room",
        ) from error
    finally:
        for temporary, _ in moves:
            temporary.unlink(missing_ok=True)  # gone already where all went well
    return path


@contextmanager
def folder_held(folder: Path, wait: bool = True) -> Iterator[None]:
    """Lock a folder against other pimsim processes.

    The lock ends with the process at the latest; nothing is left in the folder. File systems
    without locks give no protection.

    Raises
    ------
    ConfigError
        If the folder cannot be made; or if another process holds it and `wait` is False.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigError(
            f"cannot be written ({error.strerror})",
            place=Place(folder),
            remedy="Name a folder that you may write to",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise ConfigError(
                "is being written by another pimsim",
                place=Place(folder),
                remedy="Wait for it to end, or name another folder",
            ) from error
        except OSError:  # no locks here
            pass
        yield
    finally:
        os.close(descriptor)


@contextmanager
def open_regular(
    path: Path, kind: str, max_bytes: int, error: type[PimsimError] = ConfigError
) -> Iterator[BufferedReader]:
    """Open a regular file of limited length for reading.

    Parameters
    ----------
    path
    kind
        What is expected, with its article, such as "a YAML file".
    max_bytes
        Length of the longest file that is read.
    error
        Class of the error that is raised.

    Raises
    ------
    ConfigError, or `error`
        If the path is missing, no regular file, or too long; or if reading fails.
    """
    place = Place(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
            raise error("is no file", place=place, remedy=f"Name {kind}")
        if status.st_size > max_bytes:
            raise error(f"is longer than {max_bytes} bytes", place=place, remedy=f"Name {kind}")
        with path.open("rb") as file:
            yield file
    except OSError as failure:
        raise error(
            f"cannot be read ({failure.strerror or failure})", place=place, remedy="Check the path"
        ) from failure


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_text(path: Path, max_bytes: int = MAX_TEXT_BYTES, kind: str = "a text file") -> str:
    """Text of a UTF-8 file; its length is checked before it is read.

    Raises
    ------
    ConfigError
        If it cannot be read, is longer than `max_bytes`, or is not UTF-8.
    """
    try:
        with open_regular(path, kind, max_bytes) as file:
            # spreadsheets put a mark before the text
            return TextIOWrapper(file, encoding="utf-8-sig").read()
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text", place=Place(path)) from error


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises
    ------
    ConfigError
        As `read_text`; or if the text is not valid JSON.
    """
    text = read_text(path, kind="a JSON file")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"is no JSON ({error})", place=Place(path)) from error


def write_json(path: Path, content: Mapping[str, Any]) -> Path:
    """Write indented JSON with the keys in the given order."""
    return write_whole(path, as_json(content))


class Stored(NamedTuple):
    """An array whose bytes `copy` writes to an open file, in C order: it is never in memory."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    copy: Write


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write arrays to a compressed npz file that is read without pickle."""
    return write_whole(path, as_npz(arrays))


def as_json(content: Mapping[str, Any]) -> Write:
    """A function that writes JSON to an open file, for `write_together`."""
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    return lambda file: file.write(text.encode())


def as_npz(arrays: Mapping[str, NDArray[Any] | Stored]) -> Write:
    """A function that writes an npz file to an open file, for `write_together`."""

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                # without a date, the same arrays give the same file
                with archive.open(_entry(f"{name}.npy"), "w", force_zip64=True) as entry:
                    if isinstance(array, Stored):
                        _write_stored(entry, array)
                    else:
                        np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)

    return write


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _write_stored(file: IO[bytes], array: Stored) -> None:
    described = np.lib.format.dtype_to_descr(array.dtype)
    header = {"descr": described, "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(file, header)
    array.copy(file)
