"""Pages of chips: the list, and one chip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pimsim.report.blocks import NONE, Cell, Page, Section, Table
from pimsim.report.documents.chip import ChipDocument


def chips_page(rows: Sequence[Mapping[str, Any]]) -> Page:
    """The bundled chips, one in a line; rows of `pimsim.studies.chip.chip_rows`."""
    cells = []
    for row in rows:
        chip: ChipDocument = row["document"]
        kinds = [chip.kinds[key] for key in ("drive", "weight_coding", "read_out")]
        assumed = ", ".join(row["assumed"]) or "nothing"
        cells.append(
            [
                Cell(row["name"]),
                Cell(chip.technology),
                Cell(f"{chip.rows} x {chip.columns}"),
                Cell(", ".join(kinds).replace("_", " ")),
                Cell(f"{chip.chip}; assumed: {assumed}".replace("_", " ")),
            ]
        )
    columns = ["name", "node", "array", "drive, weights, read-out", "what it is"]
    return Page("Bundled chips", "", [], [Section("", [Table("Chips", columns, cells)])], "")


def chip_page(document: ChipDocument) -> Page:
    """Kinds of circuits, numbers with their certainty, and sources."""
    facts = (
        f"Technology {document.technology}, arrays of {document.rows} x {document.columns}, "
        f"networks of {document.network}."
    )
    kinds = [[Cell(key), Cell(kind)] for key, kind in document.kinds.items()]
    values = [[Cell(v.key), Cell(v.value), Cell(v.certainty or NONE)] for v in document.values]
    sources = [[Cell(s.block), Cell(s.certainty), Cell(s.source)] for s in document.sources]
    return Page(
        document.chip,
        document.description,
        [],
        [
            Section("Kinds", [Table("Kinds", ["block", "kind"], kinds)], facts),
            Section("Numbers", [Table("Numbers", ["key", "value", "certainty"], values)]),
            Section("Sources", [Table("Sources", ["block", "certainty", "source"], sources)]),
        ],
        version="",
    )
