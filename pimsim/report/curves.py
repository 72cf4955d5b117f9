"""The picture of a training: loss and validation, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from pimsim.report import words
from pimsim.report.figures import COLOURS, one_look, save_figure
from pimsim.workload.metrics import ACCURACY, Metric


def write_curves(log: Sequence[Mapping[str, Any]], stem: Path) -> Path:
    """Draw a training's log as `stem`.svg: loss above, validation below.

    Parameters
    ----------
    log : list of dict
        One entry per epoch, as in `log.jsonl`.
    stem : Path
    """
    with one_look():
        figure = Figure(figsize=(6.4, 5.4), layout="constrained")
        loss, below = figure.subplots(2, 1, sharex=True)
        draw_loss(loss, log)
        draw_validation(below, log)
        below.set_xlabel("epoch")
        below.legend(loc="lower right" if metric_of(log).is_more_better else "upper right")
        return save_figure(figure, stem, "svg")[0]


def draw_loss(axes: Axes, log: Sequence[Mapping[str, Any]]) -> None:
    """Training loss, epoch by epoch."""
    axes.plot(range(1, len(log) + 1), [entry["loss"] for entry in log], color=COLOURS[0])
    axes.set_ylabel("training loss")
    axes.set_yscale("log")
    # plain numbers, not powers of ten: most losses lie within two decades
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    losses = [entry["loss"] for entry in log]
    # within less than a decade, each mark has its number
    shown = "25" if max(losses, default=1.0) > 5 * min(losses, default=1.0) else "123456789"
    axes.yaxis.set_minor_formatter(lambda x, _: f"{x:g}" if f"{x:e}"[0] in shown else "")
    _mark_stages(axes, log)


def metric_of(log: Sequence[Mapping[str, Any]]) -> Metric:
    """Metric that the epochs of a training measured on the validation set."""
    found = (
        metric
        for key, (_, metric) in words.VALIDATIONS.items()
        if any(entry.get(key) is not None for entry in log)
    )
    return next(found, ACCURACY)


def draw_validation(axes: Axes, log: Sequence[Mapping[str, Any]]) -> None:
    """Metrics on the validation set, at epochs that measured them."""
    metric = metric_of(log)
    for colour, (key, (label, _)) in zip(COLOURS, words.VALIDATIONS.items(), strict=False):
        known = [i for i, entry in enumerate(log) if key in entry]
        if known:
            values = [metric.factor * log[i][key] for i in known]
            axes.plot([i + 1 for i in known], values, color=colour, label=label, marker=".")
    axes.set_ylabel(f"validation {metric.axis}")
    _mark_stages(axes, log)


def _mark_stages(axes: Axes, log: Sequence[Mapping[str, Any]]) -> None:
    """A line where a stage begins, and its name above."""
    for start, entry in enumerate(log):
        if start and entry["stage"] == log[start - 1]["stage"]:
            continue
        axes.axvline(start + 0.5, color="#555555", linewidth=0.6)
        place = axes.get_subplotspec()
        if place is None or place.is_first_row():
            axes.annotate(str(entry["stage"]), (start + 0.6, 1.0), va="bottom", fontsize=8,
                          xycoords=("data", "axes fraction"))  # fmt: skip
