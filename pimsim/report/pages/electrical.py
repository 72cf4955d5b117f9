"""The electrical chain on a run's page: currents, voltages and errors of each matrix's lines."""

from __future__ import annotations

from pimsim.report.blocks import Cell, Table, marked, quantity
from pimsim.report.documents.run import RunDocument
from pimsim.report.pages.details import LINES
from pimsim.report.provenance import rests_on_assumed


def electrical(report: RunDocument) -> list[Table]:
    """Swing, common mode and headroom, then noise and mismatch; nothing for older documents."""
    facts = report.electrical
    if not facts:
        return []
    rough = rests_on_assumed(report.provenance, *LINES)

    def shown(value: float, unit: str) -> Cell:
        return marked(quantity(value, unit), rough)

    voltages = [
        [Cell(f.matrix), shown(f.transimpedance_v_per_a, "ohm"),
         shown(f.mean_line_current_a, "A"), shown(f.probed_mean_current_a, "A"),
         shown(f.probed_quantile_9999_current_a, "A"), shown(f.probed_highest_current_a, "A"),
         shown(f.input_range_v, "V"), shown(f.common_mode_v, "V"),
         shown(f.least_voltage_v, "V"), shown(f.needed_voltage_v, "V"),
         shown(f.settling_s, "s")]
        for f in facts
    ]  # fmt: skip
    errors = [
        [Cell(f.matrix), shown(f.capacitance_ff * 1e-15, "F"),
         shown(f.noise_of_lines_mv * 1e-3, "V"), shown(f.noise_of_read_out_mv * 1e-3, "V"),
         marked(Cell(f"{100 * f.mismatch:.3g} %", f.mismatch), rough),
         shown(f.mismatch_units, "")]
        for f in facts
    ]  # fmt: skip
    return [
        Table(
            "Bit lines of every matrix",
            ["matrix", "load", "expected", "mean", "99.99 %", "highest", "range, +-",
             "common mode", "left", "needed", "settling"],
            voltages,
            "Currents of one line: expected with the active rows of the chip file, the others "
            "at the exact network's inputs; left, needed: voltage below the load at the highest.",
            is_wide=True,
            on_terminal=False,
        ),
        Table(
            "Noise and mismatch of every matrix",
            ["matrix", "capacitance", "noise of lines", "of read-out", "mismatch", "in units"],
            errors,
            "Both sides of a pair together, whether or not the run has them on.",
            on_terminal=False,
        ),
    ]  # fmt: skip
