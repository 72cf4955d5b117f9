"""Origin of a document: date, command, versions, and a digest of the code."""

from __future__ import annotations

import hashlib
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any


def code_digest(package: Path) -> str:
    """SHA-256 of all Python files of a package with their names."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(package)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


# read as this process starts: files that are edited later are not what runs
CODE = code_digest(Path(__file__).parents[1])


def origin() -> dict[str, Any]:
    """Date, command line, code, and versions of the packages used."""
    return {
        "date_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": _command(),
        "code": CODE,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packages": {name: version(name) for name in ("numpy", "numba", "scipy")},
    }


def _command() -> list[str] | None:
    """Command line; None if pimsim was called from Python."""
    program = Path(sys.argv[0])
    is_pimsim = program.stem == "pimsim" or program.parts[-2:] == ("pimsim", "__main__.py")
    return ["pimsim", *sys.argv[1:]] if is_pimsim else None
