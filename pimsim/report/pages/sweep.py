"""The page of a sweep: best points, lines over the longest axis, Pareto front, all points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from matplotlib.figure import Figure

from pimsim.report import words
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
    marked,
    of_metric,
    percentage,
    quantity,
)
from pimsim.report.charts import legend_below
from pimsim.report.documents.sweep import COSTS, Goal, SweepDocument, SweepPoint
from pimsim.report.figures import COLOURS, MARKERS
from pimsim.report.provenance import study_again
from pimsim.report.sweep import coinciding, draw_panel, from_zero, lines_of, main_axis, number_of
from pimsim.workload.metrics import Metric

# a page of more rows is slow; sweep.csv has all
MAX_ROWS = 2000
# the terminal says how many there are, and shows the first
MAX_PRINTED = 60
# points of a front that are named in its pictures
MAX_NAMED = 8


def sweep_page(document: SweepDocument) -> Page:
    """The best points, lines over the longest axis, the Pareto front, and all points."""
    points, keys, rows = document.points, document.axes, document.finished
    n_front = sum(row.is_pareto for row in rows)
    failed = f", {len(points) - len(rows):,} that cannot be run" if len(rows) < len(points) else ""
    goals = [goal for goal in document.goals if _varies(rows, goal)]
    along = main_axis(rows, keys)
    lines = lines_of(rows, keys, along)
    fronts = [_front(lines, along, document.goals[0], goal) for goal in goals if not goal.metric]
    panels = [_panel(lines, along, goal) for goal in goals]
    others = ", ".join(key for key in keys if key != along)
    lines_are = f"A line for each setting of {others}." if others else ""
    sections = [
        *_answer(document),
        Section(
            "Along the axes",
            panels,
            " ".join(filter(None, (_unchanged(rows, document.goals), lines_are))),
        ),
        *([Section("Pareto front", fronts, _about_front(document.metric))] if fronts else []),
    ]
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
        warnings=[words.SYNTHETIC] if any(row.is_synthetic_data for row in rows) else [],
    )


def _varies(rows: Sequence[SweepPoint], goal: Goal) -> bool:
    return len({getattr(row, goal.key) for row in rows}) > 1


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
    said = [f"{len(asked.fitting):,} of {n_all:,} points keep {conditions}."] if asked.where else []
    if asked.answer is not None:
        best = document.points[asked.answer]
        said.append(f"Best in {asked.best}: {_setting(best, document.axes)}.")
    text = " ".join(said)
    table = _table([document.points[at] for at in asked.fitting], document.axes, document.metric)
    return [Section("Answer", [replace(table, title="Points that fit, the best first")], text)]


def _first_failure(points: Sequence[SweepPoint]) -> str:
    failed = [point for point in points if point.error is not None]
    if not failed:
        return ""
    return f"{len(failed)} of {len(points)} points cannot be run; the first: {failed[0].error}"


def _setting(row: SweepPoint, keys: Sequence[str]) -> str:
    return ", ".join(f"{key.rpartition('.')[2]} {row.setting(key)}" for key in keys)


def _shown(goal: Goal, row: SweepPoint) -> Cell:
    value = float(getattr(row, goal.key))
    if goal.metric:
        return of_metric(value, goal.metric)
    return marked(quantity(value, goal.unit), row.is_assumed(goal.figure))


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
    return Headline(goal.best, _shown(goal, best), notes)


def _unchanged(rows: Sequence[SweepPoint], goals: Sequence[Goal]) -> str:
    """A sentence on the figures that no axis changes."""
    same = [_name(goal) for goal in goals if not _varies(rows, goal)]
    return f"No change at any point: {', '.join(same)}." if same and len(rows) > 1 else ""


def _name(goal: Goal) -> str:
    return goal.axis.partition(" [")[0]


def _panel(lines: Mapping[str, Sequence[SweepPoint]], along: str, goal: Goal) -> Picture:
    """A figure along the longest axis; the caption has its span, and lines that hide others."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        draw_panel(axes, lines, along, goal)
        if any(lines):
            legend_below(figure, axes)

    rows = [row for line in lines.values() for row in line]
    lowest, highest = (f(rows, key=lambda row: getattr(row, goal.key)) for f in (min, max))
    low, high = (float(getattr(row, goal.key)) for row in (lowest, highest))
    span = f", {100 * (high / low - 1):.3g} % more" if not goal.metric and low > 0 else ""
    said = [f"{_shown(goal, lowest).said} to {_shown(goal, highest).said}{span}."]
    if goal.metric and all(row.of(goal.metric, "std") is not None for row in rows):
        said.append("Bars: standard deviation over chips.")
    said += [f"Not told apart: {' = '.join(cases)}." for cases in coinciding(lines, along, goal)]
    title = _name(goal)
    return Picture(title[0].upper() + title[1:], draw, 3.0 + 0.06 * len(lines), " ".join(said))


def _about_front(metric: Metric) -> str:
    return (
        f"No point is better than one of the front in {metric.name}, energy, area and time at "
        f"once. The means decide: points whose 95 % intervals of {metric.name} overlap may change "
        "places with other chips."
    )


def _front(
    lines: Mapping[str, Sequence[SweepPoint]], along: str, metric_goal: Goal, goal: Goal
) -> Picture:
    """The metric over a cost in the colours of the lines; points of the front filled and named."""
    metric = metric_goal.metric
    assert metric is not None

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for index, (case, rows) in enumerate(lines.items()):
            look: dict[str, Any] = {"color": COLOURS[index % len(COLOURS)], "linestyle": "none"}
            marker = MARKERS[index % len(MARKERS)]
            for row in rows:
                at = (goal.factor * getattr(row, goal.key), metric.factor * (row.of(metric) or 0.0))
                ends = _interval(row, metric)
                if row.is_pareto and ends is not None:
                    axes.plot([at[0]] * 2, [metric.factor * end for end in ends], "-",
                              color=look["color"], linewidth=0.8)  # fmt: skip
                axes.plot(*at, marker, markersize=5, **look,
                          markerfacecolor=look["color"] if row.is_pareto else "none")  # fmt: skip
                if row.is_pareto and n_front <= MAX_NAMED:
                    # names of neighbours, one above the other
                    place = (4, 4 + 9 * (len(axes.texts) % 3))
                    axes.annotate(row.setting(along), at, place, textcoords="offset points",
                                  fontsize=8)  # fmt: skip
            axes.plot([], [], marker, label=case, **look)
        axes.set_xlim(0, 1.15 * axes.dataLim.x1)
        from_zero(axes, metric)
        axes.set_xlabel(goal.axis)
        axes.set_ylabel(metric.axis)
        if any(lines):
            legend_below(figure, axes)

    n_front = sum(row.is_pareto for line in lines.values() for row in line)
    named = f", named by {along.rpartition('.')[2]}" if n_front <= MAX_NAMED else ""
    caption = f"Filled: the front{named}; bar: 95 % interval of the mean."
    title = f"{metric.title} and {_name(goal)}"
    return Picture(title, draw, 3.0 + 0.06 * len(lines), caption)


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
    ends = _interval(row, metric)
    interval = NONE if ends is None else " to ".join(map(metric.number, ends))
    energy, area, time = (_shown(goal, row) for goal in COSTS)
    return [
        *(_value(row.setting(key)) for key in keys),
        of_metric(row.of(metric), metric), of_metric(row.of(metric, "std"), metric), Cell(interval),
        *([] if "chips" in keys else [_value(str(row.chips))]),
        *([percentage(row.yield_)] if has_yield else []),
        energy, area, time,
        count(row.doubtful or 0), Cell("front" if row.is_pareto else ""),
    ]  # fmt: skip


def _interval(row: SweepPoint, metric: Metric) -> tuple[float, float] | None:
    """The 95 % interval of a mean within what there can be; None for one chip."""
    low, high = row.of(metric, "ci95_low"), row.of(metric, "ci95_high")
    return None if low is None or high is None else metric.clipped((low, high))


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
