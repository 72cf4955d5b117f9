"""What libraries read from a user's environment, looked at before any work is done.

A library that meets a value that it cannot use ends with an exception of its own, some of them
only when results are drawn or printed. So what cannot work is refused here, and what has nothing
to do with pimsim, such as a screen to draw on, is replaced.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from pimsim.errors import ConfigError, Place, shown

MAX_THREADS = 4096
MAX_STYLE_BYTES = 1 << 20
OPTIMISATIONS = ("0", "1", "2", "3", "max")
LAYERS = ("default", "safe", "forksafe", "threadsafe", "tbb", "omp", "workqueue")


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= MAX_THREADS


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 12


# variable -> whether a value can be used, and what is wanted
VARIABLES: dict[str, tuple[Callable[[str], bool], str]] = {
    "NUMBA_NUM_THREADS": (_is_count, f"a whole number from 1 to {MAX_THREADS}"),
    "NUMBA_OPT": (OPTIMISATIONS.__contains__, f"one of {', '.join(OPTIMISATIONS)}"),
    "NUMBA_THREADING_LAYER": (LAYERS.__contains__, f"one of {', '.join(LAYERS)}"),
    "SOURCE_DATE_EPOCH": (_is_time, "seconds since 1970, a whole number"),
}


def check_environment() -> None:
    """Refuse an environment in which a library would fail later, and settle what is missing.

    Raises
    ------
    ConfigError
        For the first variable or file of settings that cannot be used.
    """
    for name, (fits, wanted) in VARIABLES.items():
        value = os.environ.get(name)
        if value is not None and not fits(value):
            raise ConfigError(
                f"is {shown(value)}; it must be {wanted}",
                place=Place(f"environment variable {name}"),
                remedy=f"Unset it with `unset {name}`",
            )
    for path in _style_files():
        _check_style(path)
    # figures are files: no screen, and none of the programs that draw on one
    os.environ["MPLBACKEND"] = "agg"
    try:
        Path.home()
    except RuntimeError:  # a user without an entry, as in containers: nothing is kept for the next
        home = tempfile.mkdtemp(prefix="pimsim-home-")
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        os.environ["HOME"] = home


def _style_files() -> Iterator[Path]:
    """Files in which matplotlib looks for a user's settings when it is imported."""
    yield Path("matplotlibrc")
    if chosen := os.environ.get("MATPLOTLIBRC"):
        yield from (Path(chosen), Path(chosen) / "matplotlibrc")
    folder = os.environ.get("MPLCONFIGDIR") or os.path.expanduser("~/.config/matplotlib")  # noqa: PTH111
    if root := os.environ.get("XDG_CONFIG_HOME"):
        yield Path(root) / "matplotlib" / "matplotlibrc"
    yield Path(folder) / "matplotlibrc"


def _check_style(path: Path) -> None:
    """Refuse settings that matplotlib would wait for, or cannot decode."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # it is not there, and matplotlib looks no further either
        return
    if stat.S_ISDIR(status.st_mode):
        return
    problem = ""
    if not stat.S_ISREG(status.st_mode):
        problem = "is no file"
    elif status.st_size > MAX_STYLE_BYTES:
        problem = f"is longer than {MAX_STYLE_BYTES} bytes"
    else:
        try:
            path.read_bytes().decode()
        except OSError as error:
            problem = f"cannot be read ({error.strerror})"
        except UnicodeDecodeError:
            problem = "is not UTF-8 text"
    if problem:
        raise ConfigError(
            f"is where matplotlib reads its settings, and it {problem}",
            place=Place(path),
            remedy="Remove it, or set MATPLOTLIBRC and MPLCONFIGDIR to something else",
        )


class Forgiving:
    """A stream for what is said in passing: where it cannot be written, the work goes on."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def settle_streams() -> None:
    """Let every letter be printed on every terminal, and messages that cannot be written go.

    A letter that the terminal's encoding lacks is written out as its number.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.stderr = Forgiving(sys.stderr)  # type: ignore[assignment]
