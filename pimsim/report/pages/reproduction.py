"""Pages of a reproduced figure or table of the paper."""

from __future__ import annotations

from pimsim.report import words
from pimsim.report.blocks import NONE, Block, Cell, Page, Picture, Section, Table, marked, quantity
from pimsim.report.documents import (
    ChipsDocument,
    CurvesDocument,
    DevicesDocument,
    PenaltyDocument,
    SettingsDocument,
    VariantsDocument,
)
from pimsim.report.documents.reproduction import (
    ReproductionDocument,
    SampleFacts,
    SettingPoint,
)
from pimsim.report.provenance import study_again
from pimsim.report.sweep import number_of
from pimsim.workload.metrics import METRICS, Metric


def curves_page(document: CurvesDocument) -> Page:
    """Accuracy against sigma_eval, a line for each network."""
    points = document.points
    sigmas = list(dict.fromkeys(point.sigma_eval for point in points))
    rows = []
    for curve in dict.fromkeys(point.curve for point in points):
        found = {point.sigma_eval: point for point in points if point.curve == curve}
        rows.append([Cell(curve), *(_accuracy(found.get(sigma)) for sigma in sigmas)])
    title = "Accuracy in %, mean \N{PLUS-MINUS SIGN} standard deviation, against sigma_eval"
    table = Table(title, ["", *(f"{sigma:g}" for sigma in sigmas)], rows, is_wide=True)
    return _page(document, [table], f"{document.samples} samples of the noise")


def devices_page(document: DevicesDocument) -> Page:
    """Mean and standard deviation by source and device, and the paper's."""
    points = document.points
    devices = list(dict.fromkeys(point.device for point in points))
    rows = [[Cell("paper, all sources"), *(_paper(document, name) for name in devices)]]
    for noise in dict.fromkeys(point.noise for point in points):
        found = {point.device: point for point in points if point.noise == noise}
        rows.append([Cell(words.source(noise)), *(_accuracy(found.get(name)) for name in devices)])
    title = "Accuracy in %, mean \N{PLUS-MINUS SIGN} standard deviation over chips"
    table = Table(title, ["", *devices], rows, is_wide=True)
    return _page(document, [table], f"{document.samples} chips of each device")


def variants_page(document: VariantsDocument) -> Page:
    """Accuracy, settings, lines, energy and area of each network, and the parts of both."""
    points = document.points
    rows = [
        [
            Cell(point.label),
            _accuracy(point),
            Cell(point.paper or "-"),
            Cell(str(point.settings), point.settings),
            Cell(", ".join(f"{100 * share:.2g}" for share in point.clipped)),
            Cell(str(point.bit_lines), point.bit_lines),
            Cell(f"{point.conversions:,.0f}", point.conversions),
            _number(1e9 * point.energy_j, "energy" in point.assumed),
            _number(1e-12 * (point.operations_per_joule or 0.0), "energy" in point.assumed),
            _number(1e6 * point.area_m2, "area" in point.assumed),
        ]
        for point in points
    ]
    heads = ["", "accuracy [%]", "paper", "settings", "clipped, by layer [%]", "bit lines",
             "conversions", "energy [nJ]", "TOPS/W", "area [mm2]"]  # fmt: skip
    tables: list[Block] = []
    if points:
        tables.append(Table("Networks, each on its chip", heads, rows, is_wide=True))
    if document.missing:
        left_out = [
            [Cell(m.label), Cell(m.network), Cell(m.paper or "-")] for m in document.missing
        ]
        title = "Not computed yet: these networks are neither bundled nor in --networks"
        tables.append(Table(title, ["", "network", "paper"], left_out))
    if not points:
        return _page(document, tables, "")
    for title, key, unit, figure in (
        ("Area by component, um2", "area_parts_m2", 1e12, "area"),
        ("Energy of an inference by component, pJ", "energy_parts_j", 1e12, "energy"),
    ):
        names = dict.fromkeys(name for point in points for name in getattr(point, key))
        parts = [
            [
                Cell(name.replace("_", " ")),
                *(
                    _number(unit * getattr(p, key).get(name, 0.0), figure in p.assumed)
                    for p in points
                ),
            ]
            for name in names
        ]
        tables.append(Table(title, ["", *(p.label for p in points)], parts, is_wide=True))
    return _page(document, tables, f"{document.samples} chips of each")


def _number(value: float, is_assumed: bool) -> Cell:
    return marked(quantity(value, ""), is_assumed)


def _paper(document: DevicesDocument, device: str) -> Cell:
    """What the paper says of a device, sorted by its mean."""
    said = next((p.paper for p in document.points if p.device == device and p.paper), NONE)
    mean = number_of(said.partition(" ")[0])
    return Cell(said.replace("+-", "\N{PLUS-MINUS SIGN}"), mean)


def penalty_page(document: PenaltyDocument) -> Page:
    """Penalties relative to the first network's, beside the paper's."""
    rows = [
        [Cell(row.label), *(_penalty(getattr(row, key)) for key in words.PENALTIES)]
        for row in document.points
    ]
    title = "Pg + Pc, relative to the first row"
    return _page(document, [Table(title, ["", *words.PENALTIES.values()], rows, is_wide=True)], "")


def _penalty(value: float) -> Cell:
    return Cell(f"{value:.4f}", value)


def settings_page(document: SettingsDocument) -> Page:
    """The metric against each setting, a line for each curve."""
    metric, tables = METRICS[document.metric], list[Block]()
    for kind in dict.fromkeys(point.setting for point in document.points):
        own = [point for point in document.points if point.setting == kind]
        xs = list(dict.fromkeys(point.x for point in own))
        rows = []
        for curve in dict.fromkeys(point.curve for point in own):
            found = {point.x: point for point in own if point.curve == curve}
            rows.append([Cell(curve), *(_of_metric(found.get(x), metric) for x in xs)])
        shown = f"mean \N{PLUS-MINUS SIGN} standard deviation, against {kind}"
        title = f"{metric.title} [{metric.unit}], {shown}"
        tables.append(Table(title, ["", *(f"{x:g}" for x in xs)], rows, is_wide=True))
    facts = f"{document.samples} chips where they differ"
    if document.reference is not None:
        facts += f", {metric.text(document.reference)} in floating point"
    return _page(document, tables, facts)


def chips_page(document: ChipsDocument) -> Page:
    """Energy, area and time of each network on its chip, and published chips."""
    metric, tera = METRICS[document.metric], 1e12
    rows = [
        [
            Cell(f"{row.network} on {row.chip}"),
            Cell(row.operands),
            Cell(metric.number(row.value), row.value),
            _number(row.energy_per_step_j * 1e12, "energy" in row.assumed),
            _number(row.step_s * 1e9, "latency" in row.assumed),
            _number(row.area_m2 * 1e6, "area" in row.assumed),
            _number(row.operations_per_joule / tera, "energy" in row.assumed),
            _number(row.macro_operations_per_joule / tera, "energy" in row.assumed),
            _number(row.operations_per_second_per_m2 / 1e18, bool(row.assumed)),
        ]
        for row in document.points
    ]
    columns = ["", "operands", f"{metric.short} [{metric.unit}]", "step [pJ]", "step [ns]",
               "area [mm2]", "TOPS/W", "TOPS/W of the macro", "TOPS/mm2"]  # fmt: skip
    others = [
        [
            Cell(chip.name),
            Cell(" to ".join(f"{end / tera:g}" for end in sorted({*chip.operations_per_joule}))),
            Cell("-" if chip.area_m2 is None else f"{chip.area_m2 * 1e6:g}"),
            Cell(chip.source),
        ]
        for chip in document.published
    ]
    tables: list[Block] = [
        Table("Simulated", columns, rows, is_wide=True),
        Table("Published", ["", "TOPS/W", "area [mm2]", "source"], others, is_wide=True),
    ]
    return _page(document, tables, "")


def _of_metric(point: SettingPoint | None, metric: Metric) -> Cell:
    if point is None:
        return Cell("-")
    return Cell(
        f"{metric.number(point.mean)} \N{PLUS-MINUS SIGN} {metric.number(point.std)}", point.mean
    )


def _page(document: ReproductionDocument, blocks: list[Block], facts: str) -> Page:
    from pimsim.report.reproduction import drawing_of

    said = [f"The paper: {sentence}" for sentence in document.paper_says]
    said += [f"Our choice: {sentence}" for sentence in getattr(document, "our_choice", [])]
    picture = Picture(document.title, drawing_of(document), 3.4)
    return Page(
        title=f"{document.title} ({document.source})",
        subtitle=", ".join(
            filter(None, (f"{document.n_sequences} sequences of {document.data}", facts))
        ),
        headlines=[],
        sections=[
            Section("Reproduced", [picture, *blocks], "\n".join(said)),
            Section(
                "Get it again",
                study_again(document.provenance, document.pimsim, ("seed", str(document.seed))),
            ),
        ],
        version=document.pimsim,
        warnings=[words.SYNTHETIC] if document.is_synthetic_data else [],
    )


def _accuracy(point: SampleFacts | None) -> Cell:
    if point is None:
        return Cell("-")
    return Cell(f"{100 * point.mean:.2f} \N{PLUS-MINUS SIGN} {100 * point.std:.2f}", point.mean)
