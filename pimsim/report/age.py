"""Accuracy against age as a table, CSV, JSON and a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from pimsim.files import write_json
from pimsim.report.figures import COLOURS, new_figure, one_look, save_figure
from pimsim.report.reproduction import write_csv
from pimsim.report.terminal import percent, plain_table

SCHEMA = "pimsim.age/1"
LOOKS = {"on": ("-", "o"), "off": ("--", "s"), "none": ("-", "o")}
WORDS = {"on": ", compensated", "off": ", not compensated", "none": ", no drift known"}


def write_age(rows: Sequence[Mapping[str, Any]], model: str, folder: Path) -> list[Path]:
    """Write age.svg, .png, .csv and .json into a folder; rows are those of `studies.age`."""
    stem = folder / "age"
    with one_look():
        figure, axes = new_figure(7.4, 4.4)
        devices = list(dict.fromkeys(row["device"] for row in rows))
        for (device, compensation), line in _lines(rows).items():
            colour = COLOURS[devices.index(device) % len(COLOURS)]
            style, marker = LOOKS[compensation]
            axes.errorbar(
                [row["age_s"] for row in line],
                [100 * row["accuracy"] for row in line],
                [100 * (row["accuracy_std"] or 0.0) for row in line],
                color=colour, linestyle=style, marker=marker, markersize=4, capsize=2,
                linewidth=1.2, elinewidth=0.7, label=device + WORDS[compensation],
            )  # fmt: skip
        axes.axhline(100 * rows[0]["accuracy_ideal"], color="black", linewidth=0.8, linestyle=":",
                     label="ideal network")  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlabel("time since programming [s]")
        axes.set_ylabel("accuracy [%], mean and deviation of chips")
        figure.legend(loc="outside right upper", fontsize=8)
        written = save_figure(figure, stem, "svg", "png")
    written.append(write_csv(rows, stem.with_suffix(".csv")))
    content = {"schema": SCHEMA, "model": model, "points": list(rows)}
    written.append(write_json(stem.with_suffix(".json"), content))
    return written


def _lines(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    lines: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        lines.setdefault((row["device"], row["compensation"]), []).append(row)
    return {key: sorted(line, key=lambda row: row["age_s"]) for key, line in lines.items()}


def print_age(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print the mean accuracy at every age."""
    chips, ideal = rows[0]["chips"], percent(rows[0]["accuracy_ideal"])
    table = plain_table(f"\nAccuracy in %, mean of {chips} chips (ideal network {ideal})")
    table.add_column("")
    lines = _lines(rows)
    for row in next(iter(lines.values())):
        table.add_column(row["age"], justify="right", no_wrap=True)
    for (device, compensation), line in lines.items():
        cells = (f"{100 * row['accuracy']:.2f}" for row in line)
        table.add_row(device + WORDS[compensation], *cells)
    console.print(table)
