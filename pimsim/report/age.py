"""Accuracy, or another metric, against age as CSV, JSON and a figure."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from pimsim.files import write_json
from pimsim.report import words
from pimsim.report.documents.sweep import AgeDocument
from pimsim.report.figures import COLOURS, new_figure, one_look, save_figure, time_axis
from pimsim.report.tables import write_csv

# line and marker by compensation
STYLES = {"on": ("-", "o"), "off": ("--", "s"), "none": ("-", "o")}


def write_age(document: AgeDocument, folder: Path) -> list[Path]:
    """Write age.svg, .png, .csv and .json into a folder."""
    stem, content = folder / "age", document.as_dict()
    with one_look():
        figure, _ = new_figure(7.4, 4.4)
        figure.clear()
        draw_age(figure, document)
        written = save_figure(figure, stem, "svg", "png")
    written.append(write_csv(content["points"], stem.with_suffix(".csv")))
    written.append(write_json(stem.with_suffix(".json"), content))
    return written


def draw_age(figure: Figure, document: AgeDocument) -> None:
    """Mean and standard deviation over chips against age."""
    axes, metric = figure.subplots(), document.metric
    devices = list(dict.fromkeys(point.device for point in document.points))
    for label, line in words.age_lines(document).items():
        style, marker = STYLES[line[0].compensation]
        axes.errorbar(
            [point.age_s for point in line],
            [metric.factor * (point.of(metric) or 0.0) for point in line],
            [metric.factor * (point.of(metric, "std") or 0.0) for point in line],
            color=COLOURS[devices.index(line[0].device) % len(COLOURS)], linestyle=style,
            marker=marker, markersize=4, capsize=2, linewidth=1.2, elinewidth=0.7, label=label,
        )  # fmt: skip
    ideal = document.points[0].of(metric, "ideal")
    if ideal is not None:
        axes.axhline(metric.factor * ideal, color="black", linewidth=0.8, linestyle=":",
                     label="ideal network")  # fmt: skip
    time_axis(axes, [point.age_s for point in document.points])
    axes.set_ylabel(metric.axis)
    figure.legend(loc="outside lower left", fontsize=8, ncols=2)
