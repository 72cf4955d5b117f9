"""A comparison as a figure, CSV and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from pimsim.files import write_json
from pimsim.report import charts
from pimsim.report.documents.comparison import ComparisonDocument
from pimsim.report.figures import one_look, save_figure
from pimsim.report.pages.comparison import stacks_of
from pimsim.report.tables import write_csv


def write_comparison(document: ComparisonDocument, folder: Path) -> list[Path]:
    """Write comparison.svg, .png, .csv and .json into a folder."""
    stem = folder / "comparison"
    with one_look():
        figure = Figure(figsize=figure_size(document), layout="constrained")
        draw_comparison(figure, document)
        written = save_figure(figure, stem, "svg", "png")
    written.append(write_csv(case_rows(document), stem.with_suffix(".csv")))
    written.append(write_json(stem.with_suffix(".json"), document.as_dict()))
    return written


def case_rows(document: ComparisonDocument) -> list[dict[str, Any]]:
    """One flat row for each case."""
    rows, metric = [], document.metric
    for case in document.as_dict()["cases"]:
        row = {key: value for key, value in case.items() if not isinstance(value, (dict, list))}
        keys = ("ideal", "mean", "std", "min", "max")
        row |= {f"{metric.key}_{key}": case[metric.key][key] for key in keys}
        rows.append(row)
    return rows


def figure_size(document: ComparisonDocument) -> tuple[float, float]:
    """Size of a figure for a number of cases [inches]."""
    return 9.0, 3.6 + 1.1 * len(document.cases)


def draw_comparison(figure: Figure, document: ComparisonDocument) -> None:
    """The metric over chips, energy and area by component, initiation interval."""
    cases = document.cases
    labels = [case.case for case in cases]
    places: Any = figure.subfigures(2, 2)
    places = iter(places.flat)
    charts.draw_variants(next(places), labels, [case.measured for case in cases], document.metric)
    for place, stack in zip(places, stacks_of(document), strict=True):
        axis = f"{stack.title.lower()} [{stack.unit}]"
        charts.draw_stacks(place, labels, stack.values, stack.factor, axis, stack.rough)
    kind = "synthetic " if document.is_synthetic_data else ""
    figure.suptitle(f"{document.n_sequences} {kind}sequences of {document.data}", fontsize=9)
