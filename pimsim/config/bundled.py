"""Files that come with pimsim, found by name from anywhere."""

from __future__ import annotations

import os
from pathlib import Path

from pimsim.errors import ConfigError, Place, nearest
from pimsim.files import entries, is_file, is_folder, look

_PACKAGE = Path(__file__).resolve().parents[1]
FOLDERS = {
    "device": "hwconfigs/devices",
    "chip": "hwconfigs/chips",
    "technology": "hwconfigs/technology",
    "validation": "hwconfigs/validation",
    "published": "hwconfigs/published",
    "model": "models",
    "recipe": "models/train",
}


def bundled_root() -> Path:
    """Folder that holds hwconfigs/ and models/: the checkout, or the inside of the wheel."""
    inside_wheel = _PACKAGE / "bundled"
    return inside_wheel if is_folder(inside_wheel / "hwconfigs") else _PACKAGE.parent


def bundled_names(kind: str) -> list[str]:
    """Names of the bundled files of a kind, one of `FOLDERS`."""
    found = entries(bundled_root() / FOLDERS[kind])
    return sorted(path.stem for path in found if path.suffix == ".yaml")


def find_config(name: str, kind: str, place: Place, base: Path | None = None) -> Path:
    """Path of a file given by path or by the name of a bundled file.

    A path that exists (relative to `base`, else to the working folder) comes
    first, then a bundled file of that name, with or without `.yaml`.

    Raises
    ------
    ConfigError
        If neither exists; the message names the nearest bundled file. Or if the path is that of a
        folder, pipe or device, or cannot be looked at.
    """
    written = Path(os.path.normpath((base or Path()) / name))
    if is_file(written):
        return written
    stem = name.removesuffix(".yaml")
    if stem in bundled_names(kind):
        return bundled_root() / FOLDERS[kind] / f"{stem}.yaml"
    if look(written) is not None:
        raise ConfigError(f"names '{name}', which is no file", place=place, remedy="Name a file")
    raise ConfigError(
        f"names '{name}', and there is no such file nor a bundled {kind}",
        place=place,
        remedy=nearest(Path(stem).name, bundled_names(kind)),
    )
