"""Progress callbacks of studies."""

from __future__ import annotations

from collections.abc import Callable

# (stage in words, work of the stage, work done since the last call)
Progress = Callable[[str, int, int], None]


def silent(stage: str, total: int, done: int) -> None:
    """Callback that reports nothing."""


def labelled(progress: Progress, label: str) -> Progress:
    """Callback that puts a label in front of each stage."""
    return lambda stage, total, done: progress(f"{label}: {stage}", total, done)
