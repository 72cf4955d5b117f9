"""A fit beside its data, as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pimsim.report.figures import COLOURS, log_scale, one_look, save_figure
from pimsim.report.pages.device import MICRO_UNITS


def draw_fit(document: Mapping[str, Any], path: Path) -> Path:
    """Write data against fit as SVG or PNG, after the file's ending."""
    with one_look():
        figure = Figure(figsize=(9.0, 4.2), layout="constrained")
        paper, trend = figure.subplots(1, 2)
        unit = MICRO_UNITS[document["quantity"]]
        for index, level in enumerate(document["levels"]):
            _draw_level(paper, trend, level, COLOURS[index % len(COLOURS)])
        paper.set_xlabel("normal deviate of the cell's rank")
        paper.set_ylabel(f"{document['quantity']} after programming [{unit}]")
        trend.set_ylabel(f"mean {document['quantity']} [{unit}]")
        if any(len(level["times_s"]) for level in document["levels"]):
            log_scale(trend, "x")
            trend.set_xlabel("time since programming [s]")
        else:
            trend.set_xlabel("level")
        handles = [
            paper.plot([], [], ".", color="black", label="measured")[0],
            paper.plot([], [], color="black", label=f"fitted, {document['distribution']}")[0],
        ]
        paper.legend(handles=handles, fontsize=8)
        figure.suptitle(f"{document['device']}: {document['n_reads']:,} reads", fontsize=10)
        return save_figure(figure, path.with_suffix(""), path.suffix[1:])[0]


def _draw_level(paper: Axes, trend: Axes, level: Mapping[str, Any], colour: str) -> None:
    micro = 1e6
    z = level["deviates"]
    paper.plot(z, micro * np.array(level["cells"]), ".", color=colour, markersize=3)
    paper.plot(z, micro * np.array(level["fitted_cells"]), color=colour, linewidth=1)
    if level["times_s"]:
        trend.plot(level["times_s"], micro * np.array(level["means"]), ".", color=colour)
        trend.plot(level["times_s"], micro * np.array(level["fitted_means"]), color=colour,
                   linewidth=1)  # fmt: skip
    else:
        trend.errorbar([level["level"]], [micro * level["mean"]], [micro * level["spread"]],
                       color=colour, marker="o", capsize=3)  # fmt: skip
