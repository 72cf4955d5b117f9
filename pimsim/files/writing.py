"""Writing of files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pimsim.errors import ConfigError, Place
from pimsim.files.claims import target
from pimsim.files.looking import whole_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

try:
    import fcntl
except ImportError:  # a system without locks
    fcntl = None  # type: ignore[assignment]

Write = Callable[[IO[bytes]], object]


def write_whole(path: Path, write: Write) -> Path:
    """Write a file under a temporary name and rename it when it is complete.

    Of a link, the file is written that it leads to.

    Raises
    ------
    ConfigError
        If the path is that of a folder, device, pipe or socket, if the folder cannot be written,
        or if the disk is full; nothing half-written stays.
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
    # what is no file is refused before anything is written
    targets = [target(path) for path, _ in files]
    earlier = [target(path) for path in remove]
    path = Path()
    try:
        for entry, real in zip(files, targets, strict=True):
            path, write = entry
            real.parent.mkdir(parents=True, exist_ok=True)
            # a name that no other process takes, here or on another machine with this folder
            name = f".{real.name[:40]}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
            moves.append((real.with_name(name), real))
            with moves[-1][0].open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
        if len(moves) > 1 or any(old.exists() for old in earlier):
            for old in (targets[-1], *earlier):
                old.unlink(missing_ok=True)
        for temporary, real in moves:
            temporary.replace(real)
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

    The lock ends with the process at the latest; nothing is left in the folder, and a new folder
    that stays empty is removed. Systems and file systems without locks give no protection.

    Raises
    ------
    ConfigError
        If the folder cannot be made; or if another process holds it and `wait` is False.
    """
    real = whole_path(folder)
    try:
        is_new = not real.exists()
        real.mkdir(parents=True, exist_ok=True)
        descriptor = None if fcntl is None else os.open(real, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigError(
            f"cannot be written ({error.strerror})",
            place=Place(folder),
            remedy="Name a folder that you may write to",
        ) from error
    if descriptor is None:
        yield
        return
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
        if is_new:
            with contextlib.suppress(OSError):  # it holds something
                real.rmdir()


def short_name(text: str, most: int = 80) -> str:
    """A name for a file or folder from a text of any length, without separators."""
    kept = text.replace("/", "-").encode(errors="replace")[:most].decode(errors="ignore")
    return kept or "-"


def write_json(path: Path, content: Mapping[str, Any]) -> Path:
    """Write indented JSON with the keys in the given order."""
    return write_whole(path, as_json(content))


def write_text(path: Path, text: str) -> Path:
    """Write a text in UTF-8."""
    return write_whole(path, as_text(text))


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write arrays to a compressed npz file that is read without pickle."""
    return write_whole(path, as_npz(arrays))


def as_text(text: str) -> Write:
    """A function that writes a text to an open file, for `write_together`.

    Half of a character, as in the name of a file, is written as its number: no result is lost.
    """
    return lambda file: file.write(text.encode(errors="backslashreplace"))


def as_json(content: Mapping[str, Any]) -> Write:
    """A function that writes JSON to an open file, for `write_together`."""
    return as_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def as_npz(arrays: Mapping[str, NDArray[Any]]) -> Write:
    """A function that writes an npz file to an open file, for `write_together`."""
    import numpy as np  # the command line looks at targets before it needs arrays

    # its stubs take every keyword for `allow_pickle`
    return lambda file: np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
