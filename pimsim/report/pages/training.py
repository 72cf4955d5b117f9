"""The page of a training: curves, stages, every epoch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from pimsim.report import words
from pimsim.report.blocks import (
    Cell,
    Code,
    Headline,
    Page,
    Picture,
    Section,
    Table,
    count,
    of_metric,
)
from pimsim.report.charts import legend_below
from pimsim.report.curves import draw_loss, draw_validation, metric_of
from pimsim.report.documents.training import EpochFacts, TrainingDocument
from pimsim.report.provenance import study_again


def training_page(document: TrainingDocument) -> Page:
    """Progress of the training, its curves, its stages and every epoch."""
    log, recipe = document.log, document.recipe
    seed = ("seed", str(recipe["seed"]))
    return Page(
        title=f"Training of {recipe['name']}",
        subtitle=f"{len(log):,} of {document.n_planned:,} epochs in {_stages_in(recipe)}",
        headlines=_headlines(log),
        sections=[
            Section("Curves", _curves(log)),
            Section("Epochs", [_stages(log), _epochs(log)]),
            Section("Get it again", [
                *study_again(document.provenance, document.pimsim, seed),
                Code(json.dumps(recipe, indent=2), "Recipe", is_folded=True),
            ]),
        ],
        version=document.pimsim,
    )  # fmt: skip


def _stages_in(recipe: Mapping[str, Any]) -> str:
    n = len(recipe["stages"])
    return "one stage" if n == 1 else f"{n} stages"


def _headlines(log: Sequence[EpochFacts]) -> list[Headline]:
    if not log:
        return []
    last = log[-1]
    found = []
    for key, (label, metric) in words.VALIDATIONS.items():
        if getattr(last, key) is not None:
            best = metric.best([value for e in log if (value := getattr(e, key)) is not None])
            notes = [f"{metric.extremes[1]} {metric.text(best)}"]
            headline = f"Validation {metric.name}, {label}"
            found.append(Headline(headline, of_metric(getattr(last, key), metric), notes))
    wall = sum(entry.wall_s for entry in log)
    shown = f"{wall / 3600:.2f} h" if wall >= 3600 else f"{wall:,.0f} s"
    return [
        *found,
        Headline("Training loss", Cell(f"{last.loss:.4f}", last.loss), ["of the last epoch"]),
        Headline("Time of all epochs", Cell(shown, wall)),
    ]


def _curves(log: Sequence[EpochFacts]) -> list[Picture]:
    entries = [entry.model_dump(exclude_none=True) for entry in log]
    pictures, validation = [], f"Validation {metric_of(entries).name}"
    for title, draw in (("Training loss", draw_loss), (validation, draw_validation)):

        def paint(figure: Figure, draw: Any = draw) -> None:
            axes = figure.subplots()
            draw(axes, entries)
            axes.set_xlabel("epoch")
            if draw is draw_validation and axes.get_legend_handles_labels()[0]:
                legend_below(figure, axes)

        pictures.append(Picture(title, paint, 3.0))
    return pictures


def _stages(log: Sequence[EpochFacts]) -> Table:
    """The last epoch of each stage."""
    last = {entry.stage: entry for entry in log}
    return Table("Last epoch of each stage", *_columns(list(last.values())))


def _epochs(log: Sequence[EpochFacts]) -> Table:
    return Table("Every epoch", *_columns(log), is_folded=True)


def _columns(entries: Sequence[EpochFacts]) -> tuple[list[str], list[list[Cell]]]:
    measured = {
        key: named
        for key, named in words.VALIDATIONS.items()
        if any(getattr(e, key) is not None for e in entries)
    }
    rows = [
        [Cell(entry.stage), count(entry.epoch), Cell(f"{entry.loss:.4f}", entry.loss),
         *(of_metric(getattr(entry, key), metric) for key, (_, metric) in measured.items()),
         Cell(f"{entry.wall_s:.0f} s", entry.wall_s)]
        for entry in entries
    ]  # fmt: skip
    return ["stage", "epoch", "loss", *(label for label, _ in measured.values()), "time"], rows
