"""The page of a study over the ages of the levels."""

from __future__ import annotations

from pimsim.report import words
from pimsim.report.blocks import Cell, Page, Picture, Section, Table
from pimsim.report.documents.sweep import AgeDocument


def age_page(document: AgeDocument) -> Page:
    """Mean metric at every age, a line for each device and compensation."""
    from pimsim.report.age import draw_age

    first, metric = document.points[0], document.metric
    picture = Picture(
        f"{metric.title} over age",
        lambda figure: draw_age(figure, document),
        3.4,
        "Mean over chips; bars: standard deviation over them.",
    )
    ideal = metric.text(first.of(metric, "ideal"))
    chips = f"mean of {first.chips} chips (ideal network {ideal})"
    return Page(
        title=f"{document.model} over the age of its levels",
        subtitle=f"{metric.name} in {metric.unit}, {chips}",
        headlines=[],
        sections=[Section(f"{metric.title} over age", [picture, _table(document)])],
        version="",
        warnings=[words.SYNTHETIC] if any(p.is_synthetic_data for p in document.points) else [],
    )


def _table(document: AgeDocument) -> Table:
    lines, metric = words.age_lines(document), document.metric
    ages = dict.fromkeys(point.age for line in lines.values() for point in line)
    rows = []
    for label, line in lines.items():
        found = {point.age: point.of(metric) for point in line}
        values = [found.get(age) for age in ages]
        rows.append([Cell(label), *(Cell(metric.number(value), value) for value in values)])
    return Table(f"{metric.title} in {metric.unit}", ["", *ages], rows, is_wide=True)
