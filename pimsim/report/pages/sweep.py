"""The page of a sweep: best points, lines over the longest axis, Pareto front, all points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pimsim.report.blocks import (
    NONE,
    Block,
    Cell,
    Headline,
    Page,
    Picture,
    Section,
    Table,
    count,
    of_metric,
    percentage,
    quantity,
)
from pimsim.report.charts import legend_below
from pimsim.report.documents.sweep import Goal, SweepDocument, SweepPoint
from pimsim.report.figures import COLOURS
from pimsim.report.provenance import study_again
from pimsim.report.sweep import draw_panel, lines_of, main_axis, number_of
from pimsim.workload.metrics import Metric

# a page of more rows is slow; sweep.csv has all
MAX_ROWS = 2000
# the terminal says how many there are, and shows the first
MAX_PRINTED = 60


def sweep_page(document: SweepDocument) -> Page:
    """The best points, lines over the longest axis, the Pareto front, and all points."""
    points, keys, rows = document.points, document.axes, document.finished
    n_front = sum(row.is_pareto for row in rows)
    failed = f", {len(points) - len(rows):,} that cannot be run" if len(rows) < len(points) else ""
    sections = [*_answer(document), Section("Along the axes", _panels(rows, keys, document.goals))]
    if len({row.energy_per_inference_j for row in rows}) > 1:
        sections.append(Section("Pareto front", [_front(rows, document.metric)]))
    seeds = dict.fromkeys(str(row.seed) for row in points if row.seed is not None)
    seed = ("seed", ", ".join(seeds) or "that of the model file")
    sections += [
        Section(
            "Every point",
            [_table(rows, keys, document.metric), *_failed(points, keys)],
            _first_failure(points),
        ),
        Section("Get it again", study_again(document.provenance, document.pimsim, seed),
                "The report of every point, with the sources of its numbers, lies in points/."),
    ]  # fmt: skip
    chosen = document.search
    of_all = "" if chosen is None else f", chosen by a search from {chosen.combinations:,}"
    return Page(
        title=f"{document.model} over {', '.join(keys)}",
        subtitle=f"{len(points):,} points{of_all}, {n_front:,} of them on the Pareto front{failed}",
        headlines=[_best(rows, keys, goal) for goal in document.goals],
        sections=sections,
        version=document.pimsim,
    )


def _answer(document: SweepDocument) -> list[Section]:
    """Points that keep the conditions of a question, the best first."""
    asked = document.question
    if asked is None:
        return []
    n_all = len(document.points)
    conditions = " and ".join(asked.where) or "no condition"
    if not asked.fitting:
        counts = [f"{n:,} keep {text}" for text, n in zip(asked.where, asked.kept, strict=True)]
        listed = ", ".join(counts) or "none can be run"
        text = f"No point keeps {conditions}: of {n_all:,}, {listed}."
        return [Section("Answer", [], text)]
    text = f"{len(asked.fitting):,} of {n_all:,} points keep {conditions}."
    if asked.answer is not None:
        best = document.points[asked.answer]
        text += f" Best in {asked.best}: {_setting(best, document.axes)}."
    table = _table([document.points[at] for at in asked.fitting], document.axes, document.metric)
    return [Section("Answer", [replace(table, title="Points that fit, the best first")], text)]


def _first_failure(points: Sequence[SweepPoint]) -> str:
    failed = [point for point in points if point.error is not None]
    if not failed:
        return ""
    return f"{len(failed)} of {len(points)} points cannot be run; the first: {failed[0].error}"


def _setting(row: SweepPoint, keys: Sequence[str]) -> str:
    return ", ".join(f"{key.rpartition('.')[2]} {row.setting(key)}" for key in keys)


def _shown(goal: Goal, value: float) -> Cell:
    return of_metric(value, goal.metric) if goal.metric else quantity(value, goal.unit)


def _best(rows: Sequence[SweepPoint], keys: Sequence[str], goal: Goal) -> Headline:
    values = [float(getattr(row, goal.key)) for row in rows]
    value = max(values) if goal.is_more_better else min(values)
    best = rows[values.index(value)]
    equal = values.count(value) - 1
    notes = [f"at {_setting(best, keys)}"] if equal < len(rows) - 1 else ["at every point"]
    if 0 < equal < len(rows) - 1:
        notes.append(f"and at {equal:,} other point{'s' if equal > 1 else ''}")
    deviation = best.of(goal.metric, "std") if goal.metric else None
    if goal.metric and deviation is not None:
        chips = f"over {best.chips} chips"
        notes.insert(0, f"\N{PLUS-MINUS SIGN} {goal.metric.number(deviation)} {chips}")
    return Headline(goal.best, _shown(goal, value), notes)


def _panels(rows: Sequence[SweepPoint], keys: Sequence[str], goals: Sequence[Goal]) -> list[Block]:
    along = main_axis(rows, keys)
    lines = lines_of(rows, keys, along)

    def panel(goal: Goal) -> Picture:
        def draw(figure: Figure) -> None:
            axes = figure.subplots()
            draw_panel(axes, lines, along, goal)
            if any(lines):
                legend_below(figure, axes)

        title = goal.axis[0].upper() + goal.axis.partition(" [")[0][1:]
        return Picture(title, draw, 3.0 + 0.06 * len(lines))

    return [panel(goal) for goal in goals if len({getattr(row, goal.key) for row in rows}) > 1]


def _front(rows: Sequence[SweepPoint], metric: Metric) -> Picture:
    """The metric over energy; the points of the front are filled."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for is_front, label, colour in (
            (False, "others", COLOURS[6]), (True, "Pareto front", COLOURS[1])
        ):  # fmt: skip
            shown = [row for row in rows if row.is_pareto == is_front]
            axes.plot([1e9 * (row.energy_per_inference_j or 0.0) for row in shown],
                      [metric.factor * (row.of(metric) or 0.0) for row in shown], "o", color=colour,
                      markersize=5, markerfacecolor=colour if is_front else "none",
                      label=label)  # fmt: skip
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.set_xlabel("energy per inference [nJ]")
        axes.set_ylabel(metric.axis)
        legend_below(figure, axes)

    caption = (
        f"None is better than a point of the front in {metric.name}, energy, area and time at once."
    )
    return Picture(f"{metric.title} and energy", draw, 3.0, caption)


def _table(rows: Sequence[SweepPoint], keys: Sequence[str], metric: Metric) -> Table:
    has_yield = any(row.yield_ is not None for row in rows)
    # an axis of that name has a column of its own
    counted = [] if "chips" in keys else ["chips"]
    columns = [*(key.rpartition(".")[2] for key in keys), metric.short, "std", "95 % of the mean",
               *counted, *(["yield"] if has_yield else []), "energy", "area", "interval",
               "doubtful", "Pareto"]  # fmt: skip
    cells = [_row(row, keys, metric, has_yield) for row in rows[:MAX_ROWS]]
    more = f"Here are {MAX_ROWS:,} of {len(rows):,}; sweep.csv has all."
    return Table(
        f"{len(rows):,} points",
        columns,
        cells,
        more if len(rows) > MAX_ROWS else "",
        "A click on a heading sorts.",
        is_wide=True,
        page_only=("95 % of the mean", *counted, "doubtful"),
        max_printed=MAX_PRINTED,
    )


def _row(row: SweepPoint, keys: Sequence[str], metric: Metric, has_yield: bool) -> list[Cell]:
    ends = (row.of(metric, "ci95_low"), row.of(metric, "ci95_high"))
    interval = NONE if None in ends else " to ".join(map(metric.number, ends))
    energy, area, time = (
        quantity(float(value or 0.0), unit)
        for value, unit in (
            (row.energy_per_inference_j, "J"), (row.area_m2, "m2"), (row.interval_s, "s")
        )
    )  # fmt: skip
    return [
        *(_value(row.setting(key)) for key in keys),
        of_metric(row.of(metric), metric), of_metric(row.of(metric, "std"), metric), Cell(interval),
        *([] if "chips" in keys else [_value(str(row.chips))]),
        *([percentage(row.yield_)] if has_yield else []),
        energy, area, time,
        count(row.doubtful or 0), Cell("front" if row.is_pareto else ""),
    ]  # fmt: skip


def _failed(points: Sequence[SweepPoint], keys: Sequence[str]) -> list[Block]:
    """Points that cannot be run, and why."""
    cells = [
        [*(_value(row.setting(key)) for key in keys), Cell(row.error)]
        for row in points
        if row.error is not None
    ]
    title = "Points that cannot be run"
    return [Table(title, [*keys, "why"], cells[:MAX_ROWS], is_wide=True)] if cells else []


def _value(text: str) -> Cell:
    """A value of an axis, sorted as a number if it is one."""
    number = number_of(text)
    return Cell(text) if number is None else Cell(text, number)
