"""A sweep as CSV, JSON, Parquet and plots over its axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pimsim.files import write_json
from pimsim.report.documents.base import MAX_NUMBER
from pimsim.report.documents.sweep import Goal, SweepDocument, SweepPoint
from pimsim.report.figures import COLOURS, MARKERS, one_look, save_figure
from pimsim.report.tables import write_csv, write_parquet
from pimsim.workload.metrics import Metric

# of the highest value: lines that are closer cannot be told apart
APART = 0.002


def write_sweep(document: SweepDocument, folder: Path, *, parquet: bool = False) -> list[Path]:
    """Write sweep.csv, .json, .svg and .png into a folder, and sweep.parquet if asked for."""
    stem, content = folder / "sweep", document.as_dict()
    with one_look():
        figure = Figure(figsize=(9.0, 6.4), layout="constrained")
        draw_sweep(figure, document)
        written = save_figure(figure, stem, "svg", "png")
    written.append(write_csv(content["points"], stem.with_suffix(".csv")))
    if parquet:
        written.append(write_parquet(content["points"], stem.with_suffix(".parquet")))
    written.append(write_json(stem.with_suffix(".json"), content))
    return written


def draw_sweep(figure: Figure, document: SweepDocument) -> None:
    """Draw lines over the longest numeric axis, one for each setting of the other axes."""
    rows, keys = document.finished, document.axes
    along = main_axis(rows, keys)
    others = [key for key in keys if key != along]
    lines = lines_of(rows, keys, along)
    for axes, goal in zip(figure.subplots(2, 2).flat, document.goals, strict=True):
        draw_panel(axes, lines, along, goal)
    if any(lines):
        figure.legend(
            *figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4,
            fontsize=8, title=", ".join(others), title_fontsize=8,
        )  # fmt: skip


def lines_of(
    rows: Sequence[SweepPoint], keys: Sequence[str], along: str
) -> dict[str, list[SweepPoint]]:
    """Rows of each setting of the axes other than `along`."""
    lines: dict[str, list[SweepPoint]] = {}
    for row in rows:
        lines.setdefault(", ".join(row.setting(k) for k in keys if k != along), []).append(row)
    return lines


def main_axis(rows: Sequence[SweepPoint], keys: Sequence[str]) -> str:
    """The longest numeric axis; the longest axis if none is numeric."""

    def rank(key: str) -> tuple[bool, int]:
        return numbers_of(rows, key) is not None, len({row.setting(key) for row in rows})

    return max(keys, key=rank)


def numbers_of(rows: Sequence[SweepPoint], key: str) -> list[float] | None:
    """Values as numbers, without their common unit; None if they are words."""
    values = [row.setting(key) for row in rows]
    numbers = [number_of(value) for value in values]
    if None in numbers:
        parts = [value.split() for value in values]
        if any(len(part) != 2 for part in parts) or len({part[1] for part in parts}) > 1:
            return None
        numbers = [number_of(part[0]) for part in parts]
    return [number for number in numbers if number is not None] if None not in numbers else None


def number_of(text: str) -> float | None:
    """A finite number that can be drawn and sorted; None for words."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) <= MAX_NUMBER else None


def coinciding(
    lines: Mapping[str, Sequence[SweepPoint]], along: str, goal: Goal
) -> list[list[str]]:
    """Names of lines that cannot be told apart in a figure; a list for each place of several."""
    highest = max(abs(getattr(row, goal.key)) for rows in lines.values() for row in rows)
    places: list[tuple[dict[str, float], list[str]]] = []
    for case, rows in lines.items():
        line = {row.setting(along): float(getattr(row, goal.key)) for row in rows}
        for other, cases in places:
            if other.keys() == line.keys() and all(
                abs(value - other[at]) <= APART * highest for at, value in line.items()
            ):
                cases.append(case)
                break
        else:
            places.append((line, [case]))
    return [cases for _, cases in places if len(cases) > 1]


def from_zero(axes: Axes, metric: Metric | None = None) -> None:
    """Costs of a figure begin at zero; a metric's axis ends where its values do."""
    low, high = axes.get_ylim()
    if metric is None:
        axes.set_ylim(0, high + 0.06 * abs(high))
        return
    ends = metric.clipped((low / metric.factor, high / metric.factor))
    low, high = (metric.factor * end for end in ends)
    axes.set_ylim(low, high + 0.02 * (high - low))


def draw_panel(
    axes: Axes, lines: Mapping[str, Sequence[SweepPoint]], along: str, goal: Goal
) -> None:
    """One figure over an axis, a line for each of `lines_of`; costs from zero.

    Of lines that coincide, the first has the largest markers, so that all are seen.
    """
    above = {
        case: len(cases) - 1 - place
        for cases in coinciding(lines, along, goal)
        for place, case in enumerate(cases)
    }
    values = list(dict.fromkeys(row.setting(along) for rows in lines.values() for row in rows))
    for index, (case, rows) in enumerate(lines.items()):
        numbers = numbers_of(rows, along)
        x = [float(values.index(r.setting(along))) for r in rows] if numbers is None else numbers
        y = [goal.factor * getattr(row, goal.key) for row in rows]
        colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
        style = "-" if numbers is not None else ""
        size = 4 + 3 * above.get(case, 0)
        axes.plot(x, y, color=colour, marker=marker, markersize=size, linestyle=style, label=case)
        of_chips = [row.of(goal.metric, "std") for row in rows] if goal.metric else []
        deviations = [value for value in of_chips if value is not None]
        if goal.metric and len(deviations) == len(rows):
            axes.errorbar(x, y, [goal.factor * value for value in deviations], color=colour,
                          fmt="none", capsize=2, linewidth=0.8)  # fmt: skip
        if numbers is None:
            axes.set_xticks(range(len(values)), values)
    from_zero(axes, goal.metric)
    axes.set_xlabel(along)
    axes.set_ylabel(goal.axis)
