"""Folders that studies write into, and the bundled files that users copy out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.config import bundled_root
from pimsim.errors import ConfigError, Place
from pimsim.files import (
    Stored,
    Write,
    as_json,
    as_npz,
    as_text,
    entries,
    folder_held,
    look,
    read_bytes,
    short_name,
    write_together,
    write_whole,
)
from pimsim.studies.bits import BitStore
from pimsim.studies.run import RunResult

# what users copy out: folders, and the endings of the files in them
MODELS = {
    "models": (".yaml", ".safetensors"),
    "models/paper": (".safetensors",),
    "models/train": (".yaml",),
}
MAX_BUNDLED_BYTES = 1 << 27


def default_folder(model: str | Path) -> Path:
    """A folder of its own for every run: runs/<model>-<date>-<time>-<process>."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    # the process number keeps apart what was started together
    return Path("runs") / f"{short_name(Path(model).stem)}-{stamp}-{os.getpid()}"


def write_run(
    folder: Path,
    report: Mapping[str, Any],
    page: str | None = None,
    bits: Mapping[str, NDArray[Any] | Stored] | None = None,
) -> Path:
    """Write a run's report.json, its page and the arrays of `bits_of`; returns the report's path.

    Never does a report stand beside the page or bits of another run, not even where two end at
    once.
    """
    files: list[tuple[Path, Write]] = []
    if page is not None:
        files.append((folder / "report.html", as_text(page)))
    if bits is not None:
        files.append((folder / "bits.npz", as_npz(bits)))
    files.append((folder / "report.json", as_json(report)))
    earlier = [folder / "report.html", folder / "bits.npz"]
    with folder_held(folder):
        return write_together(files, remove=earlier)


def bits_of(result: RunResult) -> dict[str, NDArray[Any] | Stored]:
    """Arrays of bits.npz: predictions, labels, and every decision of the chips.

    Of the first read, where sequences are read more than once.

    Bits are packed eight to a byte along the last axis of each `<name>` (`numpy.unpackbits` with
    `count=<name>.n`). The codes of a chip whose neurons have several bits are stored as they
    are, one to a byte.
    """
    kept = result.chips.bits
    of_first_read = len(result.prepared.data) * result.measured.predictions_each
    return {
        "predictions": result.chips.predictions[:, :of_first_read].astype(np.int64),
        "labels": result.labels,
        **(kept.arrays() if isinstance(kept, BitStore) else {}),
    }


# folders of files by the kind of their schema
KINDS = {
    "hwconfigs/devices": "device",
    "hwconfigs/chips": "chip",
    "hwconfigs/technology": "technology",
    "models": "model",
    "models/train": "recipe",
}


def copy_bundled(folder: Path, schemas: Mapping[str, Any]) -> list[Path]:
    """Copy models and hardware files; existing files are never overwritten.

    A copy that was stopped goes on: files that are there already, as they come, stay.

    Parameters
    ----------
    folder
    schemas
        JSON Schemas by kind, written to `schemas`; files of these kinds begin with a line that
        names theirs to editors.

    Raises
    ------
    ConfigError
        If one of the files exists already with another content, or the folder cannot be written.
    """
    root = bundled_root()
    wanted = {root / name: endings for name, endings in MODELS.items()}
    wanted |= dict.fromkeys(entries(root / "hwconfigs"), (".yaml",))
    found = sorted(
        path
        for inside, endings in wanted.items()
        for path in entries(inside)
        if path.suffix in endings
    )
    names = {path: path.relative_to(root) for path in found}
    contents = {folder / name: _line_for(name, schemas) + _content(path)
                for path, name in names.items()}  # fmt: skip
    for kind, schema in schemas.items():
        contents[folder / "schemas" / f"{kind}.json"] = json.dumps(schema, indent=2).encode()
    present = [path for path in contents if look(path) is not None]
    for path in present:
        if _content(path) != contents[path]:
            raise ConfigError(
                "exists already", place=Place(path), remedy="Name an empty or a new folder"
            )
    for path, content in contents.items():
        if path not in present:
            write_whole(path, lambda file, content=content: file.write(content))  # type: ignore[misc]
    return list(contents)


def _line_for(name: Path, schemas: Mapping[str, Any]) -> bytes:
    """First line of a file, by which editors find its schema; nothing for other files."""
    kind = KINDS.get(name.parent.as_posix())
    if kind not in schemas or name.suffix != ".yaml":
        return b""
    up = "../" * len(name.parent.parts)
    return f"# yaml-language-server: $schema={up}schemas/{kind}.json\n".encode()


def _content(path: Path) -> bytes:
    return read_bytes(path, "a file of pimsim", MAX_BUNDLED_BYTES)
