"""Pictures of decisions: classes that are taken for others, sums beside their thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pimsim.report.charts import REST
from pimsim.report.documents.decisions import ClassesFacts, SumsFacts
from pimsim.report.figures import COLOURS

# more classes are a table alone
MAX_DRAWN = 24
# more have no numbers in their squares
MAX_NUMBERED = 12
# longer names are cut where they stand beside a picture
MAX_LETTERS = 10
# matrices that have a picture of their sums; the table has all
MAX_MATRICES = 8


def draw_confusion(figure: Figure, facts: ClassesFacts) -> None:
    """Share of each right class (a row) that was taken for each class (a column)."""
    axes, n = figure.subplots(), len(facts.names)
    for row, counts in enumerate(facts.confusion):
        total = sum(counts)
        for column, number in enumerate(counts):
            if not number:
                continue
            colour = COLOURS[0] if row == column else COLOURS[1]
            # the least share that there is can still be seen
            share = 0.12 + 0.78 * number / total
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour,
                                     alpha=share, linewidth=0))  # fmt: skip
            if n <= MAX_NUMBERED:
                axes.text(column, row, f"{100 * number / total:.0f}", ha="center", va="center",
                          fontsize=8)  # fmt: skip
    names = [_short(name) for name in facts.names]
    axes.set_xticks(range(n), names, rotation=90, fontsize=8)
    axes.set_yticks(range(n), names, fontsize=8)
    axes.set_xlim(-0.5, n - 0.5)
    axes.set_ylim(n - 0.5, -0.5)
    axes.grid(visible=False)
    axes.set_xlabel("found by the chips")
    axes.set_ylabel("right")


def _short(name: str) -> str:
    return name if len(name) <= MAX_LETTERS else f"{name[: MAX_LETTERS - 1]}\N{HORIZONTAL ELLIPSIS}"


def draw_sums(figure: Figure, matrices: Sequence[SumsFacts]) -> None:
    """Histogram of the sums of each matrix, with the error of a sum around the threshold."""
    every = figure.subplots(len(matrices), 1, squeeze=False)[:, 0]
    for axes, facts in zip(every, matrices, strict=True):
        total = sum(facts.counts) or 1
        edges = facts.first + facts.width * np.arange(len(facts.counts) + 1)
        shares = [100 * number / total for number in facts.counts]
        axes.axvspan(-facts.noise, facts.noise, color=COLOURS[1], alpha=0.35, linewidth=0,
                     label="\N{PLUS-MINUS SIGN} standard deviation of the error")  # fmt: skip
        axes.stairs(shares, edges, fill=True, color=REST, alpha=0.7, label="exact sums")
        axes.axvline(0, color="black", linewidth=1, label="threshold")
        axes.set_title(facts.matrix, fontsize=9, loc="left")
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(bottom=0)
        axes.set_ylabel("%")
    every[-1].set_xlabel("sum less threshold [level steps]")
    handles, labels = every[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=3, fontsize=8,
                  handlelength=1.0, columnspacing=1.0)  # fmt: skip
