"""Status of paths: a missing file is told from one that may not be read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pimsim.errors import ConfigError, PimsimError, Place

# no file can be there, whatever the rights
_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


def look(path: Path, error: type[PimsimError] = ConfigError) -> os.stat_result | None:
    """Status of the file at a path, links followed; None where there is none.

    Raises
    ------
    ConfigError, or `error`
        If it cannot be told: a folder on the way is closed to this user, or links go in circles.
    """
    try:
        return Path(path).stat()
    except ValueError:  # no file has such a name: it holds a zero byte, or is no text
        return None
    except OSError as failure:
        if failure.errno in _MISSING:
            return None
        raise unreadable(path, failure, error) from failure


def is_file(path: Path, error: type[PimsimError] = ConfigError) -> bool:
    """Whether a regular file stands at a path; errors are those of `look`."""
    status = look(path, error)
    return status is not None and stat.S_ISREG(status.st_mode)


def is_folder(path: Path, error: type[PimsimError] = ConfigError) -> bool:
    """Whether a folder stands at a path; errors are those of `look`."""
    status = look(path, error)
    return status is not None and stat.S_ISDIR(status.st_mode)


def entries(folder: Path, error: type[PimsimError] = ConfigError) -> Iterator[Path]:
    """Paths in a folder in any order, hidden ones left out; none where there is no folder.

    Raises
    ------
    ConfigError, or `error`
        If the folder may not be read.
    """
    try:
        with os.scandir(folder) as found:
            for entry in found:
                if not entry.name.startswith("."):
                    yield folder / entry.name
    except ValueError:  # as in `look`
        return
    except OSError as failure:
        if failure.errno not in _MISSING:
            raise unreadable(folder, failure, error) from failure


def whole_path(path: Path) -> Path:
    """Absolute path with its links followed, also of a path that may not be read."""
    return Path(os.path.realpath(path))


def unreadable(path: Path, failure: OSError, error: type[PimsimError]) -> PimsimError:
    """The error for a path that cannot be read, with its reason."""
    reason = failure.strerror or failure
    is_denied = failure.errno in (errno.EACCES, errno.EPERM)
    remedy = "Check the path and who may read it" if is_denied else "Check the path"
    return error(f"cannot be read ({reason})", place=Place(path), remedy=remedy)
