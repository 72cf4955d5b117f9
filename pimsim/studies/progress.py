"""How studies tell of their work while it goes on."""

from __future__ import annotations

from collections.abc import Callable

# (stage in words, work of the stage, work done since the last call)
Progress = Callable[[str, int, int], None]


def silent(stage: str, total: int, done: int) -> None:
    """Tell nobody."""


def labelled(progress: Progress, label: str) -> Progress:
    """The same, each stage with a label in front."""
    return lambda stage, total, done: progress(f"{label}: {stage}", total, done)
