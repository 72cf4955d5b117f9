"""A device on the terminal and as a picture: levels, drift, errors between neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.text import Text

from pimsim.report.figures import COLOURS, one_look, save_figure
from pimsim.report.terminal import close_table, plain_table

# error rates below this are drawn at it: what a chip of a million cells would not show
LEAST_ERROR = 1e-12
PART_WORDS = {
    "programming": "programming",
    "drift": "drift",
    "rtn": "telegraph noise",
    "read_noise": "read noise",
}


def print_devices(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print the bundled devices, one in a line."""
    table = close_table("")
    table.add_column("name", no_wrap=True)
    for heading in ("states", "top uA", "spread"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("drift", no_wrap=True)
    table.add_column("what it is; how sure its states are")
    for row in rows:
        assumed = ", ".join(row["assumed"]).replace("_", " ") or "nothing"
        table.add_row(
            row["name"],
            str(row["states"]),
            f"{row['top_current_a'] * 1e6:.3g}",
            f"{row['largest_spread']:.1%}",
            row["drift"].replace("_", " "),
            f"{row['device']}; {row['states_certainty']}; assumed: {assumed}",
        )
    console.print(table)
    console.print("spread: largest of four levels at the file's age, of full scale",
                  highlight=False)  # fmt: skip


def print_device(document: Mapping[str, Any], console: Console) -> None:
    """Print a document of `pimsim.studies.device.describe_device`."""
    console.print()
    console.print(Text(document["device"], style="bold"))
    console.print(document["description"], highlight=False)
    console.print(f"levels: {document['choice']}", highlight=False)
    console.print(
        f"full scale {document['full_scale_current_a'] * 1e6:.4g} uA, "
        f"cell {document['cell_area_m2'] * 1e12:.4g} um2",
        highlight=False,
    )
    console.print(_level_table(document))
    console.print(_age_table(document))
    table = plain_table("\nSources")
    for heading in ("block", "certainty", "source"):
        table.add_column(heading)
    for entry in document["sources"]:
        table.add_row(entry["block"], entry["certainty"], entry["source"])
    console.print(table)


def _level_table(document: Mapping[str, Any]) -> Any:
    levels = document["levels"]
    table = close_table(
        f"\nLevels {age_words(document['age_s'])} after programming, % of full scale"
    )
    table.add_column("level", justify="right")
    for heading in ("ideal", "mean", "spread"):
        table.add_column(heading, justify="right")
    parts = [name for name, part in levels["parts"].items() if any(part)]
    for name in parts:
        table.add_column(PART_WORDS[name], justify="right")
    table.add_column("taken for the next", justify="right")
    for level in range(document["n_levels"]):
        columns = [levels["ideal"], levels["mean"], levels["spread"]]
        columns += [levels["parts"][name] for name in parts]
        errors = levels["error_to_next"]
        table.add_row(
            str(level),
            *(f"{100 * column[level]:.2f}" for column in columns),
            rate(errors[level]) if level < len(errors) else "",
        )
    return table


def _age_table(document: Mapping[str, Any]) -> Any:
    table = plain_table(
        "\nAs they age: mean of each level, % of full scale; worst error between two"
    )
    table.add_column("age", no_wrap=True)
    for level in range(document["n_levels"]):
        table.add_column(str(level), justify="right")
    table.add_column("largest spread", justify="right")
    table.add_column("worst error", justify="right")
    for entry in document["ages"]:
        table.add_row(
            entry["age"],
            *(f"{100 * mean:.2f}" for mean in entry["mean"]),
            f"{100 * max(entry['spread']):.2f}",
            rate(max(entry["error_to_next"])),
        )
    return table


def rate(share: float) -> str:
    """An error rate in a few characters."""
    return f"{share:.1e}" if 0 < share < 1e-4 else f"{100 * share:.2f} %"


def age_words(seconds: float) -> str:
    """A time in the largest unit that it fills."""
    for unit, size in (("years", 365.25 * 86_400), ("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            count = f"{seconds / size:.4g}"
            return f"{count} {unit if count != '1' else unit.removesuffix('s')}"
    return f"{seconds:.4g} s"


def draw_device(document: Mapping[str, Any], path: Path) -> Path:
    """Write level distributions, drift and error rates as SVG or PNG, after the file's ending."""
    with one_look():
        figure = Figure(figsize=(9.0, 6.4), layout="constrained")
        places = figure.subplot_mosaic([["levels", "levels"], ["drift", "errors"]])
        _draw_levels(places["levels"], document)
        _draw_drift(places["drift"], document)
        _draw_errors(places["errors"], document)
        figure.suptitle(document["device"])
        return save_figure(figure, path.with_suffix(""), path.suffix[1:])[0]


def _draw_levels(axes: Axes, document: Mapping[str, Any]) -> None:
    """Density of each level's current, its mean and where an even level would stand."""
    levels = document["levels"]
    exact = [k for k, spread in enumerate(levels["spread"]) if spread == 0]
    for level, (mean, spread) in enumerate(zip(levels["mean"], levels["spread"], strict=True)):
        colour = COLOURS[level % len(COLOURS)]
        if level in exact:
            axes.axvline(100 * mean, color=colour, linewidth=2)
            continue
        x = np.linspace(mean - 4 * spread, mean + 4 * spread, 201)
        density = np.exp(-(((x - mean) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
        # cells below zero are clipped there
        axes.fill_between(100 * x[x >= 0], density[x >= 0] / 100, color=colour, alpha=0.35)
        axes.plot(100 * x[x >= 0], density[x >= 0] / 100, color=colour)
    for ideal in levels["ideal"]:
        axes.axvline(100 * ideal, color="black", linewidth=0.6, linestyle=":")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("current [% of full scale] (dotted: evenly spaced levels)")
    axes.set_ylabel("density [1 / %]")
    axes.set_title(f"{age_words(document['age_s'])} after programming", fontsize=9)


def _draw_drift(axes: Axes, document: Mapping[str, Any]) -> None:
    curve = document["curve"]
    ages = [entry["age_s"] for entry in curve]
    for level in range(document["n_levels"]):
        colour = COLOURS[level % len(COLOURS)]
        mean = np.array([100 * entry["mean"][level] for entry in curve])
        spread = np.array([100 * entry["spread"][level] for entry in curve])
        axes.plot(ages, mean, color=colour)
        axes.fill_between(ages, mean - spread, mean + spread, color=colour, alpha=0.2, linewidth=0)
    _time_axis(axes)
    axes.set_ylabel("mean +- spread [% of full scale]")


def _draw_errors(axes: Axes, document: Mapping[str, Any]) -> None:
    curve = document["curve"]
    ages = [entry["age_s"] for entry in curve]
    for pair in range(document["n_levels"] - 1):
        errors = [max(entry["error_to_next"][pair], LEAST_ERROR) for entry in curve]
        axes.plot(ages, errors, color=COLOURS[pair % len(COLOURS)], label=f"{pair} and {pair + 1}")
    _time_axis(axes)
    axes.set_yscale("log")
    axes.set_ylim(LEAST_ERROR / 2, 1)
    axes.set_ylabel("cells taken for the next level")
    axes.legend(fontsize=8, title="levels", title_fontsize=8)


def _time_axis(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_xlabel("time since programming [s]")
