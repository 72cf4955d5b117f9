"""Folders that studies write into, and the bundled files that users copy out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.config import bundled_root
from pimsim.errors import ConfigError, Place
from pimsim.files import Write, as_json, as_npz, folder_held, write_together, write_whole
from pimsim.studies.run import RunResult

BUNDLED = (
    "models/*.yaml",
    "models/*.safetensors",
    "models/paper/*.safetensors",
    "models/train/*.yaml",
    "hwconfigs/*/*.yaml",
)


def default_folder(model: str | Path) -> Path:
    """A folder of its own for every run: runs/<model>-<date>-<time>-<process>."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    # the process number keeps apart what was started together
    return Path("runs") / f"{Path(model).stem}-{stamp}-{os.getpid()}"


def check_folder(folder: Path) -> None:
    """Raise an error for a folder that cannot be written, before any work is done.

    Raises
    ------
    ConfigError
        If the path is a file, or the nearest existing folder above cannot be written.
    """
    place = Place("--out", None, str(folder))
    above = folder
    try:
        while not above.exists():
            above = above.parent
    except OSError as error:
        raise ConfigError(f"cannot be a folder ({error.strerror})", place=place) from error
    if not above.is_dir():
        raise ConfigError(f"cannot be a folder: {above} is a file", place=place)
    try:
        # permissions say little: of root, of a disk that is full or mounted to be read only
        with tempfile.TemporaryFile(dir=above) as file:
            file.write(b"x")
    except OSError as error:
        raise ConfigError(
            f"cannot be written ({error.strerror})",
            place=place,
            remedy="Name a folder that you may write to",
        ) from error


def write_run(
    folder: Path,
    report: Mapping[str, Any],
    page: str | None = None,
    bits: Mapping[str, NDArray[Any]] | None = None,
) -> Path:
    """Write a run's report.json, its page and the arrays of `bits_of`; returns the report's path.

    Never does a report stand beside the page or bits of another run, not even where two end at
    once.
    """
    files: list[tuple[Path, Write]] = []
    if page is not None:
        files.append((folder / "report.html", lambda file: file.write(page.encode())))
    if bits is not None:
        files.append((folder / "bits.npz", as_npz(bits)))
    files.append((folder / "report.json", as_json(report)))
    earlier = [folder / "report.html", folder / "bits.npz"]
    with folder_held(folder):
        return write_together(files, remove=earlier)


def bits_of(result: RunResult) -> dict[str, NDArray[Any]]:
    """Arrays of bits.npz: predictions, labels, and every decision of the chips.

    Of the first read, where sequences are read more than once.

    Bits are packed eight to a byte along the last axis of each `<name>` (`numpy.unpackbits` with
    `count=<name>.n`). The codes of a chip whose neurons have several bits are stored as they
    are, one to a byte.
    """
    binary = result.chip.layout.drive.bits == 1
    of_first_read = len(result.prepared.data) * result.measured.predictions_each
    arrays: dict[str, NDArray[Any]] = {
        "predictions": result.chips.predictions[:, :of_first_read].astype(np.int64),
        "labels": result.labels,
    }
    for name, bits in result.chips.bits.items():
        arrays[name] = bits
        if binary:
            arrays[name] = np.packbits(bits, axis=-1)
            arrays[f"{name}.n"] = np.array(bits.shape[-1])
    return arrays


def copy_bundled(folder: Path) -> list[Path]:
    """Copy models and hardware files; existing files are never overwritten.

    Raises
    ------
    ConfigError
        If one of the files exists already, or the folder cannot be written.
    """
    root = bundled_root()
    found = sorted(path for pattern in BUNDLED for path in root.glob(pattern))
    targets = [folder / path.relative_to(root) for path in found]
    for target in targets:
        if target.exists():
            raise ConfigError(
                "exists already", place=Place(target), remedy="Name an empty or a new folder"
            )
    for path, target in zip(found, targets, strict=True):
        content = path.read_bytes()
        write_whole(target, lambda file, content=content: file.write(content))  # type: ignore[misc]
    return targets
