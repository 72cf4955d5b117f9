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
        "layer", "least missing", "most missing", "error of first order", "ends held",
        "rows moved", "lowest scale",
    ]  # fmt: skip
    note = (
        "Missing: expected share of I+ - I- that is lost along the wires or taken off by scaled "
        "levels, in the pair of cells with the least and in that with the most; rows are on as "
        "often as limits.active_rows says. Error of first order: of a sum, against exact losses, "
        "over the standard deviation of the sums. Ends held: of a bit line, by clamps. Rows moved: "
        "away from the network's order. Lowest scale: smallest factor on the levels of a cell."
    )
    return [Table("Losses along bit and source lines", columns, rows, note)]
