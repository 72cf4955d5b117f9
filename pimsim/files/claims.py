"""Files that a command will write: looked at before it does anything, and kept from being read.

A target that cannot be written costs a user hours where it is found at the end. One that is an
input of the same command would be lost.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from pimsim.errors import ConfigError, Place
from pimsim.files.looking import whole_path

MAX_NAME_BYTES, MAX_PATH_BYTES = 255, 4095  # of Linux and of the file systems of others
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a link to itself",
}
# targets of the present command: by path, and those that exist by device and number
_paths: dict[Path, str] = {}
_files: dict[tuple[int, int], str] = {}


def target(path: Path, place: Place | None = None) -> Path:
    """The path at which a file is written: that of the file itself where `path` is a link to it.

    Raises
    ------
    ConfigError
        If there is a folder, a device, a pipe or a socket; or if no file can have such a name.
    """
    place = place or Place(path)
    _check_name(path, place)
    try:
        path.stat()  # rules of this system for links of other users
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _unwritable(error, place) from error
    real = whole_path(path)
    _check_name(real, place)
    try:
        status = real.lstat()
    except FileNotFoundError:
        return real
    except OSError as error:
        raise _unwritable(error, place) from error
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no regular file")
        remedy = "Name a file in it" if kind == "a folder" else "Name a new file, or a regular one"
        raise ConfigError(f"is {kind}", place=place, remedy=remedy)
    return real


def claim(path: Path, by: str) -> Path:
    """Check that a file can be written, and keep it from being read by this command.

    Parameters
    ----------
    path
    by
        What names it, such as "--out".

    Raises
    ------
    ConfigError
        As `target` and `check_folder`; or if the command will write another file there.
    """
    place = Place(by, None, str(path))
    real = target(path, place)
    other = _paths.get(real)
    if other is not None:
        raise ConfigError(
            f"is written by {other} as well", place=place, remedy="Name another file for one"
        )
    check_folder(real.parent, place)
    _paths[real] = by
    with contextlib.suppress(FileNotFoundError):  # a new file is nobody's input
        status = real.lstat()
        _files[status.st_dev, status.st_ino] = by
    return path


def claim_folder(folder: Path, names: Iterable[str], by: str) -> Path:
    """Check that files can be written in a folder, and keep them from being read.

    Parameters
    ----------
    names
        Of the files. One that ends in a slash is a folder, in which anything may be read.

    Raises
    ------
    ConfigError
        As `check_folder`, and as `claim` for each of the names.
    """
    check_folder(folder, Place(by, None, str(folder)))
    if whole_path(folder).is_dir():
        for name in names:
            if name.endswith("/"):
                check_folder(folder / name, Place(by, None, str(folder / name)))
            else:
                claim(folder / name, by)
    return folder


def claimed_by(status: os.stat_result) -> str | None:
    """Option that names a file as a target of this command; None if none does."""
    return _files.get((status.st_dev, status.st_ino))


def forget_claims() -> None:
    """Begin a new command."""
    _paths.clear()
    _files.clear()


def check_folder(folder: Path, place: Place | None = None) -> None:
    """Raise an error for a folder that cannot be written, before any work is done.

    Raises
    ------
    ConfigError
        If the path is a file, has a name that no folder can have, or the nearest existing folder
        above cannot be written.
    """
    place = place or Place("--out", None, str(folder))
    _check_name(folder, place)
    real = above = whole_path(folder)
    _check_name(real, place)
    try:
        while not above.exists():
            if above.is_symlink():
                raise ConfigError("is a link to itself", place=place, remedy="Name a folder")
            above = above.parent
        if not above.is_dir():
            raise ConfigError(f"cannot be a folder: {above} is a file", place=place)
        # permissions say little: of root, of a disk that is full or mounted to be read only
        with tempfile.TemporaryFile(dir=above) as file:
            file.write(b"x")
    except OSError as error:
        raise _unwritable(error, place, "a folder that you may write to") from error


def _check_name(path: Path, place: Place) -> None:
    """Refuse a name that no file has, or that no report could tell."""
    try:
        encoded = str(path).encode()
    except UnicodeEncodeError as error:
        raise ConfigError(
            "is no name in UTF-8", place=place, remedy="Name it in letters of UTF-8"
        ) from error
    parts = [os.fsencode(part) for part in path.parts]
    if len(encoded) > MAX_PATH_BYTES or max(map(len, parts), default=0) > MAX_NAME_BYTES:
        raise ConfigError(
            f"is too long for a name; {MAX_NAME_BYTES} bytes are the most",
            place=place,
            remedy="Name it shorter",
        )
    if b"\0" in encoded:
        raise ConfigError("holds a zero byte", place=place, remedy="Name it without")


def _unwritable(
    error: OSError, place: Place, what: str = "a file that you may write"
) -> ConfigError:
    return ConfigError(f"cannot be written ({error.strerror})", place=place, remedy=f"Name {what}")
