"""A reproduced figure or table as pictures, CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pimsim.files import write_json, write_whole
from pimsim.report.figures import COLOURS, new_figure, one_look, save_figure
from pimsim.report.terminal import PENALTIES

MARKERS = "osD^vPX*"


def write_reproduction(document: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write <name>.svg, .png, .csv and .json into a folder.

    Parameters
    ----------
    document : dict
        From `pimsim.studies.document.describe_reproduction`.
    folder : Path
    """
    stem = folder / document["name"]
    rows: Sequence[Mapping[str, Any]] = document["points"]
    draw = {"sweep": _draw_sweep, "devices": _draw_devices}.get(document["kind"], _draw_table)
    with one_look():
        written = draw(document, stem)
    written.append(write_csv(rows, stem.with_name(f"{stem.name}.csv")))
    written.append(write_json(stem.with_name(f"{stem.name}.json"), document))
    return written


def write_csv(rows: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """Write rows of equal keys as CSV with a header; lists are left to the JSON."""
    flat = [{k: v for k, v in row.items() if not isinstance(v, list)} for row in rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(flat[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return write_whole(path, lambda file: file.write(text.getvalue().encode()))


def _draw_sweep(document: Mapping[str, Any], stem: Path) -> list[Path]:
    """Mean with a band of one standard deviation and dotted extremes, as in the paper."""
    figure, axes = new_figure()
    for index, label in enumerate(dict.fromkeys(row["curve"] for row in document["points"])):
        rows = [row for row in document["points"] if row["curve"] == label]
        colour = COLOURS[index % len(COLOURS)]
        x = [row["sigma_eval"] for row in rows]
        mean = [100 * row["mean"] for row in rows]
        axes.plot(
            x, mean, color=colour, marker=MARKERS[index % len(MARKERS)], markersize=4, label=label
        )
        low = [100 * (row["mean"] - row["std"]) for row in rows]
        high = [100 * (row["mean"] + row["std"]) for row in rows]
        axes.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0)
        for bound in ("min", "max"):
            values = [100 * row[bound] for row in rows]
            axes.plot(x, values, color=colour, linewidth=0.6, linestyle=":")
    axes.set_xlabel(r"$\sigma_{eval}$ [units of pre-activation]")
    axes.set_ylabel("accuracy [%]")
    axes.set_title(f"{document['title']} ({document['source']})", fontsize=9)
    axes.legend(fontsize=8)
    return save_figure(figure, stem, "svg", "png")


def _draw_table(document: Mapping[str, Any], stem: Path) -> list[Path]:
    """Bars of the relative penalties beside the paper's."""
    figure, axes = new_figure(6.4, 3.4)
    rows = document["points"]
    width = 0.8 / len(PENALTIES)
    for index, (key, label) in enumerate(PENALTIES.items()):
        places = [i + (index - (len(PENALTIES) - 1) / 2) * width for i in range(len(rows))]
        bars = axes.bar(
            places, [row[key] for row in rows], width, color=COLOURS[index], label=label
        )
        axes.bar_label(bars, fmt="%.2f", fontsize=7)
    axes.set_xticks(range(len(rows)), [row["label"] for row in rows])
    axes.set_ylabel("Pg + Pc, relative to the baseline")
    axes.set_title(f"{document['title']} ({document['source']})", fontsize=9)
    axes.legend(fontsize=8)
    return save_figure(figure, stem, "svg", "png")


def _draw_devices(document: Mapping[str, Any], stem: Path) -> list[Path]:
    """Violins of all sources together, and the loss by each source alone."""
    figure, axes = new_figure(8.0, 3.6)
    rows = document["points"]
    devices = list(dict.fromkeys(row["device"] for row in rows))
    kinds = list(dict.fromkeys(row["noise"] for row in document["points"]))
    for index, device in enumerate(devices):
        for row in rows:
            if row["device"] != device:
                continue
            place = kinds.index(row["noise"]) + (index - (len(devices) - 1) / 2) * 0.25
            values = [100 * value for value in row["per_sample"]]
            colour = COLOURS[index]
            if len(set(values)) > 1:
                parts: Any = axes.violinplot([values], [place], widths=0.22, showextrema=False)
                parts["bodies"][0].set(facecolor=colour, alpha=0.4)
            is_first = row["noise"] == kinds[0]
            axes.plot([place], [100 * row["mean"]], "o", color=colour, markersize=3,
                      label=device if is_first else "_nolegend_")  # fmt: skip
    axes.set_xticks(range(len(kinds)), [kind.replace("_", " ") for kind in kinds], fontsize=8)
    axes.set_ylabel("accuracy [%]")
    axes.set_title(f"{document['title']} ({document['source']})", fontsize=9)
    axes.legend(fontsize=8)
    return save_figure(figure, stem, "svg", "png")
