"""Pictures of a page, each as wide as a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from pimsim.report import words
from pimsim.report.blocks import marked, quantity
from pimsim.report.documents.costs import ComponentCycles
from pimsim.report.documents.measured import MetricFacts
from pimsim.report.documents.noise import MatrixFacts, NoiseSourceFacts
from pimsim.report.documents.run import RunDocument
from pimsim.report.figures import COLOURS
from pimsim.workload.metrics import Metric

REST = "#bbbbbb"
# components below this share of the largest bar are drawn together
NAMED_FROM = 0.01
# more chips are drawn as a distribution alone: a dot each would make pages of 100 MB
MAX_DOTS = 2000
# values that a density is estimated from
MAX_DRAWN = 20_000


def rows_of_bars(figure: FigureBase, labels: Sequence[str], xlabel: str) -> Axes:
    """Axes with a row for each label, the first on top and the words above their row."""
    axes = figure.subplots()
    axes.set_ylim(len(labels) - 0.5, -0.75)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(xlabel)
    for place, label in enumerate(labels):
        axes.annotate(label, (0, place - 0.42), xycoords=("axes fraction", "data"), va="center",
                      annotation_clip=False)  # fmt: skip
    return axes


def mark_zero(axes: Axes, n_rows: int) -> None:
    """A line at zero beside the bars of each row, which leaves the words above them readable."""
    places = np.arange(n_rows)
    axes.vlines([0.0] * n_rows, places - 0.24, places + 0.3, color="black", linewidth=0.8)


def draw_run(figure: Figure, report: RunDocument) -> None:
    """The metric over chips, and the effect of each noise source alone if it was run."""
    entries = [entry for entry in report.noise.noise_sources if entry.is_present]
    if not entries:
        draw_variants(figure, [""], [report.measured], report.metric)
        return
    left, right = figure.subfigures(1, 2, squeeze=False)[0]
    draw_variants(left, [""], [report.measured], report.metric)
    draw_noise_sources(right, entries, report.metric)


def draw_variants(
    figure: FigureBase, labels: Sequence[str], cases: Sequence[MetricFacts], metric: Metric
) -> None:
    """Distribution over chips, each chip, the mean's 95 % interval, a line at the ideal.

    Of more than `MAX_DOTS` chips, single ones are not drawn.

    Parameters
    ----------
    labels
        One for each case.
    cases
        `measured` of each report.
    metric
        Of all of them.
    """
    axes, factor = rows_of_bars(figure, labels, metric.axis), metric.factor
    for place, case in enumerate(cases):
        values = [factor * value for value in case.per_chip]
        colour = COLOURS[place % len(COLOURS)]
        if len(set(values)) > 1:
            # in order of size, so that some of very many still span all of them
            shown = sorted(values)[:: -(-len(values) // MAX_DRAWN)]
            parts: Any = axes.violinplot(
                [shown], [place], widths=0.6, showextrema=False, orientation="horizontal"
            )
            parts["bodies"][0].set(facecolor=colour, alpha=0.3, linewidth=0)
        if len(values) <= MAX_DOTS:
            axes.plot(values, place + stacked(values), ".", color=colour, markersize=4, alpha=0.8)
        if case.ci95 is not None:
            axes.plot([factor * bound for bound in metric.clipped(case.ci95)], [place + 0.33] * 2,
                      color=colour, linewidth=2.5, solid_capstyle="butt")  # fmt: skip
            axes.plot([factor * case.mean], [place + 0.33], "o", color=colour, markersize=5)
        ideal = factor * case.ideal
        axes.plot([ideal, ideal], [place - 0.28, place + 0.4], color="black", linewidth=1)
    axes.margins(x=0.04)


def stacked(values: Sequence[float], most: float = 0.2) -> np.ndarray[Any, Any]:
    """Heights that keep equal values apart: 0, then above and below in turn."""
    seen: dict[float, int] = {}
    places = []
    for value in values:
        rank = seen[value] = seen.get(value, -1) + 1
        places.append((rank + 1) // 2 * (-1) ** rank)
    heights = np.array(places, dtype=float)
    return heights * min(0.06, most / max(1.0, float(np.abs(heights).max())))


def draw_noise_sources(
    figure: FigureBase, entries: Sequence[NoiseSourceFacts], metric: Metric
) -> None:
    """Change of the metric by each source alone.

    Against ties by coin with its interval, where it is known: a change within it has no bar. Else
    from the ideal network, with the standard deviation over chips.
    """
    labels = [words.source(entry.source) for entry in entries]
    paired = any(entry.change_from_ties is not None for entry in entries)
    of = "ties by coin" if paired else f"the ideal {metric.name}"
    axes = rows_of_bars(figure, labels, f"change from {of} [{metric.difference}]")
    factor = metric.factor
    for place, entry in enumerate(entries):
        change, half = factor * entry.change_from_ideal, factor * (entry.std or 0.0)
        if paired:
            change = factor * (entry.change_from_ties or 0.0) if entry.is_significant else 0.0
            half = factor * (entry.ci95_half_width or 0.0)
        axes.barh(place, change, 0.34, color=COLOURS[0])
        if half:
            axes.errorbar(change, place, xerr=half, color="black", capsize=2.5,
                          linewidth=0.9)  # fmt: skip
    mark_zero(axes, len(entries))
    if not np.any(axes.dataLim.intervalx):
        # nothing moves: an axis of hundredths would promise what is not there
        axes.set_xlim(-1, 1)


def draw_pipeline(figure: FigureBase, components: Sequence[ComponentCycles]) -> None:
    """Share of each stage's cycles: at work, waiting for inputs, waiting for buffer space."""
    axes = rows_of_bars(
        figure, [entry.component for entry in components], "share of the simulated cycles [%]"
    )
    kinds = (("busy_cycles", "at work", COLOURS[0]), ("starved_cycles", "no input", COLOURS[5]),
             ("blocked_cycles", "no room ahead", COLOURS[1]))  # fmt: skip
    total = [e.busy_cycles / e.utilisation if e.utilisation else 0 for e in components]
    left = np.zeros(len(components))
    for key, label, colour in kinds:
        share = [100 * getattr(e, key) / (max(total) or 1) for e in components]
        axes.barh(range(len(components)), share, 0.34, left=left, color=colour, label=label)
        left += share
    if (left < 99.95).any():
        axes.barh(range(len(components)), 100 - left, 0.34, left=left, color=REST, label="done")
    axes.set_xlim(0, 100)
    legend_below(figure, axes)


def draw_levels(figure: FigureBase, matrix: MatrixFacts) -> None:
    """Densities of a cell's levels, all scaled to the same height."""
    axes = figure.subplots()
    means = matrix.level_mean_clipped_full_scale
    spreads = matrix.level_spread_clipped_full_scale
    for level, (mean, spread) in enumerate(zip(means, spreads, strict=True)):
        colour = COLOURS[level % len(COLOURS)]
        x = mean + spread * np.linspace(-3.5, 3.5, 41)
        height = np.exp(-0.5 * np.linspace(-3.5, 3.5, 41) ** 2)
        if spread > 0:
            axes.fill_between(x, height, color=colour, alpha=0.3, linewidth=0)
            axes.plot(x, height, color=colour, linewidth=1)
        axes.plot([mean, mean], [0, 1], color=colour, linewidth=1)
        axes.annotate(str(level), (mean, 1.03), ha="center", va="bottom")
    axes.set_yticks([])
    axes.set_ylim(0, 1.2)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("current of a cell, of full scale")


def draw_stacks(
    figure: FigureBase,
    labels: Sequence[str],
    cases: Sequence[Mapping[str, float]],
    factor: float,
    xlabel: str,
    rough: Sequence[bool] | None = None,
) -> None:
    """A bar for each case, its largest component first, small ones together at the end.

    Parameters
    ----------
    rough
        Cases whose total rests on assumptions, which is marked and has fewer digits.
    """
    axes = rows_of_bars(figure, labels, xlabel)
    names = dict.fromkeys(name for case in cases for name in case)
    most = {name: max(case.get(name, 0.0) for case in cases) for name in names}
    least = NAMED_FROM * max(sum(case.values()) for case in cases)
    ranked = sorted((name for name in names if most[name] >= least), key=lambda n: -most[n])
    # no more names than colours
    ranked = ranked[: len(COLOURS)]
    layers = [(words.named(name), [name], colour) for name, colour in zip(ranked, COLOURS)]  # noqa: B905
    rest = [name for name in names if name not in ranked]
    if rest:
        layers.append(("others", rest, REST))
    left = np.zeros(len(cases))
    for shown, parts, colour in layers:
        widths = [factor * sum(case.get(name, 0.0) for name in parts) for case in cases]
        axes.barh(range(len(cases)), widths, 0.4, left=left, color=colour, label=shown)
        left += widths
    for place, total in enumerate(left):
        text = marked(quantity(total, ""), rough is not None and rough[place]).said
        axes.annotate(f"  {text}", (total, place), va="center")
    axes.margins(x=0.14)
    axes.set_xlim(left=0)
    if len(layers) > 1:
        legend_below(figure, axes)


def n_lines_of(cases: Sequence[Mapping[str, float]]) -> int:
    """Number of lines of a legend that names every component."""
    return -(-len({name for case in cases for name in case}) // 3)


def legend_below(figure: FigureBase, axes: Axes) -> None:
    """A legend under the picture, three names to a line."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=3, fontsize=9,
                  handlelength=1.0, columnspacing=1.2)  # fmt: skip


def height_of(n_rows: int, extra: float = 0.55) -> float:
    """Height of a figure with a number of rows of `rows_of_bars` [inches]."""
    return 0.46 * n_rows + extra
