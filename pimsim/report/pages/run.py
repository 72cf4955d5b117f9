"""The page of a run: headline numbers, their components, and how to repeat the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pimsim.report import charts, words
from pimsim.report.blocks import (
    Block,
    Cell,
    Headline,
    Page,
    Picture,
    Section,
    Table,
    count,
    marked,
    of_metric,
    quantity,
    rests_on,
)
from pimsim.report.documents.costs import CheckFacts
from pimsim.report.documents.measured import MetricFacts
from pimsim.report.documents.run import RunDocument
from pimsim.report.pages.attribution import noise_table
from pimsim.report.pages.costs import by_component, line_by_line, not_counted
from pimsim.report.pages.decisions import classes, sums
from pimsim.report.pages.details import actions, bounds, cells, facts_of_noise, latency, placement
from pimsim.report.pages.efficiency import efficiency
from pimsim.report.pages.electrical import electrical
from pimsim.report.pages.layers import floorplan, layers, timeline
from pimsim.report.pages.losses import losses
from pimsim.report.pages.programming import programming, unwritten, worn
from pimsim.report.pages.temperature import temperature
from pimsim.report.pages.variation import variation
from pimsim.report.provenance import (
    assumed_blocks,
    assumed_figures,
    is_assumed,
    origins,
    run_again,
    sources_table,
)
from pimsim.workload.metrics import Metric

# rows of the table of chips; a page of more is slow to open
MAX_ROWS = 1000


def run_page(report: RunDocument) -> Page:
    """Headline numbers, their components, and how to repeat the run."""
    run, provenance = report.run, report.provenance
    data = f"{run.n_sequences:,} sequences of {run.data}"
    of_device = "" if run.without_device else f", {run.device} cells"
    return Page(
        title=f"{run.network} on {run.chip}{of_device}",
        subtitle=f"{run.model}: {data} ({run.data_description})",
        headlines=_headlines(report),
        sections=[
            Section(report.metric.title, [*_metric(report), *classes(report)], _remarks(report)),
            Section(
                "Energy and area",
                [
                    *by_component(report),
                    *layers(report),
                    *efficiency(report),
                    *line_by_line(report),
                ],
                not_counted(report),
            ),
            Section("Writing the network", programming(report), unwritten(report)),
            Section("Time", [*latency(report), *timeline(report)]),
            Section("Floorplan and arrays", [*floorplan(report.floorplan), placement(report)]),
            Section(
                "Cells and read-out",
                [
                    *temperature(report),
                    *losses(report),
                    *variation(report),
                    *cells(report),
                    *sums(report),
                ],
                facts_of_noise(report),
            ),
            Section("Can it be built?", [*bounds(report), *electrical(report)], _no_bounds(report)),
            Section("Actions", [actions(report)]),
            Section("Get it again", run_again(report), _speed(report)),
            Section("Sources", [sources_table(provenance)], assumed_blocks(provenance)),
        ],
        version=report.pimsim,
        warnings=[
            *([words.SYNTHETIC] if run.is_synthetic_data else []),
            *(doubt(check) for check in report.doubtful),
            *worn(report),
        ],
    )


def chips_caption(n_chips: int) -> str:
    """Caption of a picture of accuracies over chips, of the largest number of them."""
    first = "Each dot is a chip" if n_chips <= charts.MAX_DOTS else "Distribution over chips"
    return f"{first}; bar: 95 % interval of the mean; line: ideal network."


def doubt(check: CheckFacts, of: str = "") -> str:
    """A sentence about a limit that is not kept."""
    return (
        f"Doubtful: {check.check} of {check.layer}{of} is {check.value:.3g} {check.unit}, "
        f"over {check.limit:.3g}."
    )


def _headlines(report: RunDocument) -> list[Headline]:
    time, provenance = report.latency, report.provenance
    energy, area = report.energy, report.area
    rough = "latency" in assumed_figures(provenance)
    rate = marked(quantity(time.inferences_per_s, ""), rough).said
    latency_s = marked(quantity(time.after_last_input_s, "s"), rough).said
    return [
        Headline(
            f"{report.metric.title}, mean of the chips",
            of_metric(report.measured.mean, report.metric),
            metric_notes(report),
        ),
        Headline(
            "Energy per inference",
            rests_on(quantity(energy.per_inference_j, "J"), origins(provenance, "energy")),
            [
                *_power(report),
                *_assumed_share(report, "energy", energy.by_component_j),
            ],
        ),
        Headline(
            "Initiation interval",
            rests_on(quantity(time.interval_s, "s"), origins(provenance, "latency")),
            [
                f"{rate} inferences/s at {quantity(time.clock_hz, 'Hz').text}",
                f"latency {latency_s} from the last input to the scores",
            ],
        ),
        Headline(
            "Area",
            rests_on(quantity(area.total_m2, "m2"), origins(provenance, "area")),
            [
                *_assumed_share(report, "area", area.by_component_m2),
            ],
        ),
    ]


def _power(report: RunDocument) -> list[str]:
    """Mean power of inputs in real time, or that inferences follow one another."""
    watts, assumed = report.efficiency.mean_power_w, assumed_figures(report.provenance)
    if watts is None:
        return ["inferences back to back"]
    rough = "energy" in assumed or "latency" in assumed
    return [f"{marked(quantity(watts, 'W'), rough).said} at the rate of its inputs"]


def metric_notes(report: RunDocument) -> list[str]:
    """Notes on the mean metric."""
    facts, metric, n_chips = report.measured, report.metric, report.run.n_chips
    notes = [words.ONE_CHIP]
    if facts.ci95 is not None and facts.std is not None:
        low, high = metric.clipped(facts.ci95)
        notes = [
            f"\N{PLUS-MINUS SIGN} {metric.number(facts.std)} over {n_chips} chips",
            f"95 % interval {metric.number(low)} to {metric.text(high)}",
        ]
    notes.append(f"ideal network {metric.text(facts.ideal)}")
    if facts.std_reads is not None:
        notes.append(f"{metric.number(facts.std_reads)} between reads of a chip")
    if facts.std_chips is not None:
        notes.append(f"{metric.number(facts.std_chips)} between chips, freed of that of reads")
    if not facts.is_precise and facts.until_ci95 is not None:
        notes.append(f"wider than the {metric.short_text(facts.until_ci95)} that was asked for")
    if facts.yield_ is not None:
        reached = facts.yield_
        notes.append(
            f"{100 * reached.share:.1f} % of chips reach {metric.short_text(reached.target)} "
            f"({100 * reached.ci95[0]:.1f} to {100 * reached.ci95[1]:.1f} %)"
        )
    return notes


def _assumed_share(report: RunDocument, figure: str, values: Mapping[str, float]) -> list[str]:
    """Share of a figure that belongs to components with assumed numbers."""
    doubtful = [
        value for name, value in values.items() if is_assumed(report.provenance, figure, name)
    ]
    share = sum(doubtful) / (sum(values.values()) or 1.0)
    return [f"{float(f'{100 * share:.2g}'):g} % of it rests on assumptions"] if doubtful else []


def _metric(report: RunDocument) -> list[Block]:
    facts, metric, per_chip = report.measured, report.metric, report.measured.per_chip
    blocks: list[Block] = []
    if len(per_chip) > 1:
        blocks.append(
            Picture(
                f"{metric.title} over chips",
                lambda figure: charts.draw_variants(figure, [""], [facts], metric),
                1.5,
                chips_caption(len(per_chip)),
            )
        )
    blocks += _noise_sources(report)
    return [
        *blocks,
        _metric_table(facts, metric, report.run.n_chips),
        _chips_table(per_chip, metric),
    ]


def _chips_table(per_chip: Sequence[float], metric: Metric) -> Table:
    """Metric of every chip; of very many, of the worst and the best."""
    columns, n = ["chip", metric.name], len(per_chip)
    if n <= MAX_ROWS:
        rows = [[count(index), of_metric(value, metric)] for index, value in enumerate(per_chip)]
        return Table(f"{metric.title} of every chip", columns, rows, is_folded=True)
    order = sorted(range(n), key=lambda index: per_chip[index], reverse=not metric.is_more_better)
    ends = [*order[: MAX_ROWS // 2], *order[-MAX_ROWS // 2 :]]
    rows = [[count(index), of_metric(per_chip[index], metric)] for index in ends]
    note = f"The {MAX_ROWS // 2} worst and best of {n:,} chips; report.json has all of them."
    title = f"{metric.title} of the worst and best chips"
    return Table(title, columns, rows, note, is_folded=True)


def _metric_table(facts: MetricFacts, metric: Metric, n_chips: int) -> Table:
    """Mean, interval, standard deviations and yield."""
    chips = "chip" if n_chips == 1 else "chips"
    rows = [
        [Cell("ideal (no error, no noise)"), of_metric(facts.ideal, metric)],
        [Cell(f"mean of {n_chips} {chips}"), of_metric(facts.mean, metric)],
    ]
    if facts.ci95 is not None:
        low, high = map(metric.text, metric.clipped(facts.ci95))
        short = "" if facts.is_precise else ", wider than asked for"
        rows += [
            [Cell("95 % interval of the mean"), Cell(f"{low} to {high}{short}")],
            [Cell("standard deviation"), of_metric(facts.std, metric)],
        ]
    if facts.std_chips is not None:
        rows.append([Cell("  between chips"), of_metric(facts.std_chips, metric)])
    if facts.std_reads is not None:
        label = f"  between {facts.n_reads} reads of a chip"
        rows.append([Cell(label), of_metric(facts.std_reads, metric)])
    if facts.std is not None:
        low, high = metric.text(facts.min), metric.text(facts.max)
        rows.append([Cell("lowest and highest"), Cell(f"{low} to {high}")])
    if facts.yield_ is not None:
        reached = facts.yield_
        low, high = map(words.percent, reached.ci95)
        rows.append(
            [
                Cell(f"chips of {metric.text(reached.target)} or better"),
                Cell(f"{words.percent(reached.share)} (95 %: {low} to {high})"),
            ]
        )
    title = f"{metric.title} in numbers"
    return Table(title, ["", metric.name], rows, is_folded=True, on_terminal=True)


def _noise_sources(report: RunDocument) -> list[Block]:
    """Table of the runs with each noise source alone, if they were made."""
    entries = [entry for entry in report.noise.noise_sources if entry.is_present]
    if not entries:
        return []
    most = max(entry.n_chips for entry in entries)
    chips = "One chip" if most == 1 else f"At most {most} chips"
    picture = Picture(
        "Each noise source alone",
        lambda figure: charts.draw_noise_sources(figure, entries, report.metric),
        charts.height_of(len(entries)),
        f"{chips}; {words.AGAINST_TIES if report.noise.ties else words.AGAINST_IDEAL}",
    )
    title = "Each noise source alone, in numbers"
    table = noise_table(report)
    return [picture, Table(title, *table, is_folded=True, on_terminal=True)]


def _remarks(report: RunDocument) -> str:
    return " ".join(filter(None, (_half_levels(report), _absent(report))))


def _half_levels(report: RunDocument) -> str:
    saved = report.noise.half_levels
    if saved is None:
        return ""
    return (
        f"Half-level thresholds, on {saved.rows} more rows that are always on: noise flips "
        f"{100 * saved.flipped:.2f} % of the decisions, and {100 * saved.flipped_without:.2f} % "
        "with whole-level ones (at the exact network's inputs)."
    )


def _absent(report: RunDocument) -> str:
    if report.run.without_device:
        return "No source of noise acts on sums of whole numbers."
    absent = [words.source(name).partition(":")[0] for name in report.noise.absent_sources]
    return f"No data in the hardware files for: {', '.join(absent)}." if absent else ""


def _no_bounds(report: RunDocument) -> str:
    if report.plausibility:
        return ""
    return "No line carries a current, so that no voltage and no current bounds the chip."


def _speed(report: RunDocument) -> str:
    run = report.run
    return (
        f"Simulated {run.inferences_per_s:,.0f} inferences/s on {run.threads} threads "
        f"({run.kernel} kernel), {run.wall_s:.1f} s in all."
    )
