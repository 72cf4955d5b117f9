"""Details of a run's page: time, cells, bounds, actions, arrays."""

from __future__ import annotations

from pimsim.report import charts, words
from pimsim.report.blocks import (
    ASSUMED_MARK,
    Block,
    Cell,
    Picture,
    Table,
    count,
    marked,
    named,
    percentage,
    quantity,
)
from pimsim.report.documents.costs import LatencyFacts
from pimsim.report.documents.run import RunDocument
from pimsim.report.provenance import assumed_figures, is_assumed, origins, rests_on_assumed

# blocks that voltages, currents and noise of bit lines follow from
LINES = ("chip.bit_line", "chip.load", "chip.clamp", "chip.read_out")


def latency(report: RunDocument) -> list[Block]:
    """Latency, phases of a tile's operation, and the use of each stage's cycles."""
    time = report.latency
    phases = [
        [Cell(words.named(p.phase), origins=origins(report.provenance, "latency", p.phase)),
         marked(quantity(p.delay_s, "s"), is_assumed(report.provenance, "latency", p.phase)),
         count(p.cycles), count(p.repeats)]
        for p in time.phases
    ]  # fmt: skip
    stages = [
        [Cell(e.component), count(e.operations), count(e.cycles_per_operation),
         count(e.busy_cycles), count(e.starved_cycles), count(e.blocked_cycles),
         percentage(e.utilisation, 1)]
        for e in time.components
    ]  # fmt: skip
    drawn = [e for e in time.components if not e.is_link]
    columns = ["component", "operations", "cycles each", "busy", "no input", "no room", "at work"]
    return [
        Picture(
            "Where the cycles go",
            lambda figure: charts.draw_pipeline(figure, drawn),
            charts.height_of(len(drawn), 0.9),
        ),
        _times(time, "latency" in assumed_figures(report.provenance)),
        Table("Phases of the slowest tile", ["phase", "delay", "cycles", "repeats"], phases,
              on_terminal=False),
        Table("Every stage and link", columns, stages, is_folded=True),
    ]  # fmt: skip


def _times(time: LatencyFacts, is_rough: bool) -> Table:
    def shown(value: float, unit: str = "s") -> Cell:
        return marked(quantity(value, unit), is_rough)

    rows = [
        [Cell("first inference"), count(time.first_cycles), shown(time.first_s)],
        [
            Cell("from its last input to its scores"),
            count(time.after_last_input_cycles),
            shown(time.after_last_input_s),
        ],
        [
            Cell(words.INTERVAL),
            count(time.cycles_per_inference),
            shown(time.interval_s),
        ],
    ]
    if time.frame_interval_s is not None:
        every = quantity(time.frame_interval_s, "s").text
        label = Cell(f"awake, an input every {every}")
        rows.append([label, percentage(time.duty_cycle, 3), shown(time.awake_s)])
    slowest = next((e for e in time.components if e.component == time.slowest), None)
    busy = f", busy {100 * slowest.utilisation:.2g} %" if slowest else ""
    # reports of earlier versions do not say what sets the interval
    sets = f"The interval is set by {words.listed(time.bottleneck)}. " if time.bottleneck else ""
    note = (
        f"At {quantity(time.clock_hz, 'Hz').text}. Slowest component: {time.slowest}{busy}. {sets}"
        f"Highest clock of the arrays: {shown(time.highest_clock_hz, 'Hz').said}, set by "
        f"{time.critical_path}."
    )
    return Table("Times", ["", "cycles", "time"], rows, note)


def facts_of_noise(report: RunDocument) -> str:
    """A paragraph: levels, noise of a decision, clipping, quantum; of a digital chip the first."""
    noise = report.noise
    if report.run.without_device:
        return f"Levels: {noise.levels}. Sums are exact: {report.run.without_device}."
    switches = noise.switches
    mark = ASSUMED_MARK if rests_on_assumed(report.provenance, *LINES) else ""
    dynamic = f"{mark}{noise.sigma_dynamic_mv:.2f} mV" if switches.dynamic else "off"
    offset = f"{mark}{noise.offset_mv:.2f} mV" if switches.offset else "off"
    return (
        f"Levels: {noise.levels}. Standard deviations: noise at a decision {dynamic}, "
        f"offset {offset}; in units of pre-activation at most {mark}"
        f"{noise.sigma_dynamic_units:.3f}. "
        f"Cells clipped at zero current: {100 * noise.clipped_share:.2f} %. "
        f"One quantum of current is {noise.quantum:.2e} of full scale, at most "
        f"{noise.quantum_to_smallest_noise:.3f} of the smallest noise. Time since programming: "
        f"{words.age(noise.time_since_programming_s)}."
    )


def cells(report: RunDocument) -> list[Block]:
    """Levels of the first matrix drawn, those of all as numbers, and the read-out.

    Nothing for a chip whose cells hold bits.
    """
    matrices = report.noise.matrices
    if report.run.without_device:
        return []
    first = matrices[0]
    parts = list(first.level_spread_parts_full_scale)
    levels = [
        [Cell(m.matrix), count(level), _share(mean), _share(m.level_spread_full_scale[level]),
         *(_share(m.level_spread_parts_full_scale[part][level]) for part in parts)]
        for m in matrices
        for level, mean in enumerate(m.level_mean_full_scale)
    ]  # fmt: skip
    rough = rests_on_assumed(report.provenance, *LINES)
    read_out = [
        [Cell(m.matrix),
         *(marked(cell, rough) for cell in (
             quantity(m.volts_per_unit, "V"), quantity(m.capacitance_ff * 1e-15, "F"),
             quantity(m.sigma_dynamic_mv * 1e-3, "V"), quantity(m.sigma_dynamic_units, ""),
             quantity(m.offset_units, "")))]
        for m in matrices
    ]  # fmt: skip
    caption = (
        f"{first.matrix}: mean and standard deviation as drawn (clipped at zero), as normal curves "
        "of one height; telling levels apart is what the read-out has to do."
    )
    short = [words.short_source(part) for part in parts]
    return [
        Picture("Levels of a cell", lambda figure: charts.draw_levels(figure, first), 1.9, caption),
        Table("Levels of every matrix", ["matrix", "level", "mean", "std", *short], levels,
              "Of full scale, before clipping; standard deviations by source.", is_folded=True),
        Table("Read-out of every matrix",
              ["matrix", "per unit", "capacitance", "kT/C noise", "in units", "offset, units"],
              read_out, is_folded=True),
    ]  # fmt: skip


def _share(fraction: float) -> Cell:
    return percentage(fraction, 3)


def bounds(report: RunDocument) -> list[Table]:
    """Every limit, and whether it is kept; nothing where no line carries a current.

    A time of integration that follows from what lines need is its own limit, and is left out.
    """
    if not report.plausibility:
        return []

    rough = rests_on_assumed(report.provenance, *LINES, "chip.limits")

    def shown(value: float, unit: str) -> Cell:
        return marked(quantity(value, unit if len(unit) == 1 else ""), rough)

    rows = [
        [Cell(check.check + ("" if len(check.unit) == 1 else f", {check.unit}")),
         Cell(check.layer),
         shown(check.value, check.unit),
         shown(check.limit, check.unit),
         Cell("within" if check.passes else "DOUBTFUL")]
        for check in report.plausibility
        if check.check != "integration" or check.value != check.limit
    ]  # fmt: skip
    columns = ["check", "layer", "value", "limit", ""]
    return [Table("Bounds of each tile", columns, rows, on_terminal=False)]


def actions(report: RunDocument) -> Table:
    """Number of actions of each component, in one inference and in all of them."""
    rows = [
        [named(component), named(action), count(number / report.n_inferences), count(number)]
        for component, done in report.actions.items()
        for action, number in done.items()
    ]
    columns = ["component", "action", "per inference", "in all"]
    return Table("Actions counted", columns, rows)


def placement(report: RunDocument) -> Table:
    """Arrays of each layer."""
    rows = [
        [Cell(entry.layer), count(entry.n_rows), count(entry.n_pairs), count(entry.n_arrays),
         count(entry.n_stacked), Cell(words.named(entry.read_out or "")),
         percentage(entry.clipped_share)]
        for entry in report.placement
    ]  # fmt: skip
    columns = ["layer", "rows", "column pairs", "arrays", "below each other", "read-out",
               "sums clipped"]  # fmt: skip
    if all(entry.clipped_share is None for entry in report.placement):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    # a chip with one kind of read-out needs no table on the terminal to say so
    is_mixed = len({entry.read_out for entry in report.placement}) > 1
    return Table("Arrays", columns, rows, on_terminal=is_mixed)
