"""Picture of an inference as it goes through the components of a chip."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from pimsim.report.charts import REST, legend_below, rows_of_bars
from pimsim.report.documents.layers import TimelineFacts
from pimsim.report.figures import COLOURS

# of a row
HEIGHT = 0.46


def draw_timeline(figure: Figure, facts: TimelineFacts, clock: float) -> None:
    """Span of each component's operations, and the share of the time that it is at work.

    Parameters
    ----------
    clock
        [Hz]
    """
    to_us = 1e6 / clock
    names = [stage.component for stage in facts.stages]
    axes = rows_of_bars(figure, names, "time [\N{MICRO SIGN}s]")
    for place, stage in enumerate(facts.stages):
        edges = np.linspace(0.0, facts.cycles * to_us, len(stage.at_work) + 1)
        first, last = stage.first_cycle * to_us, stage.last_cycle * to_us
        bottom = place + HEIGHT / 2
        axes.barh(place, last - first, HEIGHT, left=first, color=REST, alpha=0.45,
                  label="first to last operation" if place == 0 else None)  # fmt: skip
        # upwards from the lower edge of the row, whose axis points down
        axes.fill_between(
            np.repeat(edges, 2)[1:-1], bottom, bottom - HEIGHT * np.repeat(stage.at_work, 2),
            color=COLOURS[0], linewidth=0,
            label="share of the time at work" if place == 0 else None,
        )  # fmt: skip
    axes.set_xlim(0, facts.cycles * to_us)
    legend_below(figure, axes)
