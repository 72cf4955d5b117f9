"""The page of a sensitivity study: parameters ranked by what a step of each does."""

from __future__ import annotations

from functools import partial

from pimsim.report import words
from pimsim.report.blocks import (
    NONE,
    Cell,
    Headline,
    Page,
    Picture,
    Section,
    Table,
    marked,
    of_metric,
    quantity,
    signed,
)
from pimsim.report.charts import height_of
from pimsim.report.documents.sensitivity import ParameterFacts, SensitivityDocument, StepFacts
from pimsim.report.provenance import study_again
from pimsim.report.sensitivity import Effect, draw_effect, effects, ranked
from pimsim.workload.metrics import METRICS

MAX_PRINTED = 20


def sensitivity_page(document: SensitivityDocument) -> Page:
    """Figures as they are, a picture of the largest changes of each, and all parameters."""
    metric, base, share = METRICS[document.metric], document.base, f"{100 * document.step:g} %"
    numbers = [
        (metric.title, of_metric(base.metric, metric)),
        ("Energy per inference",
         marked(quantity(base.energy_per_inference_j, "J"), "energy" in base.assumed)),
        ("Area", marked(quantity(base.area_m2, "m2"), "area" in base.assumed)),
        ("Initiation interval",
         marked(quantity(base.interval_s, "s"), "latency" in base.assumed)),
    ]  # fmt: skip
    found = effects(document)
    headlines = [
        Headline(label, number, [_most(document, effect)])
        for (label, number), effect in zip(numbers, found, strict=True)
    ]
    pictures = [
        Picture(
            effect.axis[0].upper() + effect.axis[1:],
            partial(draw_effect, document=document, effect=effect),
            height_of(len(places), 1.4),
        )
        for effect in found
        if (places := ranked(document, effect))
    ]
    text = (
        f"Each parameter is changed alone, by {share} down and up; whole numbers by one at least, "
        f"and the numbers of a list together. {document.n_chips} chips, the same ones at each "
        f"step. A change of {metric.name} within its 95 % interval is shown as nothing."
    )
    if document.n_chips < 2:
        text += f" Of one chip there is no interval, and so no change of {metric.name}."
    return Page(
        title=f"Sensitivity of {document.model}",
        subtitle=f"{len(document.parameters):,} parameters, each {share} down and up",
        headlines=headlines,
        sections=[
            Section("Largest changes", pictures, text),
            Section("Every parameter", [_table(document, found)]),
            Section("Get it again", study_again(document.provenance, document.pimsim)),
        ],
        version=document.pimsim,
        warnings=[words.SYNTHETIC] if document.is_synthetic_data else [],
    )


def _most(document: SensitivityDocument, effect: Effect) -> str:
    places = ranked(document, effect)
    return f"most by {document.parameters[places[0]].key}" if places else "no parameter changes it"


def _table(document: SensitivityDocument, found: list[Effect]) -> Table:
    heads = [METRICS[document.metric].short, "energy %", "area %", "time %"]
    rows = [
        [
            Cell(one.key),
            Cell(_short(one.value)),
            Cell(one.certainty or NONE),
            *(_change(one, effect) for effect in found),
        ]
        for one in document.parameters
    ]
    failed = [
        f"{one.key} = {step.value}: {step.error}"
        for one in document.parameters
        for step in (one.low, one.high)
        if step.error
    ]
    note = "Changes down and up, the most influential parameter first."
    if failed:
        note += f" {len(failed)} steps cannot be run; the first: {failed[0]}"
    columns = ["parameter", "value", "certainty", *heads]
    return Table("Parameters", columns, rows, note, is_wide=True, page_only=("certainty",),
                 max_printed=MAX_PRINTED)  # fmt: skip


def _short(value: str) -> str:
    """A value; of a list, how many numbers it has."""
    return f"{value.count(',') + 1} numbers" if value.startswith("[") else value


def _change(one: ParameterFacts, effect: Effect) -> Cell:
    texts = [_step(step, effect) for step in (one.low, one.high)]
    sizes = [abs(getattr(step, effect.key) or 0.0) for step in (one.low, one.high)]
    if set(texts) <= {"0", "0.00"}:
        return Cell("no change", 0.0)
    return Cell(" / ".join(texts), max(sizes))


def _step(step: StepFacts, effect: Effect) -> str:
    if step.error is not None:
        return "refused"
    if effect.key == "metric_change" and not step.is_significant:
        return "0"
    value = effect.factor * (getattr(step, effect.key) or 0.0)
    return signed(value, "+.2f").text
