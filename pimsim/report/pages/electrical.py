"""The electrical chain on a run's page: currents, voltages and errors of each matrix's lines."""

from __future__ import annotations

from pimsim.report.blocks import Cell, Table, quantity
from pimsim.report.documents.run import RunDocument


def electrical(report: RunDocument) -> list[Table]:
    """Swing, common mode and headroom, then noise and mismatch; nothing for older documents."""
    facts = report.electrical
    if not facts:
        return []
    voltages = [
        [Cell(f.matrix), quantity(f.transimpedance_v_per_a, "ohm"),
         quantity(f.mean_line_current_a, "A"), quantity(f.probed_mean_current_a, "A"),
         quantity(f.probed_quantile_9999_current_a, "A"),
         quantity(f.probed_highest_current_a, "A"),
         quantity(f.input_range_v, "V"), quantity(f.common_mode_v, "V"),
         quantity(f.least_voltage_v, "V"), quantity(f.needed_voltage_v, "V"),
         quantity(f.settling_s, "s")]
        for f in facts
    ]  # fmt: skip
    errors = [
        [Cell(f.matrix), Cell(f"{f.capacitance_ff:.4g} fF", f.capacitance_ff),
         Cell(f"{f.noise_of_lines_mv:.3g} mV", f.noise_of_lines_mv),
         Cell(f"{f.noise_of_read_out_mv:.3g} mV", f.noise_of_read_out_mv),
         Cell(f"{100 * f.mismatch:.3g} %", f.mismatch),
         Cell(f"{f.mismatch_units:.3g}", f.mismatch_units)]
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
