"""Files that appear whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import ConfigError, PimsimError, Place

# of a report or a table; more would take a hundred times as much memory to read
MAX_TEXT_BYTES = 1 << 24
Write = Callable[[IO[bytes]], object]


def write_whole(path: Path, write: Write) -> Path:
    """Write a file through a neighbour of another name, moved into place when complete.

    Raises
    ------
    ConfigError
        If the folder cannot be written or the disk is full; nothing half-written stays.
    """
    return write_together([(path, write)])


def write_together(files: Sequence[tuple[Path, Write]], remove: Sequence[Path] = ()) -> Path:
    """Write files that belong together; the last is their seal: where it is, the others are.

    All are complete before the first is moved into place; then an earlier seal goes, with the
    files to `remove`, before those that it stood for change. Returns the last path.

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
            # of no other process, on this machine or another that shares the folder
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
    """Keep other processes that ask for the same folder waiting, or refuse it.

    The hold ends with the process at the latest; nothing is left in the folder. On file
    systems without locks it holds nobody.

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


def open_regular(
    path: Path, kind: str, max_bytes: int, error: type[PimsimError] = ConfigError
) -> BufferedReader:
    """Open a file that a user named, to read its bytes.

    Parameters
    ----------
    path
        The file; pipes, devices and folders are refused, since reading a pipe would wait for ever.
    kind
        What is expected, such as `a YAML file`; the error's remedy says so.
    max_bytes : int
        Longest file that is opened.
    error
        Class of the error that is raised.

    Raises
    ------
    PimsimError
        Of class `error`, if there is no such file, or it is too long.
    """
    place = Place(path)
    try:
        # without O_NONBLOCK, to open a pipe would wait for its writer
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as caught:
        raise error(
            f"cannot be read ({caught.strerror})", place=place, remedy="Check the path"
        ) from caught
    file = None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise error("is no file", place=place, remedy=f"Name {kind}")
        if found.st_size > max_bytes:
            raise error(f"is longer than {max_bytes} bytes", place=place, remedy=f"Name {kind}")
        file = os.fdopen(descriptor, "rb")
    finally:
        if file is None:
            os.close(descriptor)
    return file


def read_text(path: Path, kind: str = "a file", max_bytes: int = MAX_TEXT_BYTES) -> str:
    """The text of a file in UTF-8, whose length is looked at before it is read.

    Raises
    ------
    ConfigError
        As `open_regular`; or if it is no such text.
    """
    place = Place(path)
    try:
        with open_regular(path, kind, max_bytes) as file:
            # spreadsheets put a mark before the text
            return file.read().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", place=place) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            "is not UTF-8 text", place=place, remedy=f"{kind[0].upper()}{kind[1:]} is expected here"
        ) from error


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises
    ------
    ConfigError
        As `read_text`; or if it is no JSON.
    """
    text = read_text(path, "a JSON file")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"is no JSON ({error})", place=Place(path)) from error


def write_json(path: Path, content: Mapping[str, Any]) -> Path:
    """Write JSON, indented, keys in the given order."""
    return write_whole(path, as_json(content))


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write arrays compressed; they need no pickle to be read."""
    return write_whole(path, as_npz(arrays))


def as_json(content: Mapping[str, Any]) -> Write:
    """What `write_json` puts into a file, for `write_together`."""
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    return lambda file: file.write(text.encode())


def as_npz(arrays: Mapping[str, NDArray[Any]]) -> Write:
    """What `write_npz` puts into a file, for `write_together`."""
    # its stubs take every keyword for `allow_pickle`
    return lambda file: np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
