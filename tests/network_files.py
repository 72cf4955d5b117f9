"""Network files that are changed by hand, for tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file


def header_of(path: Path) -> dict[str, Any]:
    """Header of a network file."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header: dict[str, Any] = json.loads(json.loads(raw[8 : 8 + size])["__metadata__"]["pimsim"])
    return header


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], Any]) -> None:
    """Write the file anew with a changed header and tensors."""
    header, tensors = header_of(path), load_file(path)
    change(header, tensors)
    save_file(tensors, path, metadata={"pimsim": json.dumps(header)})
