"""A device as a picture: levels, drift, errors between neighbours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pimsim.report import words
from pimsim.report.documents.device import DeviceDocument
from pimsim.report.figures import COLOURS, log_scale, one_look, save_figure, time_axis

# error rates below this are drawn at it: what a chip of a million cells would not show
LEAST_ERROR = 1e-12


def draw_device(document: DeviceDocument, path: Path) -> Path:
    """Write level distributions, drift and error rates as SVG or PNG, after the file's ending."""
    with one_look():
        figure = Figure(figsize=(9.0, 6.4), layout="constrained")
        places = figure.subplot_mosaic([["levels", "levels"], ["drift", "errors"]])
        _draw_levels(places["levels"], document)
        _draw_drift(places["drift"], document)
        _draw_errors(places["errors"], document)
        figure.suptitle(document.device)
        return save_figure(figure, path.with_suffix(""), path.suffix[1:])[0]


def _draw_levels(axes: Axes, document: DeviceDocument) -> None:
    """Density of each level's current, its mean, and the mean of an evenly spaced level."""
    levels = document.levels
    exact = [k for k, deviation in enumerate(levels.spread) if deviation == 0]
    for level, (mean, deviation) in enumerate(zip(levels.mean, levels.spread, strict=True)):
        colour = COLOURS[level % len(COLOURS)]
        if level in exact:
            axes.axvline(100 * mean, color=colour, linewidth=2)
            continue
        x = np.linspace(mean - 4 * deviation, mean + 4 * deviation, 201)
        density = np.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi))
        # cells below zero are clipped there
        axes.fill_between(100 * x[x >= 0], density[x >= 0] / 100, color=colour, alpha=0.35)
        axes.plot(100 * x[x >= 0], density[x >= 0] / 100, color=colour)
    for ideal in levels.ideal:
        axes.axvline(100 * ideal, color="black", linewidth=0.6, linestyle=":")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("current [% of full scale] (dotted: evenly spaced levels)")
    axes.set_ylabel("density [1 / %]")
    axes.set_title(f"{words.age(document.age_s)} after programming", fontsize=9)


def _draw_drift(axes: Axes, document: DeviceDocument) -> None:
    curve = document.curve
    ages = [entry.age_s for entry in curve]
    for level in range(document.n_levels):
        colour = COLOURS[level % len(COLOURS)]
        mean = np.array([100 * entry.mean[level] for entry in curve])
        deviation = np.array([100 * entry.spread[level] for entry in curve])
        axes.plot(ages, mean, color=colour)
        axes.fill_between(
            ages, mean - deviation, mean + deviation, color=colour, alpha=0.2, linewidth=0
        )
    time_axis(axes, ages)
    axes.set_ylabel("mean +- standard deviation [% of full scale]")


def _draw_errors(axes: Axes, document: DeviceDocument) -> None:
    curve = document.curve
    ages = [entry.age_s for entry in curve]
    for pair in range(document.n_levels - 1):
        errors = [max(entry.error_to_next[pair], LEAST_ERROR) for entry in curve]
        axes.plot(ages, errors, color=COLOURS[pair % len(COLOURS)], label=f"{pair} and {pair + 1}")
    time_axis(axes, ages)
    log_scale(axes, "y")
    axes.set_ylim(LEAST_ERROR / 2, 1)
    axes.set_ylabel("cells taken for the next level")
    axes.legend(fontsize=8, title="levels", title_fontsize=8)
