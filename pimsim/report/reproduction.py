"""A reproduced figure or table as pictures, CSV and JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from pimsim.files import write_json
from pimsim.report import words
from pimsim.report.documents import (
    ChipsDocument,
    CurvesDocument,
    DevicesDocument,
    PenaltyDocument,
    SettingsDocument,
    VariantsDocument,
)
from pimsim.report.documents.reproduction import ReproductionDocument
from pimsim.report.figures import COLOURS, MARKERS, log_scale, one_look, save_figure
from pimsim.report.tables import write_csv
from pimsim.workload.metrics import METRICS


def write_reproduction(document: ReproductionDocument, folder: Path) -> list[Path]:
    """Write <name>.svg, .png, .csv and .json into a folder."""
    stem, content = folder / document.name, document.as_dict()
    is_narrow = isinstance(document, CurvesDocument | PenaltyDocument)
    size = (6.4, 4.0) if is_narrow else (8.0, 3.6)
    with one_look():
        figure = Figure(figsize=size, layout="constrained")
        drawing_of(document)(figure)
        figure.suptitle(f"{document.title} ({document.source})", fontsize=9)
        written = save_figure(figure, stem, "svg", "png")
    rows = content["points"] or content["missing"]
    written.append(write_csv(rows, stem.with_name(f"{stem.name}.csv")))
    written.append(write_json(stem.with_name(f"{stem.name}.json"), content))
    return written


def drawing_of(document: ReproductionDocument) -> Callable[[Figure], None]:
    """Function that draws the document on a figure."""
    if isinstance(document, CurvesDocument):
        return lambda figure: draw_curves(figure, document)
    if isinstance(document, DevicesDocument):
        return lambda figure: draw_devices(figure, document)
    if isinstance(document, VariantsDocument):
        return lambda figure: draw_variants(figure, document)
    if isinstance(document, SettingsDocument):
        return lambda figure: draw_settings(figure, document)
    if isinstance(document, ChipsDocument):
        return lambda figure: draw_chips(figure, document)
    return lambda figure: draw_penalties(figure, document)


def draw_curves(figure: Figure, document: CurvesDocument) -> None:
    """Mean with a band of one standard deviation and dotted extremes, as in the paper."""
    axes = figure.subplots()
    for index, label in enumerate(dict.fromkeys(point.curve for point in document.points)):
        points = [point for point in document.points if point.curve == label]
        colour = COLOURS[index % len(COLOURS)]
        x = [point.sigma_eval for point in points]
        mean = [100 * point.mean for point in points]
        axes.plot(
            x, mean, color=colour, marker=MARKERS[index % len(MARKERS)], markersize=4, label=label
        )
        low = [100 * (point.mean - point.std) for point in points]
        high = [100 * (point.mean + point.std) for point in points]
        axes.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0)
        for bound in ("min", "max"):
            values = [100 * getattr(point, bound) for point in points]
            axes.plot(x, values, color=colour, linewidth=0.6, linestyle=":")
    axes.set_xlabel("sigma_eval [units of pre-activation]")
    axes.set_ylabel("accuracy [%]")
    axes.legend(fontsize=8)


def draw_settings(figure: Figure, document: SettingsDocument) -> None:
    """Metric against each setting, one picture for each kind, the float network's as a line."""
    metric = METRICS[document.metric]
    kinds = list(dict.fromkeys(point.setting for point in document.points))
    places = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for axes, kind in zip(places, kinds, strict=True):
        own = [point for point in document.points if point.setting == kind]
        for index, label in enumerate(dict.fromkeys(point.curve for point in own)):
            points = [point for point in own if point.curve == label]
            axes.errorbar(
                [point.x for point in points],
                [metric.factor * point.mean for point in points],
                [metric.factor * point.std for point in points],
                color=COLOURS[index % len(COLOURS)],
                marker=MARKERS[index % len(MARKERS)],
                markersize=4,
                capsize=2,
                label=label,
            )
        if document.reference is not None:
            axes.axhline(metric.factor * document.reference, color="0.4", linestyle="--",
                         linewidth=0.8, label="floating point")  # fmt: skip
        axes.set_xlabel(kind)
        axes.legend(fontsize=7)
    places[0].set_ylabel(metric.axis)


def draw_chips(figure: Figure, document: ChipsDocument) -> None:
    """Operations per energy of the networks on their chips, and of published chips."""
    axes = figure.subplots()
    tera, rows = 1e12, document.points
    labels = [f"{row.network} on {row.chip}" for row in rows]
    labels += [chip.name for chip in document.published]
    ends = [(row.operations_per_joule / tera,) * 2 for row in rows]
    ends += [
        (chip.operations_per_joule[0] / tera, chip.operations_per_joule[1] / tera)
        for chip in document.published
    ]
    colours = [COLOURS[0]] * len(rows) + [COLOURS[6]] * len(document.published)
    places = list(range(len(labels)))[::-1]
    axes.barh(places, [high for _, high in ends], color=colours, height=0.6)
    axes.set_yticks(places, labels, fontsize=7)
    log_scale(axes, "x")
    axes.set_xlabel("operations per energy [TOPS/W], of different bits")


def draw_penalties(figure: Figure, document: PenaltyDocument) -> None:
    """Bars of the relative penalties beside the paper's."""
    axes = figure.subplots()
    rows = document.points
    width = 0.8 / len(words.PENALTIES)
    for index, (key, label) in enumerate(words.PENALTIES.items()):
        places = [i + (index - (len(words.PENALTIES) - 1) / 2) * width for i in range(len(rows))]
        bars = axes.bar(
            places, [getattr(row, key) for row in rows], width, color=COLOURS[index], label=label
        )
        axes.bar_label(bars, fmt="%.2f", fontsize=7)
    axes.set_xticks(range(len(rows)), [row.label for row in rows])
    axes.set_ylabel("Pg + Pc, relative to the baseline")
    axes.legend(fontsize=8)


def draw_devices(figure: Figure, document: DevicesDocument) -> None:
    """Violins of all sources together, and the loss of accuracy from each source alone."""
    axes = figure.subplots()
    points = document.points
    devices = list(dict.fromkeys(point.device for point in points))
    kinds = list(dict.fromkeys(point.noise for point in points))
    for index, device in enumerate(devices):
        for point in points:
            if point.device != device:
                continue
            place = kinds.index(point.noise) + (index - (len(devices) - 1) / 2) * 0.25
            values = [100 * value for value in point.per_sample]
            colour = COLOURS[index]
            if len(set(values)) > 1:
                parts: Any = axes.violinplot([values], [place], widths=0.22, showextrema=False)
                parts["bodies"][0].set(facecolor=colour, alpha=0.4)
            is_first = point.noise == kinds[0]
            axes.plot([place], [100 * point.mean], "o", color=colour, markersize=3,
                      label=device if is_first else "_nolegend_")  # fmt: skip
    names = [words.short_source(kind) for kind in kinds]
    axes.set_xticks(range(len(kinds)), names, fontsize=8, rotation=40, ha="right",
                    rotation_mode="anchor")  # fmt: skip
    axes.set_ylabel("accuracy [%]")
    axes.legend(fontsize=8)


def draw_variants(figure: Figure, document: VariantsDocument) -> None:
    """Bars of accuracy, energy and area, one group beside the other."""
    points = document.points
    if not points:
        figure.text(0.5, 0.5, "not computed yet: none of its networks is there", ha="center")
        return
    sides = figure.subplots(1, 3, sharey=True)
    quantities = (
        ("accuracy [%]", [100 * point.mean for point in points]),
        ("energy of an inference [nJ]", [1e9 * point.energy_j for point in points]),
        ("area [mm2]", [1e6 * point.area_m2 for point in points]),
    )
    places = range(len(points))
    for axes, colour, (label, values) in zip(sides, COLOURS, quantities, strict=False):
        bars = axes.barh(places, values, color=colour)
        axes.bar_label(bars, fmt="%.3g", fontsize=7, padding=2)
        axes.set_xlabel(label, fontsize=8)
        axes.margins(x=0.2)
    accuracy = sides[0]
    accuracy.errorbar(
        quantities[0][1], places, xerr=[100 * point.std for point in points], fmt="none",
        ecolor="black", linewidth=0.8,
    )  # fmt: skip
    lowest = min(100 * (point.mean - point.std) for point in points)
    accuracy.set_xlim(max(0.0, lowest - 5), 100)
    accuracy.set_yticks(places, [point.label for point in points], fontsize=7)
    accuracy.invert_yaxis()
