"""Errors that a user can act on.

Every error caused by the user's input is a `PimsimError`: the command line prints its
text and ends with exit code 2. Any other exception is a defect of pimsim and keeps its
traceback.
"""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Place of a value: a file, its line (1-based) and a dotted key."""

    file: Path | str
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        key = "" if not self.key else f": {self.key}"
        return f"{self.file}{line}{key}"


class PimsimError(Exception):
    """An error in the user's input, with its place, the value and a remedy.

    Parameters
    ----------
    message
        What is wrong, including the value.
    place
        File, line and key of the value, where known.
    remedy
        What to do about it, as a sentence.
    others
        Further errors of the same file; they follow in the text, a line for each.
    """

    def __init__(
        self,
        message: str,
        *,
        place: Place | None = None,
        remedy: str = "",
        others: Sequence[PimsimError] = (),
    ) -> None:
        self.message = message
        self.place = place
        self.remedy = remedy
        self.others = tuple(others)
        text = message if place is None else f"{place} {message}"
        own = printable(f"{text}. {remedy}" if remedy else text)
        self.texts: tuple[str, ...] = (own, *(said for other in others for said in other.texts))
        super().__init__("\n".join(self.texts))


class ConfigError(PimsimError):
    """An error in a YAML file or an option: unknown keys, wrong values, unreadable files."""


class DataError(PimsimError):
    """An error in a data set, a recording or a network file."""


class MappingError(PimsimError):
    """An error in mapping: the network does not fit on the chip."""


class TrainingError(PimsimError):
    """An error of a training that cannot go on: it diverges, or memory does not suffice."""


class DistributionError(PimsimError):
    """An error of workers in other processes or on other machines."""


# characters that act on a terminal or on the order of letters, and halves of pairs: line feed and
# tabulator are none of them
_NO_LETTERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]"
)


def printable(text: str) -> str:
    """A text for a terminal, a page or a file: what is no letter is written out as its number."""
    return _NO_LETTERS.sub(lambda found: _written_out(found[0]), text)


def unprintable(text: str) -> str:
    """The first character that `printable` would write out, written out; empty without one."""
    found = _NO_LETTERS.search(text)
    return "" if found is None else _written_out(found[0])


def _written_out(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def shown(value: object) -> str:
    """Text of a value for a message: on one line, shortened if it is long."""
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
