"""The page of a comparison, from `pimsim.studies.compare.describe_comparison`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pimsim.report import charts
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
    digits,
    percentage,
    quantity,
    rests_on,
    signed,
)
from pimsim.report.comparison import SIGNIFICANT
from pimsim.report.html_run import CHIPS_CAPTION, NO_SPREAD, SYNTHETIC
from pimsim.report.provenance import all_origins, command_of, origins, versions_of
from pimsim.report.svg import inline_svg

# so many cases have a card of their own; the table has all
MOST_CARDS = 8


def comparison_page(document: Mapping[str, Any]) -> Page:
    """Cards of the cases, pictures, a table, and what differs from the first case."""
    cases = document["cases"]
    return Page(
        title=" against ".join(case["case"] for case in cases[:3])
        + (f" and {len(cases) - 3} more" if len(cases) > 3 else ""),
        subtitle=f"{document['n_sequences']:,} sequences of {document['data']}",
        headlines=[
            _headline(case, provenance)
            for case, provenance in zip(
                cases[:MOST_CARDS], document["provenance"][:MOST_CARDS], strict=True
            )
        ],
        sections=[
            Section("Side by side", [_table(document), _differences(document)]),
            Section("Pictures", _pictures(cases)),
            Section("Get it again", _again(document)),
            Section("Sources", [_sources(document)]),
        ],
        version=document["pimsim"],
        warnings=_warnings(document),
    )


def _warnings(document: Mapping[str, Any]) -> list[str]:
    found = [SYNTHETIC] if document["is_synthetic_data"] else []
    for case in document["cases"]:
        for check in case["doubtful"]:
            found.append(
                f"Doubtful: {check['check']} of {check['layer']} of {case['case']} is "
                f"{check['value']:.3g} {check['unit']}, over {check['limit']:.3g}."
            )
    return found


def _headline(case: Mapping[str, Any], provenance: Mapping[str, Any]) -> Headline:
    accuracy, report = case["accuracy"], {"provenance": provenance}
    spread = NO_SPREAD
    if accuracy["std"] is not None:
        spread = f"\N{PLUS-MINUS SIGN} {100 * accuracy['std']:.2f} over {case['n_chips']} chips"
    costs = (
        ("energy", quantity(case["energy_per_inference_j"], "J"), "per inference"),
        ("area", quantity(case["area_m2"], "m2"), ""),
        ("latency", quantity(case["interval_s"], "s"), "for each further inference"),
    )
    notes = [
        f"{'~' if rests_on(cell, origins(report, figure)).is_assumed else ''}{cell.text} {what}"
        for figure, cell, what in costs
    ]
    return Headline(
        f"Accuracy of {case['case']}",
        percentage(accuracy["mean"]),
        [spread, f"ideal network {percentage(accuracy['ideal']).text}", *notes],
    )


def _table(document: Mapping[str, Any]) -> Table:
    rows = []
    for case, provenance in zip(document["cases"], document["provenance"], strict=True):
        report, accuracy = {"provenance": provenance}, case["accuracy"]
        rows.append([
            Cell(case["case"]),
            percentage(accuracy["ideal"]), percentage(accuracy["mean"]),
            percentage(accuracy["std"]), percentage(accuracy["min"]),
            rests_on(quantity(case["energy_per_inference_j"], "J"), origins(report, "energy")),
            rests_on(quantity(case["area_m2"], "m2"), origins(report, "area")),
            rests_on(quantity(case["interval_s"], "s"), origins(report, "latency")),
            quantity(case["after_last_input_s"], "s"),
            Cell(digits(case["tops_per_w"]), case["tops_per_w"]),
            Cell(digits(case["tops_per_mm2"]), case["tops_per_mm2"]),
            count(len(case["doubtful"])),
        ])  # fmt: skip
    columns = ["case", "ideal", "mean of the chips", "std", "lowest", "energy", "area",
               "each further", "after last input", "TOPS/W",
               "TOPS/mm\N{SUPERSCRIPT TWO}", "doubtful"]  # fmt: skip
    note = "~ rests on a number that is assumed. A click on a heading sorts."
    return Table("Every case", columns, rows, note, is_wide=True)


def _differences(document: Mapping[str, Any]) -> Table:
    rows = []
    for entry in document["differences"]:
        p_value = entry["p_value"]
        verdict = "one chip says nothing of chance"
        if p_value is not None:
            verdict = "significant" if p_value < SIGNIFICANT else "not significant"
            verdict += ", over the same chips" if entry["is_paired"] else ""
        rows.append([
            Cell(entry["case"]),
            signed(entry["accuracy_points"], "+.2f"),
            Cell(NONE) if p_value is None else Cell(f"{p_value:.2g}", p_value),
            Cell(verdict),
            *(signed(entry[key], "+.1f", " %") for key in
              ("energy_per_inference_percent", "area_percent", "interval_percent")),
        ])  # fmt: skip
    columns = ["against the first", "accuracy, points", "p", "verdict", "energy", "area",
               "each further"]  # fmt: skip
    note = (
        f"First: {document['cases'][0]['case']}. Student's t over the chips, significant below "
        f"p = {SIGNIFICANT}; it says nothing of other sequences."
    )
    return Table("Differences", columns, rows, note, is_wide=True)


def _pictures(cases: list[Mapping[str, Any]]) -> list[Block]:
    labels = [case["case"] for case in cases]
    accuracy = inline_svg(
        lambda figure: charts.draw_chips(figure, labels, [case["accuracy"] for case in cases]),
        0.85 * len(cases) + 0.6,
        "Accuracy over chips",
    )
    blocks: list[Block] = [Picture("Accuracy over chips", accuracy, CHIPS_CAPTION)]
    for title, key, factor, label in (
        ("Energy per inference", "energy_by_component_j", 1e9, "nJ"),
        ("Area", "area_by_component_m2", 1e6, "mm\N{SUPERSCRIPT TWO}"),
    ):
        parts = [case[key] for case in cases]
        high = charts.height_of(len(cases), 0.75 + 0.2 * charts.n_lines_of(parts))
        svg = inline_svg(
            lambda figure, parts=parts, factor=factor, label=label: charts.draw_stacks(  # type: ignore[misc]
                figure, labels, parts, factor, label
            ),
            high,
            title,
        )
        blocks.append(Picture(title, svg))
    times = [{"each further": case["interval_s"]} for case in cases]
    svg = inline_svg(
        lambda figure: charts.draw_stacks(figure, labels, times, 1e6, "\N{MICRO SIGN}s"),
        charts.height_of(len(cases), 0.75),
        "Time for each further inference",
    )
    return [*blocks, Picture("Time for each further inference", svg)]


def _again(document: Mapping[str, Any]) -> list[Block]:
    """Every command, seed, version and date, those that are the same only once."""
    provenance = document["provenance"]
    commands = dict.fromkeys(command_of(entry) for entry in provenance)
    versions = dict.fromkeys(versions_of(entry, document["pimsim"]) for entry in provenance)
    seeds = dict.fromkeys(str(case["seed"]) for case in document["cases"])
    dates = [entry["date_utc"] for entry in provenance]
    pairs = [
        ("seed", ", ".join(seeds)),
        ("versions", "; ".join(versions)),
        ("when", " to ".join(dict.fromkeys((min(dates), max(dates))))),
    ]
    return [Code("\n".join(commands)), Facts(pairs)]


def _sources(document: Mapping[str, Any]) -> Table:
    """Blocks of all cases, those that are the same only once."""
    used: dict[Origin, list[str]] = {}
    for case, provenance in zip(document["cases"], document["provenance"], strict=True):
        for origin in all_origins({"provenance": provenance}):
            used.setdefault(origin, []).append(case["case"])
    everywhere = len(document["cases"])
    rows = [
        [Cell(block), Cell(certainty), Cell(source),
         Cell("all" if len(cases) == everywhere else "; ".join(cases))]
        for (block, source, certainty), cases in used.items()
    ]  # fmt: skip
    return Table("All blocks", ["block", "certainty", "source", "cases"], rows, is_folded=True)
