"""The temperature of a chip on a run's page: what it moves, and what it does not."""

from __future__ import annotations

from pimsim.report.blocks import Cell, Table, digits
from pimsim.report.documents.run import RunDocument


def temperature(report: RunDocument) -> list[Table]:
    """Factors at the chip's temperature; on the terminal where that is not the device file's."""
    noise = report.noise
    facts = noise.temperature
    if facts is None:
        return []
    rows = [
        [Cell(moved.what), Cell(f"x {digits(moved.factor)}", moved.factor),
         Cell(f"{moved.reference_k:.4g} K", moved.reference_k), Cell(moved.block or "physics")]
        for moved in facts.moves
    ]  # fmt: skip
    title = f"At {noise.chip_temperature_k:.5g} K"
    note = f"Does not move: {'; '.join(facts.does_not_move)}."
    is_there = noise.chip_temperature_k != noise.device_temperature_k
    columns = ["what moves", "factor", "against", "by"]
    return [Table(title, columns, rows, note, is_folded=not is_there, on_terminal=is_there)]
