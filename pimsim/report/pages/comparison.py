"""The page of a comparison: cards of the cases, a table, differences, pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from matplotlib.figure import Figure

from pimsim.report import charts, words
from pimsim.report.blocks import (
    NONE,
    Block,
    Cell,
    Code,
    Facts,
    Headline,
    Origin,
    Page,
    Picture,
    Section,
    Table,
    count,
    marked,
    of_metric,
    quantity,
    rests_on,
    signed,
)
from pimsim.report.documents.comparison import CaseFacts, ComparisonDocument, DifferenceFacts
from pimsim.report.documents.provenance import Provenance
from pimsim.report.pages.run import chips_caption, doubt
from pimsim.report.provenance import Figure as FigureName
from pimsim.report.provenance import all_origins, assumed_figures, command_of, origins, versions_of

# differences less likely than this by chance are called significant
SIGNIFICANT = 0.05
# so many cases have a card of their own; the table has all
MAX_CARDS = 8

# components of the input layer's unit, of which a network has one
ENCODERS = ("input_encoder", "thermometer")


def comparison_page(document: ComparisonDocument) -> Page:
    """Cards of the cases, pictures, a table, and differences from the first case."""
    cases = document.cases
    more = f" and {len(cases) - 3} more" if len(cases) > 3 else ""
    return Page(
        title=" against ".join(case.case for case in cases[:3]) + more,
        subtitle=f"{document.n_sequences:,} sequences of {document.data}",
        headlines=[
            _headline(case, provenance)
            for case, provenance in list(zip(cases, document.provenance, strict=False))[:MAX_CARDS]
        ],
        sections=[
            Section("Side by side", [_table(document), *_differences(document)]),
            Section("Pictures", _pictures(document)),
            Section("Get it again", _again(document)),
            Section("Sources", [_sources(document)]),
        ],
        version=document.pimsim,
        warnings=[
            *([words.SYNTHETIC] if document.is_synthetic_data else []),
            *(doubt(check, f" of {case.case}") for case in cases for check in case.doubtful),
        ],
    )


def _costs(case: CaseFacts, provenance: Provenance) -> list[Cell]:
    """Energy, area and initiation interval, with marks on assumed numbers."""
    return [
        rests_on(quantity(case.energy_per_inference_j, "J"), origins(provenance, "energy")),
        rests_on(quantity(case.area_m2, "m2"), origins(provenance, "area")),
        rests_on(quantity(case.interval_s, "s"), origins(provenance, "latency")),
    ]


def _headline(case: CaseFacts, provenance: Provenance) -> Headline:
    facts, metric = case.measured, case.metric
    deviation = words.ONE_CHIP
    if facts.std is not None:
        deviation = f"\N{PLUS-MINUS SIGN} {metric.number(facts.std)} over {case.n_chips} chips"
    what = ("per inference", "", "initiation interval")
    costs = [
        f"{cell.said} {said}".rstrip()
        for cell, said in zip(_costs(case, provenance), what, strict=True)
    ]
    ideal = f"ideal network {metric.text(facts.ideal)}"
    return Headline(
        f"{metric.title} of {case.case}",
        of_metric(facts.mean, metric),
        [deviation, ideal, *costs],
    )


def _table(document: ComparisonDocument) -> Table:
    rows, metric = [], document.metric
    worst = metric.extremes[0]
    for case, provenance in zip(document.cases, document.provenance, strict=False):
        facts = case.measured
        own = (case.energy_by_component_j.get(name, 0.0) for name in ENCODERS)
        without = case.energy_per_inference_j - sum(own)
        energy, area, interval = _costs(case, provenance)
        # of what is left, and of the time, the same circuits
        latency = marked(quantity(case.after_last_input_s, "s"), interval.is_assumed)
        rows.append([
            Cell(case.case),
            of_metric(facts.ideal, metric), of_metric(facts.mean, metric),
            of_metric(facts.std, metric), of_metric(facts.worst(metric), metric),
            energy, marked(quantity(without, "J"), energy.is_assumed), area, interval, latency,
            count(len(case.doubtful)),
        ])  # fmt: skip
    columns = ["case", "ideal", "mean", "std", worst, "energy", "without encoder", "area",
               "interval", "latency", "doubtful"]  # fmt: skip
    note = (
        f"Mean, std and {worst}: of the chips; interval: {words.INTERVAL}; latency: after the last "
        f"input; {words.ASSUMED}. Operations per joule stand in the report of each run, by the "
        "bits of their operands."
    )
    hint = "A click on a heading sorts."
    return Table("Every case", columns, rows, note, hint, is_wide=True, is_turned=True)


def _differences(document: ComparisonDocument) -> list[Table]:
    if not document.differences:
        return []
    metric = document.metric
    rows = [
        [
            Cell(entry.case),
            signed(entry.difference(metric), f"+.{metric.digits}f"),
            Cell(NONE) if entry.p_value is None else Cell(f"{entry.p_value:.2g}", entry.p_value),
            Cell(_verdict(entry)),
            signed(entry.energy_per_inference_percent, "+.1f", " %"),
            signed(entry.area_percent, "+.1f", " %"),
            signed(entry.interval_percent, "+.1f", " %"),
        ]
        for entry in document.differences
    ]
    more = f"{metric.name}, {metric.difference}"
    columns = ["against the first", more, "p", "verdict", "energy", "area",
               "interval"]  # fmt: skip
    note = (
        f"First: {document.cases[0].case}. Student's t over the chips, significant below "
        f"p = {SIGNIFICANT}; it says nothing of other sequences."
    )
    return [Table("Differences", columns, rows, note, is_wide=True, is_turned=True)]


def _verdict(entry: DifferenceFacts) -> str:
    if entry.p_value is None:
        return "not testable with one chip"
    verdict = "significant" if entry.p_value < SIGNIFICANT else "not significant"
    return verdict + (", over the same chips" if entry.is_paired else "")


def _pictures(document: ComparisonDocument) -> list[Block]:
    cases = document.cases
    labels = [case.case for case in cases]
    measured, metric = [case.measured for case in cases], cases[0].metric
    return [
        Picture(
            f"{metric.title} over chips",
            lambda figure: charts.draw_variants(figure, labels, measured, metric),
            0.85 * len(cases) + 0.6,
            chips_caption(max(len(facts.per_chip) for facts in measured)),
        ),
        *(_stacks(labels, stack) for stack in stacks_of(document)),
    ]


class Stack(NamedTuple):
    """A picture of costs: the values of every case, by component.

    Attributes
    ----------
    title : str
    values : list of dict of component -> float
        In SI units.
    factor, unit
        What they are multiplied by where they are drawn, and its unit.
    rough : list of bool
        Cases in which it rests on assumptions.
    """

    title: str
    values: list[Mapping[str, float]]
    factor: float
    unit: str
    rough: list[bool]


def stacks_of(document: ComparisonDocument) -> list[Stack]:
    """Energy, area and time of every case."""
    cases = document.cases
    interval: list[Mapping[str, float]] = [{"interval": case.interval_s} for case in cases]

    def rough(figure: FigureName) -> list[bool]:
        return [figure in assumed_figures(provenance) for provenance in document.provenance]

    return [
        Stack("Energy per inference", [case.energy_by_component_j for case in cases], 1e9, "nJ",
              rough("energy")),
        Stack("Area", [case.area_by_component_m2 for case in cases], 1e6,
              "mm\N{SUPERSCRIPT TWO}", rough("area")),
        Stack("Initiation interval", interval, 1e6, "\N{MICRO SIGN}s", rough("latency")),
    ]  # fmt: skip


def _stacks(labels: list[str], stack: Stack) -> Picture:
    lines = charts.n_lines_of(stack.values)
    legend = 0.2 * lines if len({name for case in stack.values for name in case}) > 1 else 0.0

    def draw(figure: Figure) -> None:
        charts.draw_stacks(figure, labels, *stack[1:])

    return Picture(stack.title, draw, charts.height_of(len(labels), 0.75 + legend))


def _again(document: ComparisonDocument) -> list[Block]:
    """Every command, seed, version and date; equal ones are shown once."""
    provenance = document.provenance
    commands = dict.fromkeys(command_of(entry) for entry in provenance)
    versions = dict.fromkeys(versions_of(entry, document.pimsim) for entry in provenance)
    seeds = dict.fromkeys(str(case.seed) for case in document.cases)
    dates = [entry.date_utc for entry in provenance]
    pairs = [
        ("seed", ", ".join(seeds)),
        ("versions", "; ".join(versions)),
        ("when", " to ".join(dict.fromkeys((min(dates), max(dates))))),
    ]
    return [Code("\n".join(commands)), Facts(pairs)]


def _sources(document: ComparisonDocument) -> Table:
    """Blocks of all cases; equal ones are shown once."""
    used: dict[Origin, list[str]] = {}
    for case, provenance in zip(document.cases, document.provenance, strict=False):
        for origin in all_origins(provenance):
            used.setdefault(origin, []).append(case.case)
    everywhere = len(document.cases)
    rows = [
        [Cell(block), Cell(certainty), Cell(source),
         Cell("all" if len(cases) == everywhere else "; ".join(cases))]
        for (block, source, certainty), cases in used.items()
    ]  # fmt: skip
    return Table("All blocks", ["block", "certainty", "source", "cases"], rows, is_folded=True)
