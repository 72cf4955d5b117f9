"""Energy and area on a run's page: by component, line by line, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping

from pimsim.report import words
from pimsim.report.blocks import (
    Block,
    Cell,
    Table,
    count,
    marked,
    named,
    quantity,
    rests_on,
)
from pimsim.report.documents.run import RunDocument
from pimsim.report.provenance import Figure, assumed_figures, is_assumed, origins


def not_counted(report: RunDocument) -> str:
    """Sentences on what the energy leaves out, and what other models of it say."""
    text = f"Not included: {', '.join(report.energy.not_counted)} energy. {words.ASSUMED}."
    if report.energy.outside:
        text += f" {_features(report)}"
    models = report.energy.by_adc_account_j
    if models:
        rough = "energy" in assumed_figures(report.provenance)
        shown = [
            f"{marked(quantity(value, 'J'), rough).said} ({name})" for name, value in models.items()
        ]
        text += f" Energy per inference by published ADC cost models: {', '.join(shown)}."
    return text


def _features(report: RunDocument) -> str:
    """A sentence on what makes the features, and what it takes in published circuits."""
    energy = report.energy
    shown = ", ".join(
        f"{quantity(found.power_w, 'W').text} ({found.name})" for found in energy.feature_extractors
    )
    return f"Not included: {', '.join(energy.outside)}; published extractors of features: {shown}."


def ranked(
    report: RunDocument, figure: str, values: Mapping[str, float], unit: str, title: str
) -> Table:
    """Components, largest first, each with the origins of its number."""
    total = sum(values.values()) or 1.0
    rows = []
    for name, value in sorted(values.items(), key=lambda entry: -entry[1]):
        blocks = origins(report.provenance, figure, name)
        rows.append([
            rests_on(named(name), blocks),
            rests_on(quantity(value, unit), blocks),
            Cell(f"{100 * value / total:.1f} %", value / total, share=value / total),
        ])  # fmt: skip
    hint = "Open a component to see what its numbers rest on."
    return Table(title, ["component", "value", "share"], rows, hint=hint)


def by_component(report: RunDocument) -> list[Block]:
    """Energy and area by component."""
    energy, area = report.energy.by_component_j, report.area.by_component_m2
    return [
        ranked(report, "energy", energy, "J", "Energy per inference, by component"),
        ranked(report, "area", area, "m2", "Area, by component"),
    ]


def line_by_line(report: RunDocument) -> list[Block]:
    """Every line of both bills."""

    def shown(figure: Figure, component: str, value: float, unit: str) -> Cell:
        return marked(quantity(value, unit), is_assumed(report.provenance, figure, component))

    energy = [
        [named(item.component), named(item.action), count(item.count),
         shown("energy", item.component, item.each_j, "J"),
         shown("energy", item.component, item.per_inference_j, "J")]
        for item in report.energy.items
    ]  # fmt: skip
    area = [
        [named(item.component), named(item.part), count(item.count),
         shown("area", item.component, item.each_m2, "m2"),
         shown("area", item.component, item.area_m2, "m2"),
         shown("energy", "leakage", item.leakage_w, "W")]
        for item in report.area.items
    ]  # fmt: skip
    costs = ["component", "action", "count in the run", "energy of one", "per inference"]
    sizes = ["component", "part", "count", "area of one", "area", "leakage"]
    awake, asleep = (
        shown("energy", "leakage", value, "W").said
        for value in (report.area.leakage_w, report.area.leakage_asleep_w)
    )
    kelvin = report.area.leakage_temperature_k
    leakage = f"Leakage at {kelvin:g} K: {awake} awake, {asleep} asleep."
    return [
        Table("Energy line by line", costs, energy, is_folded=True),
        Table("Area line by line", sizes, area, leakage, is_folded=True),
    ]
