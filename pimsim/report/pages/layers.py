"""Layers on a run's page: energy, area and use of each, floorplan, and one inference in time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from matplotlib.figure import Figure

from pimsim.report import charts
from pimsim.report.blocks import (
    NONE,
    Block,
    Cell,
    Picture,
    Table,
    marked,
    percentage,
    quantity,
)
from pimsim.report.documents.layers import FloorplanFacts
from pimsim.report.documents.run import RunDocument
from pimsim.report.floorplan import draw_plan, height_of
from pimsim.report.layers import draw_timeline
from pimsim.report.provenance import Figure as Figures
from pimsim.report.provenance import assumed_figures, is_assumed

# a picture of more bars is no picture; the table has all
MAX_BARS = 16


def layers(report: RunDocument) -> list[Block]:
    """Energy and area of each layer by component, drawn, and a table; else nothing."""
    facts = report.layers
    if not facts:
        return []
    energies = {layer.layer: layer.energy_by_component_j for layer in facts}
    areas = {layer.layer: layer.area_by_component_m2 for layer in facts}
    working = {stage.component: stage.utilisation for stage in report.latency.components}
    all_energy = sum(sum(parts.values()) for parts in energies.values()) or 1.0
    all_area = sum(sum(parts.values()) for parts in areas.values()) or 1.0
    rows = []
    for layer in facts:
        energy, area = sum(energies[layer.layer].values()), sum(areas[layer.layer].values())
        rows.append([
            Cell(layer.layer),
            _cost(report, "energy", energies[layer.layer], "J"),
            percentage(energy / all_energy, 1),
            _cost(report, "area", areas[layer.layer], "m2"),
            percentage(area / all_area, 1),
            percentage(layer.cells_used, 1),
            percentage(working.get(layer.layer), 1),
        ])  # fmt: skip
    columns = ["layer", "energy", "share", "area", "share", "cells used", "time at work"]
    note = (
        "Cells used: those that hold a weight or a threshold, of the layer's arrays. Time at work: "
        "of the simulated cycles. Links are those between two layers."
    )
    return [
        _stacks(report, "Energy per inference, by layer", "energy", energies, 1e9, "nJ"),
        _stacks(report, "Area, by layer", "area", areas, 1e6, "mm\N{SUPERSCRIPT TWO}"),
        Table("Layer by layer", columns, rows, note, is_wide=True, on_terminal=False),
    ]


def _cost(report: RunDocument, figure: Figures, parts: Mapping[str, float], unit: str) -> Cell:
    total = sum(parts.values())
    if not total:
        return Cell(NONE)
    return marked(quantity(total, unit), _any_assumed(report, figure, parts))


def _any_assumed(report: RunDocument, figure: Figures, parts: Iterable[str]) -> bool:
    """Whether any of some components' figures is assumed."""
    return any(is_assumed(report.provenance, figure, name) for name in parts)


def _stacks(
    report: RunDocument,
    title: str,
    figure: Figures,
    values: Mapping[str, Mapping[str, float]],
    factor: float,
    unit: str,
) -> Picture:
    """Bars of the largest layers, in the order of the chip."""
    shown = {name: parts for name, parts in values.items() if parts}
    most = sorted(shown, key=lambda name: -sum(shown[name].values()))[:MAX_BARS]
    names = [name for name in shown if name in most]
    cases = [shown[name] for name in names]
    rough = [_any_assumed(report, figure, parts) for parts in cases]
    caption = f"The largest {len(names)} of {len(shown)}." if len(names) < len(shown) else ""

    def draw(canvas: Figure) -> None:
        charts.draw_stacks(canvas, names, cases, factor, unit, rough)

    height = charts.height_of(len(names), 0.75 + 0.2 * charts.n_lines_of(cases))
    return Picture(title, draw, height, caption)


def floorplan(facts: FloorplanFacts | None) -> list[Block]:
    """The floorplan; nothing for documents without one."""
    if facts is None:
        return []
    plan = facts.plan

    def draw(figure: Figure) -> None:
        draw_plan(figure, plan)

    caption = "To scale; where parts lie, and their shapes, are a sketch. In between: wiring."
    return [Picture("Floorplan", draw, height_of(plan), caption)]


def timeline(report: RunDocument) -> list[Block]:
    """The first inference, component by component; nothing for documents without it."""
    facts = report.timeline
    if facts is None:
        return []
    clock = report.latency.clock_hz
    caption = "From its first operation to its scores, through an empty pipeline."
    if facts.first_cycle:
        rough = "latency" in assumed_figures(report.provenance)
        begin = marked(quantity(facts.first_cycle / clock, "s"), rough).said
        caption += f" It starts {begin} after the first input."
    return [
        Picture(
            "One inference",
            lambda figure: draw_timeline(figure, facts, clock),
            charts.height_of(len(facts.stages), 0.9),
            caption,
        )
    ]
