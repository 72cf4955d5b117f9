"""The page of a run, from its document (docs/report.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pimsim.report import charts
from pimsim.report.blocks import (
    Block,
    Cell,
    Headline,
    Page,
    Picture,
    Section,
    Table,
    count,
    digits,
    percentage,
    quantity,
    rests_on,
    words,
)
from pimsim.report.html_details import (
    actions,
    cells,
    facts_of_noise,
    latency,
    placement,
    plausibility,
)
from pimsim.report.provenance import origins, run_again, sources_table
from pimsim.report.svg import inline_svg
from pimsim.report.terminal import SOURCE_WORDS

SYNTHETIC = "Synthetic speech: these accuracies are not comparable with published ones."
NO_SPREAD = "one chip: no spread is known"
_SOURCES = (
    "Blocks of the hardware files, as quoted there. A number that was replaced on the command "
    "line keeps its block's source."
)
CHIPS_CAPTION = "Each dot is a chip; bar: 95 % interval of the mean; line: ideal network."


def run_page(report: Mapping[str, Any]) -> Page:
    """Headline numbers, then what they consist of, then how to get them again."""
    run = report["run"]
    data = f"{run['n_sequences']:,} sequences of {run['data']}"
    return Page(
        title=f"{run['network']} on {run['chip']}, {run['device']} cells",
        subtitle=f"{run['model']}: {data} ({run['data_description']})",
        headlines=_headlines(report),
        sections=[
            Section("Accuracy", _accuracy(report)),
            Section("Energy and area", [*_tables(report), *_items(report)], _without(report)),
            Section("Time", latency(report)),
            Section("Cells and read-out", cells(report), facts_of_noise(report)),
            Section("Can it be built?", [plausibility(report)]),
            Section("Actions", [actions(report), placement(report)]),
            Section("Get it again", run_again(report)),
            Section("Sources", [sources_table(report)], _SOURCES),
        ],
        version=report["pimsim"],
        warnings=_warnings(report),
    )  # fmt: skip


def _warnings(report: Mapping[str, Any]) -> list[str]:
    found = [SYNTHETIC] if report["run"]["is_synthetic_data"] else []
    for check in report["plausibility"]:
        if not check["passes"]:
            found.append(
                f"Doubtful: {check['check']} of {check['layer']} is "
                f"{check['value']:.3g} {check['unit']}, over {check['limit']:.3g}."
            )
    return found


def _headlines(report: Mapping[str, Any]) -> list[Headline]:
    run, accuracy, time = report["run"], report["accuracy"], report["latency"]
    efficiency, energy, area = report["efficiency"], report["energy"], report["area"]
    chips = f"{run['n_chips']} chip{'s' if run['n_chips'] != 1 else ''}"
    notes = [NO_SPREAD]
    if accuracy["ci95"] is not None:
        # with few chips the interval can reach beyond what an accuracy can be
        low, high = max(0.0, accuracy["ci95"][0]), min(1.0, accuracy["ci95"][1])
        notes = [
            f"\N{PLUS-MINUS SIGN} {100 * accuracy['std']:.2f} over {chips}",
            f"95 % interval {100 * low:.2f} to {100 * high:.2f} %",
        ]
    notes.append(f"ideal network {percentage(accuracy['ideal']).text}")
    if accuracy["std_reads"] is not None:
        notes.append(f"{100 * accuracy['std_reads']:.2f} between reads of a chip")
    if accuracy["std_chips"] is not None:
        notes.append(f"{100 * accuracy['std_chips']:.2f} between chips, freed of that of reads")
    if not accuracy["is_precise"]:
        notes.append(f"wider than the {100 * accuracy['until_ci95']:g} % that was asked for")
    if accuracy["yield"]:
        good, bounds = accuracy["yield"], accuracy["yield"]["ci95"]
        notes.append(
            f"{100 * good['share']:.1f} % of chips reach {100 * good['target']:g} % "
            f"({100 * bounds[0]:.1f} to {100 * bounds[1]:.1f} %)"
        )
    return [
        Headline("Accuracy, mean of the chips", percentage(accuracy["mean"]), notes),
        Headline(
            "Energy per inference",
            rests_on(quantity(energy["per_inference_j"], "J"), origins(report, "energy")),
            [
                f"{digits(efficiency['tops_per_w'])} TOPS/W",
                *_assumed(report, "energy", "by_component_j"),
            ],
        ),
        Headline(
            "Each further inference",
            rests_on(quantity(time["interval_s"], "s"), origins(report, "latency")),
            [
                f"{quantity(time['after_last_input_s'], 's').text} from the last input to the "
                "scores",
                f"{digits(time['inferences_per_s'])} inferences/s at "
                f"{quantity(time['clock_hz'], 'Hz').text}",
            ],
        ),
        Headline(
            "Area",
            rests_on(quantity(area["total_m2"], "m2"), origins(report, "area")),
            [
                f"{digits(efficiency['tops_per_mm2'])} TOPS/mm\N{SUPERSCRIPT TWO}",
                *_assumed(report, "area", "by_component_m2"),
            ],
        ),
    ]


def _assumed(report: Mapping[str, Any], figure: str, key: str) -> list[str]:
    """How much of a figure is that of components that rest on assumptions."""
    values = report[figure][key]
    doubtful = [
        value
        for name, value in values.items()
        if any(origin.certainty == "assumed" for origin in origins(report, figure, name))
    ]
    share = sum(doubtful) / (sum(values.values()) or 1.0)
    return [f"{100 * share:.2g} % of it rests on assumptions"] if doubtful else []


def _accuracy(report: Mapping[str, Any]) -> list[Block]:
    accuracy, run = report["accuracy"], report["run"]
    blocks: list[Block] = []
    if run["n_chips"] > 1:
        svg = inline_svg(
            lambda figure: charts.draw_chips(figure, [""], [accuracy]), 1.5, "Accuracy over chips"
        )
        blocks.append(Picture("Accuracy over chips", svg, CHIPS_CAPTION))
    entries = [e for e in report["noise"]["contributions"] if e["is_present"]]
    if entries:
        title = "Each noise source alone"
        svg = inline_svg(
            lambda figure: charts.draw_contributions(figure, entries),
            charts.height_of(len(entries)),
            title,
        )
        most = max(entry["n_chips"] for entry in entries)
        blocks.append(Picture(title, svg, f"At most {most} chips; whisker: standard deviation."))
        rows = [
            [
                Cell(SOURCE_WORDS.get(entry["source"], entry["source"])),
                percentage(entry["mean"]),
                percentage(entry["std"]),
                Cell(f"{100 * entry['change_from_ideal']:+.2f}", entry["change_from_ideal"]),
                count(entry["n_chips"]),
            ]
            for entry in entries
        ]
        columns = ["only this source on", "mean", "std", "change, points", "chips"]
        absent = [e["source"] for e in report["noise"]["contributions"] if not e["is_present"]]
        note = f"Nothing in the hardware files for: {_names(absent)}." if absent else ""
        blocks.append(Table("Numbers of each source", columns, rows, note, is_folded=True))
    rows = [[count(i), percentage(value)] for i, value in enumerate(accuracy["per_chip"])]
    blocks.append(Table("Accuracy of every chip", ["chip", "accuracy"], rows, is_folded=True))
    return blocks


def _names(sources: Sequence[str]) -> str:
    return ", ".join(SOURCE_WORDS.get(source, source).split(":")[0] for source in sources)


def _without(report: Mapping[str, Any]) -> str:
    text = f"Not counted: {', '.join(report['energy']['not_counted'])}."
    accounts = report["energy"]["by_adc_account_j"]
    if accounts:
        shown = [f"{quantity(value, 'J').text} ({name})" for name, value in accounts.items()]
        text += f" By published accounts of converters: {', '.join(shown)}."
    return text


def ranked(
    report: Mapping[str, Any], figure: str, values: Mapping[str, float], unit: str, title: str
) -> Table:
    """Components, largest first, each with what its number rests on."""
    total = sum(values.values()) or 1.0
    rows = []
    for name, value in sorted(values.items(), key=lambda entry: -entry[1]):
        blocks = origins(report, figure, name)
        rows.append([
            rests_on(words(name), blocks),
            rests_on(quantity(value, unit), blocks),
            Cell(f"{100 * value / total:.1f} %", value / total, share=value / total),
        ])  # fmt: skip
    note = "Open a component to see what its numbers rest on."
    return Table(title, ["component", "value", "share"], rows, note)


def _tables(report: Mapping[str, Any]) -> list[Block]:
    energy, area = report["energy"]["by_component_j"], report["area"]["by_component_m2"]
    return [
        ranked(report, "energy", energy, "J", "Energy per inference, by component"),
        ranked(report, "area", area, "m2", "Area, by component"),
    ]


def _items(report: Mapping[str, Any]) -> list[Block]:
    energy = [
        [words(item["component"]), words(item["action"]), count(item["count"]),
         quantity(item["each_j"], "J"), quantity(item["per_inference_j"], "J")]
        for item in report["energy"]["items"]
    ]  # fmt: skip
    area = [
        [words(item["component"]), words(item["part"]), count(item["count"]),
         quantity(item["each_m2"], "m2"), quantity(item["area_m2"], "m2"),
         quantity(item["leakage_w"], "W")]
        for item in report["area"]["items"]
    ]  # fmt: skip
    costs = ["component", "action", "count in the run", "energy of one", "per inference"]
    sizes = ["component", "part", "count", "area of one", "area", "leakage"]
    leakage = f"Leakage awake: {quantity(report['area']['leakage_w'], 'W').text}."
    return [
        Table("Energy line by line", costs, energy, is_folded=True),
        Table("Area line by line", sizes, area, leakage, is_folded=True),
    ]
