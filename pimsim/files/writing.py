"""Writing of files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from pimsim.errors import ConfigError, Place
from pimsim.files.claims import target
from pimsim.files.looking import whole_path

if TYPE_CHECKING:
    import numpy as np
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
    # what is no file is refused before anything is written
    targets = [target(path) for path, _ in files]
    earlier = [target(path) for path in remove]
    held = _held.get()
    moves: list[_Move] = []
    try:
        for (path, write), real in zip(files, targets, strict=True):
            moves.append(_write(path, real, write))
        if held is None:
            _appear(moves, earlier)
        else:
            held += moves
            moves = []
    finally:
        for move in moves:
            move.temporary.unlink(missing_ok=True)  # gone already where all went well
    return files[-1][0]


class _Move(NamedTuple):
    """A file that is complete under a temporary name, its target, and how the user names that."""

    temporary: Path
    target: Path
    path: Path


# files that are held back until the last of a study is complete
_held: ContextVar[list[_Move] | None] = ContextVar("held", default=None)


@contextmanager
def study_written(last: Path) -> Iterator[None]:
    """Files that are written inside belong together: all of them appear at the end, or none.

    Parameters
    ----------
    last
        The one that appears last: where it exists, all others are of the same study.
    """
    moves: list[_Move] = []
    token = _held.set(moves)
    try:
        try:
            yield
        finally:
            _held.reset(token)
        real = target(last)
        _appear(sorted(moves, key=lambda move: move.target == real), [])
    finally:
        for move in moves:
            move.temporary.unlink(missing_ok=True)


def _write(path: Path, real: Path, write: Write) -> _Move:
    """Write a file under a name that no other process takes, here or on another machine."""
    temporary = real.with_name(f".{real.name[:40]}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:  # Ctrl-C too
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritten(path, error) from error
        raise
    return _Move(temporary, real, path)


def _appear(moves: Sequence[_Move], earlier: Sequence[Path]) -> None:
    """Rename complete files in order; the last one is away while the others change."""
    if not moves:
        return
    at = moves[-1]
    try:
        if len(moves) > 1 or any(old.exists() for old in earlier):
            for old in (at.target, *earlier):
                old.unlink(missing_ok=True)
        for at in moves:
            at.temporary.replace(at.target)
    except OSError as error:
        raise _unwritten(at.path, error) from error


def _unwritten(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"cannot be written ({error.strerror})",
        place=Place(path),
        remedy="Name a place that can be written and has room",
    )


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


def as_npz(arrays: Mapping[str, NDArray[Any] | Stored]) -> Write:
    """A function that writes an npz file to an open file, for `write_together`."""
    import numpy as np  # the command line looks at targets before it needs arrays

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for name, array in arrays.items():
                # without a date, the same arrays give the same file
                entry = zipfile.ZipInfo(f"{name}.npy")
                entry.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(entry, "w", force_zip64=True) as inside:
                    if isinstance(array, Stored):
                        array.write(inside)
                    else:
                        values = np.asanyarray(array)
                        np.lib.format.write_array(inside, values, allow_pickle=False)

    return write


class Stored(NamedTuple):
    """An array on disk: `copy` writes its bytes to an open file, in C order."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    copy: Write

    def write(self, file: IO[bytes]) -> None:
        """Write the array in numpy's format, without reading it into memory."""
        from numpy.lib import format

        described = format.dtype_to_descr(self.dtype)
        header = {"descr": described, "fortran_order": False, "shape": self.shape}
        format.write_array_header_1_0(file, header)
        self.copy(file)
