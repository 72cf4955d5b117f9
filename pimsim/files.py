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


def write_json(path: Path, content: Mapping[str, Any]) -> Path:
    """Write JSON, indented, keys in the given order."""
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    return write_whole(path, lambda file: file.write(text.encode()))


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write arrays compressed; they need no pickle to be read."""
    # its stubs take every keyword for `allow_pickle`
    return write_whole(path, lambda file: np.savez_compressed(file, **arrays))  # type: ignore[arg-type]
