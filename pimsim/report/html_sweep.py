"""The page of a sweep, from sweep.json."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
    digits,
    percentage,
    quantity,
)
from pimsim.report.charts import legend_below
from pimsim.report.figures import COLOURS
from pimsim.report.provenance import study_again
from pimsim.report.svg import inline_svg
from pimsim.report.sweep import PANELS, draw_panel, lines_of, main_axis, run_rows

# a page of more rows is slow; sweep.csv has all
MOST_ROWS = 2000
_GOALS = (
    ("Highest accuracy", "accuracy", -1.0),
    ("Lowest energy per inference", "energy_per_inference_j", 1.0),
    ("Shortest time per inference", "interval_s", 1.0),
    ("Smallest area", "area_m2", 1.0),
)
_SHOWN: dict[str, Callable[[float], Cell]] = {
    "accuracy": percentage,
    "energy_per_inference_j": lambda value: quantity(value, "J"),
    "interval_s": lambda value: quantity(value, "s"),
    "area_m2": lambda value: quantity(value, "m2"),
}


def sweep_page(document: Mapping[str, Any]) -> Page:
    """The best points, lines over the longest axis, the Pareto front, and all points."""
    points, keys = document["points"], document["axes"]
    rows = run_rows(points)
    n_front = sum(row["is_pareto"] for row in rows)
    failed = f", {len(points) - len(rows):,} that cannot be run" if len(rows) < len(points) else ""
    sections = [Section("Along the axes", _panels(rows, keys))]
    if len({row["energy_per_inference_j"] for row in rows}) > 1:
        sections.append(Section("Pareto front", [_front(rows)]))
    sections += [
        Section("Every point", [_table(rows, keys), *_failed(points, keys)]),
        Section(
            "Get it again",
            study_again(document["provenance"], document["pimsim"], *_seeds(document)),
            "The report of every point, with the sources of its numbers, lies in points/.",
        ),
    ]
    return Page(
        title=f"{document['model']} over {', '.join(keys)}",
        subtitle=f"{len(points):,} points, {n_front:,} of them on the Pareto front{failed}",
        headlines=[_best(rows, keys, *goal) for goal in _GOALS],
        sections=sections,
        version=document["pimsim"],
    )


def _seeds(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    seeds = dict.fromkeys(str(row["seed"]) for row in document["points"] if "seed" in row)
    return [("seed", ", ".join(seeds) or "that of the model file")]


def _setting(row: Mapping[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(f"{key.rpartition('.')[2]} {row[key]}" for key in keys)


def _best(
    rows: Sequence[Mapping[str, Any]], keys: Sequence[str], label: str, name: str, sign: float
) -> Headline:
    best = min(rows, key=lambda row: sign * row[name])
    equal = sum(row[name] == best[name] for row in rows) - 1
    notes = [f"at {_setting(best, keys)}"] if equal < len(rows) - 1 else ["at every point"]
    if 0 < equal < len(rows) - 1:
        notes.append(f"and at {equal:,} other point{'s' if equal > 1 else ''}")
    if name == "accuracy" and best["accuracy_std"] is not None:
        chips = f"over {best['chips']} chips"
        notes.insert(0, f"\N{PLUS-MINUS SIGN} {100 * best['accuracy_std']:.2f} {chips}")
    return Headline(label, _SHOWN[name](best[name]), notes)


def _panels(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[Block]:
    along = main_axis(rows, keys)
    lines = lines_of(rows, keys, along)

    def panel(name: str, factor: float, label: str) -> Picture:
        def draw(figure: Figure) -> None:
            axes = figure.subplots()
            draw_panel(axes, lines, along, name, factor, label)
            if any(lines):
                legend_below(figure, axes)

        title = label[0].upper() + label.partition(" [")[0][1:]
        return Picture(title, inline_svg(draw, 3.0 + 0.06 * len(lines), title))

    return [panel(*entry) for entry in PANELS if len({row[entry[0]] for row in rows}) > 1]


def _front(rows: Sequence[Mapping[str, Any]]) -> Picture:
    """Accuracy over energy; the points of the front are filled."""
    title = "Accuracy and energy"

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for is_front, marker, colour in ((False, "o", COLOURS[6]), (True, "o", COLOURS[1])):
            shown = [row for row in rows if row["is_pareto"] == is_front]
            axes.plot([1e9 * row["energy_per_inference_j"] for row in shown],
                      [100 * row["accuracy"] for row in shown], marker, color=colour, markersize=5,
                      markerfacecolor=colour if is_front else "none",
                      label="Pareto front" if is_front else "others")  # fmt: skip
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.set_xlabel("energy per inference [nJ]")
        axes.set_ylabel("accuracy [%]")
        legend_below(figure, axes)

    caption = "None is better than a point of the front in accuracy, energy, area and time at once."
    return Picture(title, inline_svg(draw, 3.0, title), caption)


def _table(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> Table:
    cells = []
    has_yield = any(row["yield"] is not None for row in rows)
    for row in rows[:MOST_ROWS]:
        interval = NONE
        if row["accuracy_ci95_low"] is not None:
            interval = " to ".join(
                f"{100 * row[f'accuracy_ci95_{end}']:.2f}" for end in ("low", "high")
            )
        cells.append([
            *(_value(row[key]) for key in keys),
            percentage(row["accuracy"]), percentage(row["accuracy_std"]), Cell(interval),
            count(row["chips"]),
            *([percentage(row["yield"])] if has_yield else []),
            quantity(row["energy_per_inference_j"], "J"), quantity(row["area_m2"], "m2"),
            quantity(row["interval_s"], "s"),
            Cell(digits(row["tops_per_w"]), row["tops_per_w"]),
            count(row["doubtful"]), Cell("front" if row["is_pareto"] else ""),
        ])  # fmt: skip
    columns = [*keys, "accuracy", "std", "95 % of the mean", "chips",
               *(["yield"] if has_yield else []), "energy", "area",
               "each further", "TOPS/W", "doubtful", "Pareto"]  # fmt: skip
    more = f" Here are {MOST_ROWS:,} of {len(rows):,}; sweep.csv has all."
    note = "A click on a heading sorts." + (more if len(rows) > MOST_ROWS else "")
    return Table("", columns, cells, note, is_wide=True)


def _failed(points: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[Block]:
    """Points that cannot be run, and why."""
    failed = [row for row in points if row.get("error")]
    cells = [[*(_value(row[key]) for key in keys), Cell(row["error"])] for row in failed]
    title = "Points that cannot be run"
    return [Table(title, [*keys, "why"], cells[:MOST_ROWS], is_wide=True)] if failed else []


def _value(text: str) -> Cell:
    """A value of an axis, sorted as a number if it is one."""
    try:
        return Cell(text, float(text))
    except ValueError:
        return Cell(text)
