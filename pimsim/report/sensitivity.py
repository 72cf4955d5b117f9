"""A sensitivity study as CSV, JSON and a figure: a bar for each step, the longest first."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from pimsim.files import write_json
from pimsim.report.charts import legend_below, mark_zero, rows_of_bars
from pimsim.report.documents.sensitivity import SensitivityDocument, StepFacts
from pimsim.report.figures import COLOURS, one_look, save_figure
from pimsim.report.tables import write_csv
from pimsim.workload.metrics import METRICS

MAX_BARS = 12
# smaller changes are 0.00 in the table, and no bar that can be seen
LEAST = 0.005
# of a value in a label, in letters: lists are longer
MAX_VALUE = 16


class Effect(NamedTuple):
    """A figure that steps change: the key of the change, its factor, and the words of its axis."""

    key: str
    factor: float
    axis: str


def effects(document: SensitivityDocument) -> list[Effect]:
    """Figures of a study."""
    metric = METRICS[document.metric]
    return [
        Effect("metric_change", metric.factor, f"change of {metric.name} [{metric.difference}]"),
        Effect("energy_percent", 1.0, "change of energy [%]"),
        Effect("area_percent", 1.0, "change of area [%]"),
        Effect("interval_percent", 1.0, "change of time [%]"),
    ]


def change(step: StepFacts, effect: Effect) -> float:
    """Change by a step; 0 where it cannot be run, or where its interval holds 0."""
    if effect.key == "metric_change" and not step.is_significant:
        return 0.0
    return effect.factor * (getattr(step, effect.key) or 0.0)


def ranked(document: SensitivityDocument, effect: Effect) -> list[int]:
    """Places of the parameters that change a figure, the largest change first."""
    sizes = [
        max(abs(change(one.low, effect)), abs(change(one.high, effect)))
        for one in document.parameters
    ]
    order = sorted(range(len(sizes)), key=lambda place: -sizes[place])
    return [place for place in order if sizes[place] >= LEAST][:MAX_BARS]


def draw_effect(figure: Any, document: SensitivityDocument, effect: Effect) -> None:
    """Bars of the parameters that change a figure most, down and up."""
    chosen = [document.parameters[place] for place in ranked(document, effect)]
    labels = [
        one.key if len(one.value) > MAX_VALUE else f"{one.key}: {one.value}" for one in chosen
    ]
    axes = rows_of_bars(figure, labels, effect.axis)
    share = f"{100 * document.step:g} %"
    signs = (("low", "less", -0.09, COLOURS[0]), ("high", "plus", 0.09, COLOURS[1]))
    for sign, word, above, colour in signs:
        lengths = [change(getattr(one, sign), effect) for one in chosen]
        places = [place + above for place in range(len(chosen))]
        axes.barh(places, lengths, 0.17, color=colour, label=f"{word} {share}")
    mark_zero(axes, len(chosen))
    legend_below(figure, axes)


def write_sensitivity(document: SensitivityDocument, folder: Path) -> list[Path]:
    """Write sensitivity.csv, .json, .svg and .png into a folder."""
    stem = folder / "sensitivity"
    shown = [effect for effect in effects(document) if ranked(document, effect)]
    with one_look():
        n_rows = max(1, -(-len(shown) // 2))
        figure = Figure(figsize=(11.0, 4.0 * n_rows), layout="constrained")
        parts = figure.subfigures(n_rows, 2, squeeze=False).flat
        for part, effect in zip(parts, shown, strict=False):
            draw_effect(part, document, effect)
        written = save_figure(figure, stem, "svg", "png")
    rows = [
        {"key": one.key, "value": one.value, "certainty": one.certainty, "sign": sign,
         "influence": one.influence, **getattr(one, sign).model_dump(exclude={"value"}),
         "set_to": getattr(one, sign).value}
        for one in document.parameters for sign in ("low", "high")
    ]  # fmt: skip
    written.append(write_csv(rows, stem.with_suffix(".csv")))
    written.append(write_json(stem.with_suffix(".json"), document.as_dict()))
    return written
