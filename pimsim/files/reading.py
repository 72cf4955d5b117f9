"""Reading of regular files with bounds on their length, encoding and depth."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any

from pimsim.errors import ConfigError, PimsimError, Place, shown
from pimsim.files.claims import claimed_by
from pimsim.files.looking import unreadable

# of a report or a table; more would take a hundred times as much memory to read
MAX_TEXT_BYTES = 1 << 24
MAX_JSON_DEPTH = 100
_CHUNK_BYTES = 1 << 16
_UNSAID = {EOFError: "it ends too soon", MemoryError: "it asks for more memory than there is"}
_NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def open_regular(
    path: Path, kind: str, max_bytes: int, error: type[PimsimError] = ConfigError
) -> Iterator[BufferedReader[Any]]:
    """Open a regular file of limited length for reading.

    Parameters
    ----------
    path
    kind
        What is expected, with its article, such as "a YAML file".
    max_bytes
        Length of the longest file that is read. Of one that grows, no more is given.
    error
        Class of the error that is raised.

    Raises
    ------
    ConfigError, or `error`
        If the path is missing, no regular file, too long, or one that this command will overwrite;
        or if reading fails.
    """
    place = Place(path)

    def too_long() -> PimsimError:
        return error(f"is longer than {max_bytes} bytes", place=place, remedy=f"Name {kind}")

    def check(status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise error("is no file", place=place, remedy=f"Name {kind}")
        if status.st_size > max_bytes:
            raise too_long()
        by = claimed_by(status)
        if by is not None:
            remedy = "Name another place for the result"
            raise error(f"is read, and {by} would overwrite it", place=place, remedy=remedy)

    try:
        # looked at first: opening a pipe waits, and opening a device may do anything
        check(Path(path).stat())
        descriptor = os.open(path, os.O_RDONLY | _NO_WAITING)
    except ValueError as failure:
        raise error("is no name of a file", place=place, remedy=f"Name {kind}") from failure
    except OSError as failure:
        raise unreadable(path, failure, error) from failure
    try:
        with BufferedReader(_Bounded(descriptor, max_bytes, too_long), _CHUNK_BYTES) as file:
            check(os.fstat(descriptor))  # it may be another one by now
            yield file
    except OSError as failure:
        raise unreadable(path, failure, error) from failure


class _Bounded(io.FileIO):
    """An open file that is not read beyond its bound, even if it grows."""

    def __init__(self, descriptor: int, limit: int, too_long: Callable[[], PimsimError]) -> None:
        super().__init__(descriptor, "rb")
        self._limit, self._too_long = limit, too_long

    def readinto(self, buffer: Any) -> int | None:
        n = super().readinto(buffer)
        self._check()
        return n

    def readall(self) -> bytes:
        content = self.read(max(0, os.fstat(self.fileno()).st_size - self.tell()) + 1)
        # a file of /proc has no length, and one that grows has more
        more = b"".join(iter(lambda: self.read(_CHUNK_BYTES), b""))
        return content + more if more else content

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return self.readall()
        content = super().read(size)
        self._check()
        return content

    def _check(self) -> None:
        if self.tell() > self._limit:
            raise self._too_long()


def read_bytes(
    path: Path, kind: str, max_bytes: int, error: type[PimsimError] = ConfigError
) -> bytes:
    """Content of a regular file; parameters and errors are those of `open_regular`."""
    with open_regular(path, kind, max_bytes, error) as file:
        return file.read()


def sha256(path: Path, max_bytes: int = 1 << 40) -> str:
    """SHA-256 of a file's content, in hexadecimal; errors are those of `open_regular`."""
    with open_regular(path, "a file", max_bytes) as file:
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
        raise ConfigError("is not UTF-8 text", place=Place(path), remedy=f"Name {kind}") from error


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises
    ------
    ConfigError
        As `read_text`; or if the text is not what `parse_json` reads.
    """
    text = read_text(path, kind="a JSON file")
    try:
        return parse_json(text)
    except ValueError as error:
        raise ConfigError(f"is no JSON ({error})", place=Place(path)) from error


def parse_json(text: str | bytes) -> Any:
    """Content of a JSON text.

    Raises
    ------
    ValueError
        If it is none, is nested deeper than `MAX_JSON_DEPTH`, or holds NaN, Infinity or a number
        that is as large, which are no JSON and which no document of pimsim holds.
    """
    try:
        tree = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    level = [tree] if isinstance(tree, dict | list) else []
    for _ in range(MAX_JSON_DEPTH):
        below = (of.values() if isinstance(of, dict) else of for of in level)
        level = [one for values in below for one in values if isinstance(one, dict | list)]
        if not level:
            return tree
    raise ValueError("it is nested too deeply")


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{shown(text)} is too large for a number")
    return value


@contextmanager
def decoding(
    place: Place, remedy: str, error: type[PimsimError], what: str = "is damaged"
) -> Iterator[None]:
    """Turn whatever a decoder raises on damaged content into an error with its place.

    Libraries promise no list of their exceptions. Their calls alone stand in such a block.

    Raises
    ------
    `error`
        For any exception that is not pimsim's own.
    """
    try:
        yield
    except PimsimError:
        raise
    except Exception as failure:
        said = failure.strerror if isinstance(failure, OSError) else None
        said = said or " ".join(str(failure).split())[:200]
        reason = said or _UNSAID.get(type(failure), type(failure).__name__)
        raise error(f"{what} ({reason})", place=place, remedy=remedy) from failure
