"""The page of a study over the ages of the levels."""

from __future__ import annotations

from pimsim.report import words
from pimsim.report.blocks import Cell, Page, Picture, Section, Table
from pimsim.report.documents.sweep import AgeDocument


def age_page(document: AgeDocument) -> Page:
    """Mean accuracy at every age, a line for each device and compensation."""
    from pimsim.report.age import draw_age

    first = document.points[0]
    picture = Picture("Accuracy over age", lambda figure: draw_age(figure, document), 3.4)
    chips = f"mean of {first.chips} chips (ideal network {words.percent(first.accuracy_ideal)})"
    return Page(
        title=f"{document.model} over the age of its levels",
        subtitle=f"accuracy in %, {chips}",
        headlines=[],
        sections=[Section("Accuracy over age", [picture, _table(document)])],
        version="",
    )


def _table(document: AgeDocument) -> Table:
    lines = words.age_lines(document)
    ages = dict.fromkeys(point.age for line in lines.values() for point in line)
    rows = []
    for label, line in lines.items():
        found = {point.age: point.accuracy for point in line}
        rows.append([Cell(label), *(_accuracy(found.get(age)) for age in ages)])
    return Table("Accuracy in %", ["", *ages], rows, is_wide=True)


def _accuracy(value: float | None) -> Cell:
    return Cell("-") if value is None else Cell(f"{100 * value:.2f}", value)
