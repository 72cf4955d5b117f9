"""Efficiency on a run's page: by part of the chip, and beside published silicon."""

from __future__ import annotations

from pimsim.report.blocks import Cell, Table, marked, quantity
from pimsim.report.documents.run import RunDocument
from pimsim.report.provenance import assumed_figures


def efficiency(report: RunDocument) -> list[Table]:
    """Energy, operations and operands of macro and chip, and published arrays; else nothing."""
    facts = report.efficiency
    if not facts.scopes:
        return []
    rough = "energy" in assumed_figures(report.provenance)
    rows = [
        [Cell(scope.scope), marked(quantity(scope.per_inference_j, "J"), rough),
         Cell(f"{scope.operations_per_inference / 1e6:.4g} M", scope.operations_per_inference),
         marked(quantity(scope.tops_per_w, ""), rough), Cell(scope.operands)]
        for scope in facts.scopes
    ]  # fmt: skip
    note = (
        f"{report.metric.title}: {report.metric.text(report.measured.mean)}. TOPS/W of other "
        "operands are no measure of these."
    )
    columns = ["part", "energy per inference", "operations", "TOPS/W", "operands"]
    tables = [Table("Efficiency", columns, rows, note, is_wide=True)]
    if facts.energy_per_mac_j is not None:
        tables.append(_beside_silicon(report))
    return tables


def _beside_silicon(report: RunDocument) -> Table:
    facts = report.efficiency
    assumed = assumed_figures(report.provenance)
    own = [
        Cell("this run's macro"), Cell(""), Cell(facts.scopes[0].operands),
        marked(quantity(facts.energy_per_mac_j or 0.0, "J"), "energy" in assumed),
        marked(_density(facts.cells_per_m2), "area" in assumed),
    ]  # fmt: skip
    rows = [own] + [
        [
            Cell(array.name), Cell(f"{1e9 * array.node_m:g} nm", array.node_m), Cell(array.kind),
            Cell("") if array.energy_per_mac_j is None else quantity(array.energy_per_mac_j, "J"),
            _density(array.cells_per_m2),
        ]
        for array in facts.silicon
    ]  # fmt: skip
    note = (
        "Energy of an array and its read-out over its products, rows on or off; cells over the "
        "area of arrays, drivers, lines, read-out and programming."
    )
    columns = ["array", "node", "operands", "energy of a MAC", "cells"]
    return Table("Beside published silicon", columns, rows, note, is_wide=True)


def _density(per_square_metre: float | None) -> Cell:
    if per_square_metre is None:
        return Cell("")
    return Cell(f"{per_square_metre / 1e12:.3g} M/mm\N{SUPERSCRIPT TWO}", per_square_metre)
