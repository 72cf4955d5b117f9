"""Parts of a run's page that are looked at second: time, cells, checks, actions, arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pimsim.report import charts
from pimsim.report.blocks import (
    Block,
    Cell,
    Picture,
    Table,
    count,
    digits,
    percentage,
    quantity,
    words,
)
from pimsim.report.inferences import n_inferences
from pimsim.report.provenance import origins
from pimsim.report.svg import inline_svg


def latency(report: Mapping[str, Any]) -> list[Block]:
    """Times, phases of a tile's operation, and where the cycles of each stage go."""
    time = report["latency"]
    times = [
        ("first inference", "first_cycles", "first_s"),
        ("from its last input to its scores", "after_last_input_cycles", "after_last_input_s"),
        ("each further inference", "cycles_per_inference", "interval_s"),
    ]
    rows = [[Cell(name), count(time[n]), quantity(time[s], "s")] for name, n, s in times]
    if time["frame_interval_s"] is not None:
        every = quantity(time["frame_interval_s"], "s").text
        share = percentage(time["duty_cycle"], 3)
        rows.append([Cell(f"awake, an input every {every}"), share, quantity(time["awake_s"], "s")])
    note = (
        f"Slowest: {time['slowest']}. Highest clock of the arrays: "
        f"{quantity(time['highest_clock_hz'], 'Hz').text}, set by {time['critical_path']}."
    )
    phases = [
        [Cell(p["phase"], origins=origins(report, "latency", p["phase"])),
         quantity(p["delay_s"], "s"), count(p["cycles"]), count(p["repeats"])]
        for p in time["phases"]
    ]  # fmt: skip
    stages = [
        [Cell(e["component"]), count(e["operations"]), count(e["cycles_per_operation"]),
         count(e["busy_cycles"]), count(e["starved_cycles"]), count(e["blocked_cycles"]),
         percentage(e["utilisation"], 1)]
        for e in time["components"]
    ]  # fmt: skip
    drawn = [e for e in time["components"] if " to " not in e["component"]]
    title = "Where the cycles go"
    svg = inline_svg(
        lambda figure: charts.draw_pipeline(figure, drawn), charts.height_of(len(drawn), 0.9), title
    )
    columns = ["component", "operations", "cycles each", "busy", "no input", "no room", "at work"]
    return [
        Picture(title, svg),
        Table("Times", ["", "cycles", "time"], rows, note),
        Table("Phases of the slowest tile", ["phase", "delay", "cycles", "repeats"], phases),
        Table("Every stage and link", columns, stages, is_folded=True),
    ]


def facts_of_noise(report: Mapping[str, Any]) -> str:
    """A paragraph: levels, noise of a decision, clipping, quantum."""
    noise = report["noise"]

    def or_off(source: str, key: str) -> str:
        return f"{noise[key]:.2f} mV" if noise["switches"][source] else "off"

    share = noise["clipped_cells"] / max(1, noise["programmed_cells"])
    return (
        f"Levels: {noise['levels']}. Noise at a decision {or_off('dynamic', 'sigma_dynamic_mv')}, "
        f"offset {or_off('offset', 'offset_mv')}; in units of pre-activation at most "
        f"{noise['sigma_dynamic_units']:.3f}. Cells clipped at zero current: {100 * share:.2f} %. "
        f"One quantum of current is {noise['quantum']:.2e} of full scale, at most "
        f"{noise['quantum_to_smallest_noise']:.3f} of the smallest noise. Time since programming: "
        f"{_age(noise['time_since_programming_s'])}."
    )


def _age(seconds: float) -> str:
    for unit, length in (("year", 31557600.0), ("day", 86400.0), ("hour", 3600.0)):
        if seconds >= length:
            return f"{seconds / length:.3g} {unit}{'' if seconds == length else 's'}"
    return f"{seconds:.3g} s"


def cells(report: Mapping[str, Any]) -> list[Block]:
    """Levels of the first matrix drawn, those of all as numbers, and the read-out."""
    matrices = report["noise"]["matrices"]
    title = "Levels of a cell"
    first = matrices[0]
    svg = inline_svg(lambda figure: charts.draw_levels(figure, first), 1.9, title)
    parts = list(first["level_spread_parts_full_scale"])
    levels = [
        [Cell(m["matrix"]), count(level), Cell(f"{100 * mean:.3f} %", mean),
         Cell(f"{100 * m['level_spread_full_scale'][level]:.3f} %",
              m["level_spread_full_scale"][level]),
         *(Cell(f"{100 * m['level_spread_parts_full_scale'][part][level]:.3f} %",
                m["level_spread_parts_full_scale"][part][level]) for part in parts)]
        for m in matrices
        for level, mean in enumerate(m["level_mean_full_scale"])
    ]  # fmt: skip
    read_out = [
        [Cell(m["matrix"]), quantity(m["volts_per_unit"], "V"),
         Cell(f"{m['capacitance_ff']:.4g} fF", m["capacitance_ff"]),
         Cell(f"{m['sigma_dynamic_mv']:.3f} mV", m["sigma_dynamic_mv"]),
         Cell(f"{m['sigma_dynamic_units']:.3f}", m["sigma_dynamic_units"]),
         Cell(f"{m['offset_units']:.3f}", m["offset_units"])]
        for m in matrices
    ]  # fmt: skip
    named = [part.replace("_", " ") for part in parts]
    caption = (
        f"{first['matrix']}: mean and spread as drawn (clipped at zero), as normal curves of "
        "one height; telling levels apart is what the read-out has to do."
    )
    return [
        Picture(title, svg, caption),
        Table("Levels of every matrix", ["matrix", "level", "mean", "spread", *named], levels,
              "Of full scale, before clipping.", is_folded=True),
        Table("Read-out of every matrix",
              ["matrix", "per unit", "capacitance", "kT/C noise", "in units", "offset, units"],
              read_out, is_folded=True),
    ]  # fmt: skip


def plausibility(report: Mapping[str, Any]) -> Table:
    """Every bound, kept or not."""

    def shown(value: float, unit: str) -> Cell:
        return quantity(value, unit) if len(unit) == 1 else Cell(digits(value), value)

    rows = [
        [Cell(check["check"] + ("" if len(check["unit"]) == 1 else f", {check['unit']}")),
         Cell(check["layer"]),
         shown(check["value"], check["unit"]), shown(check["limit"], check["unit"]),
         Cell("within" if check["passes"] else "DOUBTFUL")]
        for check in report["plausibility"]
    ]  # fmt: skip
    return Table("Bounds of each tile", ["check", "layer", "value", "limit", ""], rows)


def actions(report: Mapping[str, Any]) -> Table:
    """How often each component acted."""
    inferences = n_inferences(report)
    rows = [
        [words(component), words(action), count(number / inferences), count(number)]
        for component, done in report["actions"].items()
        for action, number in done.items()
    ]
    columns = ["component", "action", "per inference", "in all"]
    return Table("Actions counted", columns, rows)


def placement(report: Mapping[str, Any]) -> Table:
    """Arrays of each layer."""
    rows = [
        [Cell(entry["layer"]), *(count(entry[key]) for key in
                                 ("n_rows", "n_pairs", "n_arrays", "n_stacked"))]
        for entry in report["placement"]
    ]  # fmt: skip
    columns = ["layer", "rows", "column pairs", "arrays", "on one bit line"]
    return Table("Arrays", columns, rows)
