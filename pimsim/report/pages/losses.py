"""Losses along wires on a run's page: what is expected of each layer, and what makes up for it."""

from __future__ import annotations

from pimsim.report.blocks import Cell, Table, count, percentage
from pimsim.report.documents.run import RunDocument


def losses(report: RunDocument) -> list[Table]:
    """A row for each layer; nothing where losses are left out."""
    facts = report.noise.losses
    if not facts:
        return []
    rows = [
        [
            Cell(one.layer),
            percentage(one.least),
            percentage(one.largest),
            percentage(one.first_order_error),
            count(one.held_ends),
            count(one.moved_rows),
            percentage(one.lowest_scale),
        ]
        for one in facts
    ]
    columns = [
        "layer", "lacks at least", "at most", "error of first order", "ends held", "rows moved",
        "lowest scale",
    ]  # fmt: skip
    note = (
        "Share of I+ - I- that the pairs of cells which lack least and most are expected to lack, "
        "by losses and by the scale of their levels, with rows on as often as limits.active_rows "
        "says. Error of sums, of their standard deviation, against exact losses. Ends of a bit "
        "line that are held; rows that stand elsewhere than in the network's order; scale of "
        "levels, so that all lack alike."
    )
    return [Table("Losses along bit and source lines", columns, rows, note)]
