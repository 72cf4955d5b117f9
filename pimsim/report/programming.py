"""Programmed levels as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pimsim.report.figures import COLOURS, log_scale, one_look, save_figure


def draw_programming(document: Mapping[str, Any], path: Path) -> Path:
    """Write level distributions and pulses as SVG or PNG, after the file's ending.

    Of a device without a scheme, the share of its cells that still wait after some pulses.
    """
    from matplotlib.figure import Figure

    if not document["levels"]:
        return _draw_waiting(document, path)
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


def _draw_waiting(document: Mapping[str, Any], path: Path) -> Path:
    from matplotlib.figure import Figure

    with one_look():
        figure = Figure(figsize=(6.0, 3.8), layout="constrained")
        axes = figure.subplots()
        left = document["cells"][0]["left"]
        axes.plot(np.arange(len(left)), left, color=COLOURS[0])
        log_scale(axes, "y")
        axes.set_ylim(bottom=1e-4)
        axes.set_xlabel("pulses")
        axes.set_ylabel("share of cells that wait")
        figure.suptitle(document["device"], fontsize=10)
        return save_figure(figure, path.with_suffix(""), path.suffix[1:])[0]


def _relaxed(
    level: Mapping[str, Any], shift: float, spread: float
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Density after the relaxation: each share convolved with a normal [uA, 1 / uA]."""
    micro = 1e6
    x = micro * (level["mean_a"] + level["spread_a"] * np.linspace(-4, 4, 161))
    centres = micro * (np.array(level["current_a"]) + shift)
    width = max(micro * spread, 1e-3 * (x[-1] - x[0]))
    bells = np.exp(-(((x[:, None] - centres) / width) ** 2) / 2) / (width * np.sqrt(2 * np.pi))
    return x, bells @ np.array(level["share"])
