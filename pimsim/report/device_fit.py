"""A fit beside its data, as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pimsim.report.figures import COLOURS, one_look, save_figure, time_axis
from pimsim.report.pages.device import MICRO_UNITS

MICRO = 1e6


def draw_fit(document: Mapping[str, Any], path: Path) -> Path:
    """Write data against fit as SVG or PNG, after the file's ending."""
    has_times = bool(document["curve_s"])
    with one_look():
        figure = Figure(figsize=(12.5 if has_times else 9.0, 4.2), layout="constrained")
        paper, trend, *more = figure.subplots(1, 3 if has_times else 2)
        unit = MICRO_UNITS[document["quantity"]]
        for index, level in enumerate(document["levels"]):
            colour = COLOURS[index % len(COLOURS)]
            _draw_cells(paper, level, colour)
            if has_times:
                _draw_course(trend, document, level, ("means", "fitted_means"), colour)
                _draw_course(more[0], document, level, ("spreads", "fitted_spreads"), colour)
            else:
                trend.errorbar([level["level"]], [MICRO * level["mean"]], [MICRO * level["spread"]],
                               color=colour, marker="o", capsize=3)  # fmt: skip
        paper.set_xlabel("normal deviate of the cell's rank")
        paper.set_ylabel(f"{document['quantity']} after programming [{unit}]")
        trend.set_ylabel(f"mean {document['quantity']} [{unit}]")
        trend.set_xlabel("level")
        for axes in (trend, *more) if has_times else ():
            time_axis(axes, document["curve_s"])
        for axes in more:
            axes.set_ylabel(f"standard deviation over cells [{unit}]")
        handles = [
            paper.plot([], [], ".", color="black", label="measured")[0],
            paper.plot([], [], color="black", label=f"fitted, {document['distribution']}")[0],
        ]
        paper.legend(handles=handles, fontsize=8)
        law = f"; {document['law'].replace('_', ' ')}" if has_times else ""
        figure.suptitle(f"{document['device']}: {document['n_reads']:,} reads{law}", fontsize=10)
        return save_figure(figure, path.with_suffix(""), path.suffix[1:])[0]


def _draw_cells(paper: Axes, level: Mapping[str, Any], colour: str) -> None:
    z = level["deviates"]
    paper.plot(z, MICRO * np.array(level["cells"]), ".", color=colour, markersize=3)
    paper.plot(z, MICRO * np.array(level["fitted_cells"]), color=colour, linewidth=1)


def _draw_course(
    axes: Axes,
    document: Mapping[str, Any],
    level: Mapping[str, Any],
    keys: tuple[str, str],
    colour: str,
) -> None:
    """What was measured at each time, and the device's curve."""
    measured, fitted = (MICRO * np.array(level[key]) for key in keys)
    axes.plot(level["times_s"], measured, ".", color=colour)
    axes.plot(document["curve_s"], fitted, color=colour, linewidth=1)
