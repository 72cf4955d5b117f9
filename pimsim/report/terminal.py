"""A run's report on the terminal."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pimsim.report.inferences import n_inferences

SOURCE_WORDS = {
    "programming": "programming: uneven levels and spread",
    "drift": "drift since programming",
    "rtn": "random telegraph noise",
    "read_noise": "slow read noise",
    "offset": "sense-amplifier offset",
    "dynamic": "kT/C noise of every decision",
    "fixed_point": "fixed-point encoder and output",
    "sigma_eval": "sigma_eval (eq. 5)",
}


def terminal() -> Console:
    """Where results are printed: names and sources as they stand, whatever brackets are in them."""
    return Console(markup=False, emoji=False)


def percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"


def print_run(report: dict[str, Any], console: Console) -> None:
    """Print the tables of a run's document (`pimsim.studies.document`)."""
    run = report["run"]
    console.print()
    console.print(Text(f"{run['network']} on {run['chip']}, {run['device']} cells", style="bold"))
    kind = "synthetic speech" if run["is_synthetic_data"] else run["data_description"]
    console.print(f"{run['n_sequences']} sequences of {run['data']} ({kind})", highlight=False)
    console.print(f"levels: {report['noise']['levels']}", highlight=False)
    console.print(_accuracy_table(report))
    if report["noise"]["contributions"]:
        console.print(_contribution_table(report))
    console.print(_latency_table(report))
    console.print(_energy_table(report))
    console.print(_area_table(report))
    console.print(_action_table(report))
    _print_facts(report, console)


def plain_table(title: str) -> Table:
    # as text: a unit in brackets would be taken for markup
    return Table(
        title=Text(title), title_justify="left", title_style="bold", show_edge=False, pad_edge=False
    )


def close_table(title: str) -> Table:
    """For many columns: two blanks between them instead of a line."""
    table = plain_table(title)
    table.box, table.padding = SIMPLE_HEAD, (0, 1, 0, 0)
    return table


def _accuracy_table(report: dict[str, Any]) -> Table:
    accuracy, run = report["accuracy"], report["run"]
    table = plain_table("\nAccuracy")
    table.add_column("")
    table.add_column("", justify="right")
    table.show_header = False
    table.add_row("ideal (no error, no noise)", percent(accuracy["ideal"]))
    chips = "chip" if run["n_chips"] == 1 else "chips"
    table.add_row(f"mean of {run['n_chips']} {chips}", percent(accuracy["mean"]))
    if accuracy["std"] is not None:
        # with few chips the interval can reach beyond what an accuracy can be
        low, high = max(0.0, accuracy["ci95"][0]), min(1.0, accuracy["ci95"][1])
        short = "" if accuracy["is_precise"] else ", wider than asked for"
        table.add_row("  95 % interval of the mean", f"{percent(low)} to {percent(high)}{short}")
        table.add_row("  standard deviation", percent(accuracy["std"]))
    if accuracy["std_chips"] is not None:
        table.add_row("    between chips", percent(accuracy["std_chips"]))
    if accuracy["std_reads"] is not None:
        table.add_row(
            f"    between {accuracy['n_reads']} reads of a chip", percent(accuracy["std_reads"])
        )
    if accuracy["std"] is not None:
        table.add_row(
            "  lowest and highest", f"{percent(accuracy['min'])} to {percent(accuracy['max'])}"
        )
    if accuracy["yield"] is not None:
        good, (low, high) = accuracy["yield"], accuracy["yield"]["ci95"]
        table.add_row(
            f"  chips of {percent(good['target'])} or better",
            f"{percent(good['share'])} (95 %: {percent(low)} to {percent(high)})",
        )
    return table


def _contribution_table(report: dict[str, Any]) -> Table:
    entries = report["noise"]["contributions"]
    most = max(entry["n_chips"] for entry in entries)
    table = plain_table(f"\nEach noise source alone ({most} chips at most)")
    table.add_column("only this source on")
    for name in ("mean", "std", "change, points"):
        table.add_column(name, justify="right")
    for entry in entries:
        if not entry["is_present"]:
            continue
        table.add_row(
            SOURCE_WORDS[entry["source"]],
            percent(entry["mean"]),
            "-" if entry["std"] is None else percent(entry["std"]),
            f"{100 * entry['change_from_ideal']:+.2f}",
        )
    return table


def _latency_table(report: dict[str, Any]) -> Table:
    latency = report["latency"]
    table = plain_table(f"\nTime at {latency['clock_hz'] / 1e6:g} MHz")
    table.add_column("")
    table.add_column("cycles", justify="right")
    table.add_column("", justify="right")
    table.show_header = False
    for label, cycles, seconds in (
        ("first inference", latency["first_cycles"], latency["first_s"]),
        (
            "from its last input to its scores",
            latency["after_last_input_cycles"],
            latency["after_last_input_s"],
        ),
        ("each further inference", latency["cycles_per_inference"], latency["interval_s"]),
    ):
        table.add_row(label, f"{cycles:,} cycles", f"{seconds * 1e6:,.2f} us")
    if latency["frame_interval_s"] is not None:
        table.add_row(
            f"awake, an input every {latency['frame_interval_s'] * 1e3:g} ms",
            f"{latency['duty_cycle']:.3%}",
            f"{latency['awake_s'] * 1e6:,.2f} us",
        )
    slowest = next(
        entry for entry in latency["components"] if entry["component"] == latency["slowest"]
    )
    table.add_row("slowest component", latency["slowest"], f"busy {slowest['utilisation']:.0%}")
    table.add_row(
        "highest clock of the arrays",
        latency["critical_path"],
        f"{latency['highest_clock_hz'] / 1e6:,.0f} MHz",
    )
    return table


def _energy_table(report: dict[str, Any]) -> Table:
    energy, efficiency = report["energy"], report["efficiency"]
    title = (
        f"\nEnergy per inference: {energy['per_inference_j'] * 1e9:,.2f} nJ, "
        f"{efficiency['tops_per_w']:,.1f} TOPS/W"
    )
    return _ranked(title, "nJ", 1e9, energy["by_component_j"], _assumed(report, "energy"))


def _area_table(report: dict[str, Any]) -> Table:
    area, efficiency = report["area"], report["efficiency"]
    title = f"\nArea: {area['total_m2'] * 1e6:,.3f} mm2, {efficiency['tops_per_mm2']:,.2f} TOPS/mm2"
    return _ranked(title, "um2", 1e12, area["by_component_m2"], _assumed(report, "area"))


def _ranked(
    title: str, unit: str, factor: float, values: dict[str, float], assumed: set[str]
) -> Table:
    """Components, largest first, with bars; `~` marks what rests on assumptions."""
    total = sum(values.values())
    table = plain_table(title)
    table.add_column("component")
    table.add_column(unit, justify="right")
    table.add_column("share", justify="right")
    table.add_column("")
    for component, value in sorted(values.items(), key=lambda entry: -entry[1]):
        share = value / total if total else 0.0
        mark = "~" if component in assumed else ""
        table.add_row(
            component.replace("_", " "),
            f"{mark}{value * factor:,.3f}",
            f"{share:.1%}",
            "#" * round(30 * share),
        )
    return table


def _assumed(report: dict[str, Any], figure: str) -> set[str]:
    """Components that rest on a block which is assumed."""
    provenance = report["provenance"]
    doubtful = {
        f"{file}.{entry['block']}"
        for file, entries in provenance["sources"].items()
        for entry in entries
        if entry["certainty"] == "assumed"
    }
    rests_on = provenance["rests_on"][figure]
    return {name for name, blocks in rests_on.items() if doubtful & set(blocks)}


def _action_table(report: dict[str, Any]) -> Table:
    inferences = n_inferences(report)
    table = plain_table("\nActions counted")
    table.add_column("component")
    table.add_column("action")
    table.add_column("per inference", justify="right")
    table.add_column("in all", justify="right")
    for component, actions in report["actions"].items():
        for action, count in actions.items():
            table.add_row(
                component.replace("_", " "),
                action.replace("_", " "),
                f"{count / inferences:,.1f}",
                f"{count:,}",
            )
    return table


def _print_facts(report: dict[str, Any], console: Console) -> None:
    noise, run = report["noise"], report["run"]
    share = noise["clipped_cells"] / max(1, noise["programmed_cells"])
    console.print()
    absent = [entry["source"] for entry in noise["contributions"] if not entry["is_present"]]
    lines = [
        f"noise at a decision {_or_off(noise, 'dynamic', 'sigma_dynamic_mv')}; "
        f"offset {_or_off(noise, 'offset', 'offset_mv')}; "
        f"in units of pre-activation at most {noise['sigma_dynamic_units']:.3f}",
        f"cells clipped at zero current {percent(share)}; one quantum of current is "
        f"{noise['quantum']:.2e} of full scale, at most "
        f"{noise['quantum_to_smallest_noise']:.3f} of the smallest noise",
        f"{run['inferences_per_s']:,.0f} inferences/s on {run['threads']} threads "
        f"({run['kernel']} kernel), {run['wall_s']:.1f} s in all",
    ]
    without = ", ".join(report["energy"]["not_counted"])
    lines.insert(0, f"energy without {without}; ~ rests on a number that is assumed")
    if report["energy"]["by_adc_account_j"]:
        spread = ", ".join(
            f"{joule * 1e9:,.0f} nJ ({model})"
            for model, joule in report["energy"]["by_adc_account_j"].items()
        )
        lines.insert(0, f"energy per inference by other accounts of converters: {spread}")
    lines = [_doubt(check) for check in report["plausibility"] if not check["passes"]] + lines
    if absent:
        words = ", ".join(SOURCE_WORDS[source].split(":")[0] for source in absent)
        lines.insert(0, f"none of these in the hardware files: {words}")
    assumed = [
        f"{file} {entry['block']}"
        for file, entries in report["provenance"]["sources"].items()
        for entry in entries
        if entry["certainty"] == "assumed"
    ]
    if assumed:
        lines.append(f"assumed, without a published value: {', '.join(assumed)}")
    for line in lines:
        console.print(line, highlight=False)


def _doubt(check: dict[str, Any]) -> str:
    value, limit, unit = check["value"], check["limit"], check["unit"]
    return f"doubtful: {check['check']} of {check['layer']} is {value:.3g} {unit}, over {limit:.3g}"


def _or_off(noise: dict[str, Any], source: str, key: str) -> str:
    return f"{noise[key]:.2f} mV" if noise["switches"][source] else "off"


# readings of Table 2 by their keys in a document's rows
PENALTIES = {
    "paper": "paper",
    "with_tau_relative": "ours",
    "without_tau_relative": "ours, x tau^2",
    "as_sigmoids_relative": "ours, as sigmoids",
}


def print_reproduction(document: dict[str, Any], console: Console) -> None:
    """Print a reproduced figure or table (`pimsim.studies.document.describe_reproduction`)."""
    console.print()
    console.print(Text(f"{document['title']} ({document['source']})", style="bold"))
    facts = f"{document['n_sequences']} sequences of {document['data']}"
    if document["kind"] == "table":
        console.print(facts, highlight=False)
        table = plain_table("\nPg + Pc, relative to the first row")
        table.add_column("")
        for heading in PENALTIES.values():
            table.add_column(heading, justify="right")
        for row in document["points"]:
            table.add_row(row["label"], *(f"{row[key]:.4f}" for key in PENALTIES))
    elif document["kind"] == "devices":
        console.print(f"{facts}, {document['samples']} chips of each device", highlight=False)
        table = _device_table(document["points"])
    else:
        console.print(f"{facts}, {document['samples']} samples of the noise", highlight=False)
        rows = document["points"]
        table = plain_table("\nAccuracy, mean +- standard deviation, against sigma_eval")
        table.add_column("")
        for sigma in dict.fromkeys(row["sigma_eval"] for row in rows):
            table.add_column(f"{sigma:g}", justify="right")
        for label in dict.fromkeys(row["curve"] for row in rows):
            cells = [
                f"{100 * row['mean']:.2f}+-{100 * row['std']:.2f}"
                for row in rows
                if row["curve"] == label
            ]
            table.add_row(label, *cells)
    console.print(table)
    for sentence in document["paper_says"]:
        console.print(f"the paper: {sentence}", highlight=False)


def _device_table(rows: list[dict[str, Any]]) -> Table:
    """Mean and standard deviation by source and device, and the paper's."""
    devices = list(dict.fromkeys(row["device"] for row in rows))
    table = plain_table("\nAccuracy, mean +- standard deviation over chips")
    table.add_column("")
    for device in devices:
        table.add_column(device, justify="right")
    table.add_row("paper, all sources", *(r["paper"] for r in rows if r["paper"]))
    for noise in dict.fromkeys(row["noise"] for row in rows):
        found = {row["device"]: row for row in rows if row["noise"] == noise}
        cells = [
            f"{100 * found[d]['mean']:.2f} +- {100 * found[d]['std']:.2f} %" if d in found else "-"
            for d in devices
        ]
        table.add_row(SOURCE_WORDS.get(noise, noise), *cells)
    return table
