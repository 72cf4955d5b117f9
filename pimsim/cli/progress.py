"""Progress bars for the stages of a study."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from pimsim.report.terminal import terminal


@contextmanager
def stages(unit: str = "inferences") -> Iterator[tuple[Console, Callable[[str, int, int], None]]]:
    """A console for results, and a progress callback that draws one bar per stage on stderr."""
    bars = Progress(
        TextColumn("{task.description:<18}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        console=terminal(sys.stderr),
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def progress(stage: str, total: int, done: int) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total)
            if not bars.console.is_terminal:
                # a log gets a line for each stage instead of a bar
                bars.console.print(f"{stage}: {total} {unit}", highlight=False)
        bars.update(tasks[stage], advance=done)
        # a study of a hundred stages shows those at work
        bars.update(tasks[stage], visible=not bars.tasks[tasks[stage]].finished)

    with bars:
        yield terminal(), progress
