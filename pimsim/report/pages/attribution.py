"""Table of the noise sources, each alone and against ties by coin."""

from __future__ import annotations

from collections.abc import Callable

from pimsim.report import words
from pimsim.report.blocks import Cell, count, of_metric
from pimsim.report.documents.noise import NoiseSourceFacts
from pimsim.report.documents.run import RunDocument
from pimsim.workload.metrics import Metric


def noise_table(report: RunDocument) -> tuple[list[str], list[list[Cell]]]:
    """Columns and rows: ties by coin first, then each source against them.

    A change within its interval is shown as none. Documents of before, and chips with ADCs, have no
    such reference, and the change from the ideal chip is shown.
    """
    ties, metric = report.noise.ties, report.metric
    entries = [entry for entry in report.noise.noise_sources if entry.is_present]
    if ties is None:
        columns = ["only this source on", "mean", "std", f"change, {metric.difference}", "chips"]
        rows = [
            [
                Cell(words.source(entry.source)),
                of_metric(entry.mean, metric),
                of_metric(entry.std, metric),
                Cell(metric.signed(entry.change_from_ideal), entry.change_from_ideal),
                count(entry.n_chips),
            ]
            for entry in entries
        ]
        return columns, rows
    step = sum(ties.level_step_units.values()) / len(ties.level_step_units)
    columns = [
        "only this source on",
        "mean",
        f"change, {metric.difference}",
        "flips",
        "size",
        "draws",
    ]
    reference = [
        Cell(words.TIES),
        of_metric(ties.mean, metric),
        Cell("reference"),
        Cell(f"{100 * ties.flipped:.2f} %", ties.flipped),
        Cell(f"step {step:.3f}", step),
        count(ties.n_draws),
    ]
    return columns, [reference, *(_row(entry, metric) for entry in entries)]


def _row(entry: NoiseSourceFacts, metric: Metric) -> list[Cell]:
    sizes = entry.size_units.values()
    size = max(sizes) if sizes else None
    return [
        Cell(words.source(entry.source)),
        of_metric(entry.mean, metric),
        _change(entry, metric),
        Cell("-")
        if entry.flipped is None
        else Cell(f"+{100 * entry.flipped:.2f} %", entry.flipped),
        Cell("-") if size is None else Cell(f"{size:.3f}", size),
        count(entry.n_chips),
    ]


def _or_dash(value: float | None, text: Callable[[float], str]) -> Cell:
    return Cell("-") if value is None else Cell(text(value), value)


def _change(entry: NoiseSourceFacts, metric: Metric) -> Cell:
    if entry.change_from_ties is None or entry.ci95_half_width is None:
        return Cell("-")
    half = metric.number(entry.ci95_half_width)
    if not entry.is_significant:
        return Cell(f"none (\N{PLUS-MINUS SIGN} {half})", 0.0)
    return Cell(
        f"{metric.signed(entry.change_from_ties)} \N{PLUS-MINUS SIGN} {half}",
        entry.change_from_ties,
    )
