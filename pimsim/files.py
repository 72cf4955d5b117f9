"""Files that appear whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import ConfigError, Place

# of a report or a table; more would take a hundred times as much memory to read
MAX_TEXT_BYTES = 1 << 24


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> Path:
    """Write a file through a neighbour of another name, moved into place when complete.

    Raises
    ------
    ConfigError
        If the folder cannot be written or the disk is full; nothing half-written stays.
    """
    if not path.name or path.is_dir():
        raise ConfigError("is a folder", place=Place(path), remedy="Name a file in it")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ConfigError(
            f"cannot be written ({error.strerror})",
            place=Place(path),
            remedy="Name a place that can be written and has room",
        ) from error
    finally:
        # gone already where all went well, or where there is no such folder at all
        if temporary.parent.is_dir():
            temporary.unlink(missing_ok=True)
    return path


def read_text(path: Path, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """The text of a file in UTF-8, whose length is looked at before it is read.

    Raises
    ------
    ConfigError
        If it cannot be read, is longer than `max_bytes`, or is no such text.
    """
    place = Place(path)
    try:
        size = path.stat().st_size
        if not path.is_file():  # reading a pipe would wait for ever
            raise ConfigError("is no file", place=place, remedy="Name a file")
        if size > max_bytes:
            raise ConfigError(f"is longer than {max_bytes} bytes", place=place)
        # spreadsheets put a mark before the text
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"cannot be read ({error.strerror})", place=place, remedy="Check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text", place=place) from error


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises
    ------
    ConfigError
        As `read_text`; or if it is no JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"is no JSON ({error})", place=Place(path)) from error


def write_json(path: Path, content: Mapping[str, Any]) -> Path:
    """Write JSON, indented, keys in the given order."""
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    return write_whole(path, lambda file: file.write(text.encode()))


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write arrays compressed; they need no pickle to be read."""
    # its stubs take every keyword for `allow_pickle`
    return write_whole(path, lambda file: np.savez_compressed(file, **arrays))  # type: ignore[arg-type]
