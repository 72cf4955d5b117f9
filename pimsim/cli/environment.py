"""A user's environment as libraries read it, looked at before any work is done.

A library that meets a value that it cannot use ends with an exception of its own, some of them
only when results are drawn or printed. So what cannot work is refused here, and what has nothing
to do with pimsim, such as a screen to draw on, is replaced.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from pimsim.errors import ConfigError, Place, shown
from pimsim.files import is_folder, look, read_text

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
    # figures are files: no screen, and none of the programs that draw on one
    os.environ["MPLBACKEND"] = "agg"
    try:
        home = Path.home()
    except RuntimeError:  # a user without an entry, as in containers: nothing is kept for the next
        home = Path(tempfile.mkdtemp(prefix="pimsim-home-"))
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        os.environ["HOME"] = str(home)
    for path in _style_files(home):
        _check_style(path)


def _style_files(home: Path) -> Iterator[Path]:
    """Files in which matplotlib looks for a user's settings when it is imported."""
    yield Path("matplotlibrc")
    if chosen := os.environ.get("MATPLOTLIBRC"):
        yield from (Path(chosen), Path(chosen) / "matplotlibrc")
    if own := os.environ.get("MPLCONFIGDIR"):
        yield Path(own) / "matplotlibrc"
    else:
        root = os.environ.get("XDG_CONFIG_HOME")
        yield (Path(root) if root else home / ".config") / "matplotlib" / "matplotlibrc"


def _check_style(path: Path) -> None:
    """Refuse settings that matplotlib would wait for, or cannot decode."""
    try:
        if look(path) is None or is_folder(path):
            return
    except ConfigError:  # matplotlib does not see it either
        return
    try:
        read_text(path, MAX_STYLE_BYTES, "a file of settings")
    except ConfigError as error:
        raise ConfigError(
            f"is where matplotlib reads its settings, and it {error.message}",
            place=Place(path),
            remedy="Remove it, or set MATPLOTLIBRC and MPLCONFIGDIR to something else",
        ) from error


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
    sys.stderr = Forgiving(sys.stderr)
