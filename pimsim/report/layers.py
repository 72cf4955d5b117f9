"""Picture of an inference as it goes through the components of a chip."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from pimsim.report.charts import REST, legend_below, rows_of_bars
from pimsim.report.documents.layers import TimelineFacts
from pimsim.report.figures import COLOURS

# of a row
HEIGHT = 0.46
# of time, the largest first
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "\N{MICRO SIGN}s"), (1e-9, "ns"))


def draw_timeline(figure: Figure, facts: TimelineFacts, clock: float) -> None:
    """Span of each component's operations, and the share of the time that it is at work.

    Parameters
    ----------
    clock
        [Hz]
    """
    longest = (facts.last_cycle - facts.first_cycle) / clock
    scale, unit = next(((s, u) for s, u in UNITS if longest >= s), UNITS[-1])
    of_cycle = 1 / clock / scale
    names = [stage.component for stage in facts.stages]
    axes = rows_of_bars(figure, names, f"time [{unit}]")
    span = (0.0, (facts.last_cycle - facts.first_cycle) * of_cycle)
    for place, stage in enumerate(facts.stages):
        edges = np.linspace(*span, len(stage.at_work) + 1)
        first, last = (
            (cycle - facts.first_cycle) * of_cycle
            for cycle in (stage.first_cycle, stage.last_cycle)
        )
        bottom = place + HEIGHT / 2
        axes.barh(place, last - first, HEIGHT, left=first, color=REST, alpha=0.45,
                  label="first to last operation" if place == 0 else None)  # fmt: skip
        # upwards from the lower edge of the row, whose axis points down
        axes.fill_between(
            np.repeat(edges, 2)[1:-1], bottom, bottom - HEIGHT * np.repeat(stage.at_work, 2),
            color=COLOURS[0], linewidth=0,
            label="share of the time at work" if place == 0 else None,
        )  # fmt: skip
    axes.set_xlim(*span)
    legend_below(figure, axes)
