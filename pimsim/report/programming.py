"""Programmed levels on the terminal and as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from pimsim.report.figures import COLOURS, one_look, save_figure
from pimsim.report.terminal import plain_table


def print_programming(document: Mapping[str, Any], console: Console) -> None:
    """Print a document of `pimsim.studies.programming.describe_programming`."""
    table = plain_table(f"\n{document['device']}: program and check (uA, ms)")
    for heading in ("below", "pulse", "mean", "spread", "file's mean", "spread", "pulses",
                    "99 %", "time, s"):  # fmt: skip
        table.add_column(heading, justify="right", no_wrap=True)
    for level in document["levels"]:
        stated = [level["state_mean_a"], level["state_spread_a"]]
        table.add_row(
            f"{level['threshold_a'] * 1e6:.4g}",
            f"{level['pulse_s'] * 1e3:.4g}",
            f"{level['mean_a'] * 1e6:.2f}",
            f"{level['spread_a'] * 1e6:.2f}",
            *("-" if value is None else f"{value * 1e6:.2f}" for value in stated),
            f"{level['pulses']:.1f}",
            str(level["pulses_most"]),
            f"{level['time_s']:.3g}",
        )
    console.print(table)
    console.print(
        "pulses from the level before: mean, and what 99 % of the cells need at most; time: of "
        "all pulses since the fresh cell, mean, checks not counted",
        highlight=False,
    )
    console.print(f"{document['certainty']}: {document['source']}", highlight=False)


def draw_programming(document: Mapping[str, Any], path: Path) -> Path:
    """Write level distributions and pulses as SVG or PNG, after the file's ending."""
    from matplotlib.figure import Figure

    with one_look():
        figure = Figure(figsize=(9.0, 3.8), layout="constrained")
        levels, pulses = figure.subplots(1, 2, width_ratios=[2, 1])
        relaxation = document["relaxation_a"], document["relaxation_spread_a"]
        for index, level in enumerate(document["levels"]):
            colour = COLOURS[index % len(COLOURS)]
            x, density = _relaxed(level, *relaxation)
            levels.plot(x, density, color=colour)
            levels.fill_between(x, density, color=colour, alpha=0.3)
            levels.axvline(level["threshold_a"] * 1e6, color=colour, linewidth=0.7, linestyle=":")
            pulses.plot([level["threshold_a"] * 1e6], [level["pulses"]], "o", color=colour)
            pulses.plot([level["threshold_a"] * 1e6], [level["pulses_most"]], "_", color=colour)
        levels.set_ylim(bottom=0)
        levels.set_xlabel("current after relaxation [uA] (dotted: thresholds)")
        levels.set_ylabel("density [1 / uA]")
        pulses.set_ylim(bottom=0)
        pulses.set_xlabel("threshold [uA]")
        pulses.set_ylabel("pulses from the level before\n(dot: mean, dash: 99 % of the cells)")
        figure.suptitle(document["device"], fontsize=10)
        return save_figure(figure, path.with_suffix(""), path.suffix[1:])[0]


def _relaxed(
    level: Mapping[str, Any], shift: float, spread: float
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Density after the relaxation: the shares, each spread by a normal [uA, 1 / uA]."""
    micro = 1e6
    x = micro * (level["mean_a"] + level["spread_a"] * np.linspace(-4, 4, 161))
    centres = micro * (np.array(level["current_a"]) + shift)
    width = max(micro * spread, 1e-3 * (x[-1] - x[0]))
    bells = np.exp(-(((x[:, None] - centres) / width) ** 2) / 2) / (width * np.sqrt(2 * np.pi))
    return x, bells @ np.array(level["share"])
