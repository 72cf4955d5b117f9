"""Folders that studies write into, and the bundled files that users copy out."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.config import bundled_root
from pimsim.errors import ConfigError, Place
from pimsim.files import write_npz
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
    """Refuse a folder that results could not be written to, before any work is done.

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
    if not os.access(above, os.W_OK | os.X_OK):
        raise ConfigError(
            "cannot be written", place=place, remedy="Name a folder that you may write to"
        )


def forget_bits(folder: Path) -> None:
    """Remove the bits of an earlier run, so that they do not stand beside another's report."""
    (folder / "bits.npz").unlink(missing_ok=True)


def write_bits(folder: Path, result: RunResult) -> Path:
    """Write bits.npz: predictions, labels, and every decision packed eight to a byte.

    Of the first read, where sequences are read more than once.

    The last axis of each `<name>` is packed (`numpy.unpackbits` with
    `count=<name>.n`).
    """
    arrays: dict[str, NDArray[Any]] = {
        "predictions": result.chips.predictions[:, : len(result.labels)],
        "labels": result.labels,
    }
    for name, bits in result.chips.bits.items():
        arrays[name] = np.packbits(bits, axis=-1)
        arrays[f"{name}.n"] = np.array(bits.shape[-1])
    return write_npz(folder / "bits.npz", arrays)


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
    try:
        for path, target in zip(found, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    except OSError as error:
        raise ConfigError(f"cannot be written ({error.strerror})", place=Place(folder)) from error
    return targets
