"""Origin of a document: date, command, versions."""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any


def origin() -> dict[str, Any]:
    """Date, command line, and versions of the packages used."""
    return {
        "date_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": _command(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packages": {name: version(name) for name in ("numpy", "numba", "scipy")},
    }


def _command() -> list[str] | None:
    """Command line; None if pimsim was called from Python."""
    program = Path(sys.argv[0])
    is_pimsim = program.stem == "pimsim" or program.parts[-2:] == ("pimsim", "__main__.py")
    return ["pimsim", *sys.argv[1:]] if is_pimsim else None
