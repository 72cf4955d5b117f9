"""Errors that a user can act on.

Every error that comes from what a user gave us is a `PimsimError`: the command
line prints its text and leaves with exit code 2. Anything else that escapes is
a defect of pimsim and keeps its traceback.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where a value came from: a file, its line (1-based) and a dotted key."""

    file: Path | str
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        key = "" if not self.key else f": {self.key}"
        return f"{self.file}{line}{key}"


class PimsimError(Exception):
    """Bad input, told by place, value and remedy.

    Parameters
    ----------
    message
        What is wrong, with the value in it.
    place
        File, line and key of the value, where known.
    remedy
        What to do about it, as a sentence.
    """

    def __init__(self, message: str, *, place: Place | None = None, remedy: str = "") -> None:
        self.message = message
        self.place = place
        self.remedy = remedy
        text = message if place is None else f"{place} {message}"
        super().__init__(f"{text}. {remedy}" if remedy else text)


class ConfigError(PimsimError):
    """A YAML file or a `--set` that does not describe anything pimsim knows."""


class DataError(PimsimError):
    """A data set, recording or network file that cannot be used as it is."""


class MappingError(PimsimError):
    """A network that does not fit on the chip."""


class DistributionError(PimsimError):
    """Workers on other processes or machines that cannot do what they were asked to."""


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def shown(value: object) -> str:
    """A value as a message shows it: on one line, cut where it is long."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # an integer of thousands of digits
        return f"a {type(value).__name__} of great length"


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that names the known word nearest to `name`, or all of them."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"Known here: {', '.join(known)}"
