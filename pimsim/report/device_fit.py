"""A fit beside its data: on the terminal, and as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console

from pimsim.report.figures import COLOURS, one_look, save_figure
from pimsim.report.terminal import plain_table

SYMBOLS = {"current": "uA", "conductance": "uS"}


def print_fit(document: Mapping[str, Any], console: Console) -> None:
    """Print a document of `pimsim.studies.device_fit.describe_fit`."""
    unit = SYMBOLS[document["quantity"]]
    table = plain_table(f"\n{document['n_reads']:,} reads of {document['file']} [{unit}]")
    for heading in ("level", "cells", "mean", "spread", "read noise", "normal", "lognormal"):
        table.add_column(heading, justify="right", no_wrap=True)
    for level in document["levels"]:
        table.add_row(
            str(level["level"]),
            f"{level['n_cells']:,}",
            f"{level['mean'] * 1e6:.5g}",
            _or_dash(level["spread"] if level["n_cells"] > 1 else None, ".4g", 1e6),
            _or_dash(level["read_spread"], ".3g", 1e6),
            f"{level['normal']:.2g}",
            f"{level['lognormal']:.2g}",
        )
    console.print(table)
    console.print("spread: of cells; normal, lognormal: chance of such a sample", highlight=False)
    alone = [str(level["level"]) for level in document["levels"] if level["n_cells"] == 1]
    if alone:
        console.print(f"one cell alone, so that no spread is known and 0 stands: level "
                      f"{', '.join(alone)}", highlight=False)  # fmt: skip
    if any(level["nu"] is not None for level in document["levels"]):
        drift = plain_table("\nDrift exponent")
        for heading in ("level", "mean", "error", "spread over cells"):
            drift.add_column(heading, justify="right", no_wrap=True)
        for level in document["levels"]:
            drift.add_row(
                str(level["level"]),
                *(_or_dash(level[key], form, 1.0)
                  for key, form in (("nu", ".4f"), ("nu_error", ".2g"), ("nu_spread", ".4f"))),
            )  # fmt: skip
        console.print(drift)
    console.print(f"distribution: {document['distribution']}", highlight=False)
    law = "a power law of time" if document["has_drift"] else "none that can be told"
    console.print(f"drift: {law}", highlight=False)
    console.print(f"telegraph noise: {document['rtn']}", highlight=False, soft_wrap=True)
    if document["ignored"]:
        console.print(f"columns left aside: {', '.join(document['ignored'])}", markup=False)


def _or_dash(value: float | None, form: str, factor: float) -> str:
    return "-" if value is None else format(factor * value, form)


def draw_fit(document: Mapping[str, Any], path: Path) -> Path:
    """Write data against fit as SVG or PNG, after the file's ending."""
    with one_look():
        figure = Figure(figsize=(9.0, 4.2), layout="constrained")
        paper, trend = figure.subplots(1, 2)
        unit = SYMBOLS[document["quantity"]]
        for index, level in enumerate(document["levels"]):
            _draw_level(paper, trend, level, COLOURS[index % len(COLOURS)])
        paper.set_xlabel("normal deviate of the cell's rank")
        paper.set_ylabel(f"{document['quantity']} after programming [{unit}]")
        trend.set_ylabel(f"mean {document['quantity']} [{unit}]")
        if any(len(level["times_s"]) for level in document["levels"]):
            trend.set_xscale("log")
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
