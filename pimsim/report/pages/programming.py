"""Writing the network into the chip on a run's page: once, and over a lifetime."""

from __future__ import annotations

from dataclasses import replace

from pimsim.report import words
from pimsim.report.blocks import Cell, Table, count, digits, marked, quantity
from pimsim.report.documents.costs import ProgrammingFacts, WritingFacts
from pimsim.report.documents.run import RunDocument
from pimsim.report.provenance import all_origins, is_assumed


def programming(report: RunDocument) -> list[Table]:
    """One write by layer, and all writes over the lifetime; nothing without data."""
    facts = report.programming
    if facts is None or facts.once is None:
        return []
    blocks = [one for one in all_origins(report.provenance) if one.block == "device.programming"]
    of_pulses = any(one.certainty == "assumed" for one in blocks)
    tables = [_lifetime(report, facts, facts.once), _layers(facts.once)]
    return [_marked(table, of_pulses) for table in tables]


def _marked(table: Table, of_pulses: bool) -> Table:
    """A table whose energies and times are marked: what pulses take and how many there are."""
    rows = [
        [marked(cell, True)
         if of_pulses and cell.is_number and cell.text.endswith(("J", "s")) else cell
         for cell in row]
        for row in table.rows
    ]  # fmt: skip
    return replace(table, rows=rows)


def _lifetime(report: RunDocument, facts: ProgrammingFacts, once: WritingFacts) -> Table:
    each, energy = facts.per_inference_j or 0.0, report.energy.per_inference_j
    cells = f"{once.cells:,} cells, {once.bits:,.0f} bits"
    rows = [
        [Cell("a write of the network"), quantity(once.energy_j, "J"), Cell(cells)],
        [
            Cell("  its pulses"),
            quantity(once.pulse_energy_j, "J"),
            Cell(f"{digits(once.pulses / once.cells)} each"),
        ],
        [Cell("  its checks"), quantity(once.check_energy_j, "J"), Cell("one after each pulse")],
        [Cell("  each bit"), quantity(once.energy_j / once.bits, "J")],
        [Cell("  its time"), quantity(once.time_s, "s"), Cell("layer after layer, row by row")],
        [
            Cell("area of what writes"),
            marked(
                quantity(facts.area_m2, "m2"),
                is_assumed(report.provenance, "area", "programming_periphery"),
            ),
            Cell("in the area above"),
        ],
        [
            Cell("shared among inferences"),
            quantity(each, "J"),
            Cell(
                f"{facts.writes:,} x in {words.age(facts.lifetime_s)}, "
                f"{digits(facts.inferences)} inferences"
            ),
        ],
    ]
    if energy > 0:
        rows[-1][-1] = Cell(f"{rows[-1][-1].text}; {digits(100 * each / energy)} % of their energy")
    rows += [_endurance(facts, once), _disturb(facts)]
    filled = [[*row, *[Cell("")] * (3 - len(row))] for row in rows]
    return Table(
        "Writing over the lifetime", ["", "value", ""], filled, is_wide=True, on_terminal=True
    )


def _endurance(facts: ProgrammingFacts, once: WritingFacts) -> list[Cell]:
    if facts.writes_borne is None or facts.endurance_cycles is None:
        return [Cell("writes that cells bear"), Cell("not known")]
    how = f"{digits(facts.endurance_cycles)} cycles, {digits(once.cycles)} a write at most"
    return [Cell("writes that cells bear"), Cell(digits(facts.writes_borne), facts.writes_borne),
            Cell(how)]  # fmt: skip


def _disturb(facts: ProgrammingFacts) -> list[Cell]:
    reads = Cell(digits(facts.reads), facts.reads)
    if facts.reads_tested is None or facts.reads_tested_v is None:
        return [Cell("reads of an array"), reads, Cell("how many disturb a cell is not known")]
    tested = f"{digits(facts.reads_tested)} at {quantity(facts.reads_tested_v, 'V').text} seen to "
    return [Cell("reads of an array"), reads, Cell(f"{tested}change no level")]


def _layers(once: WritingFacts) -> Table:
    rows = [
        [Cell(layer.layer), count(layer.cells), count(layer.levels),
         Cell(digits(layer.pulses_each), layer.pulses_each), count(layer.pulses_most),
         quantity(layer.energy_j, "J"), quantity(layer.time_s, "s")]
        for layer in once.layers
    ]  # fmt: skip
    columns = ["layer", "cells", "levels", "pulses each", "99 %", "energy", "time"]
    return Table("A write, layer by layer", columns, rows, is_folded=True)


def unwritten(report: RunDocument) -> str:
    """Why there are no numbers, where there are none."""
    facts = report.programming
    if facts is None or not facts.missing:
        return ""
    return f"No numbers of writing: {facts.missing}."


def worn(report: RunDocument) -> list[str]:
    """A warning where cells bear fewer writes than are asked for."""
    facts = report.programming
    if facts is None or not facts.is_worn or facts.writes_borne is None:
        return []
    return [
        f"Doubtful: {facts.writes:,} writes in a lifetime, and cells bear "
        f"{digits(facts.writes_borne)}."
    ]
