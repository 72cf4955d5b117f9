"""A comparison as a table on the terminal, a figure, CSV and JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.text import Text

from pimsim.files import write_json
from pimsim.report.figures import COLOURS, one_look, save_figure
from pimsim.report.reproduction import write_csv
from pimsim.report.terminal import percent, plain_table

# differences less likely than this by chance are called significant
SIGNIFICANT = 0.05
# components below this share of the largest bar are drawn together
NAMED_FROM = 0.01


def write_comparison(document: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write comparison.svg, .png, .csv and .json into a folder."""
    stem = folder / "comparison"
    with one_look():
        figure = Figure(figsize=(9.0, 6.4), layout="constrained")
        draw_comparison(figure, document)
        written = save_figure(figure, stem, "svg", "png")
    written.append(write_csv(case_rows(document), stem.with_suffix(".csv")))
    written.append(write_json(stem.with_suffix(".json"), document))
    return written


def case_rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One flat row for each case."""
    rows = []
    for case in document["cases"]:
        accuracy = case["accuracy"]
        row = {key: value for key, value in case.items() if not isinstance(value, (dict, list))}
        row |= {f"accuracy_{key}": accuracy[key] for key in ("ideal", "mean", "std", "min", "max")}
        rows.append(row)
    return rows


def draw_comparison(figure: Figure, document: Mapping[str, Any]) -> None:
    """Violins of accuracy, stacked bars of energy and area, bars of time."""
    cases = document["cases"]
    axes = figure.subplots(2, 2)
    _violins(axes[0][0], cases)
    _stacked(axes[0][1], cases, "energy_by_component_j", 1e9, "energy per inference [nJ]")
    _stacked(axes[1][1], cases, "area_by_component_m2", 1e6, "area [mm2]")
    time = axes[1][0]
    bars = time.bar(_ticks(time, cases), [1e6 * case["interval_s"] for case in cases],
                    0.6, color=COLOURS[0])  # fmt: skip
    time.bar_label(bars, fmt="%.4g", fontsize=7)
    time.set_ylabel("time for each further inference [us]")
    kind = "synthetic " if document["is_synthetic_data"] else ""
    figure.suptitle(f"{document['n_sequences']} {kind}sequences of {document['data']}", fontsize=9)


def _ticks(axes: Axes, cases: Sequence[Mapping[str, Any]]) -> range:
    labels = [case["case"].replace(", ", "\n") for case in cases]
    axes.set_xticks(range(len(cases)), labels, fontsize=8)
    axes.grid(visible=False, axis="x")
    return range(len(cases))


def _violins(axes: Axes, cases: Sequence[Mapping[str, Any]]) -> None:
    """Distribution over chips, each chip, and a dash at the ideal network's accuracy."""
    for place, case in zip(_ticks(axes, cases), cases, strict=True):
        values = [100 * value for value in case["accuracy"]["per_chip"]]
        colour = COLOURS[place % len(COLOURS)]
        if len(set(values)) > 1:
            parts: Any = axes.violinplot([values], [place], widths=0.7, showextrema=False)
            parts["bodies"][0].set(facecolor=colour, alpha=0.35)
        axes.plot([place] * len(values), values, ".", color=colour, markersize=3, alpha=0.6)
        ideal = 100 * case["accuracy"]["ideal"]
        axes.hlines(ideal, place - 0.35, place + 0.35, color="black", linewidth=1)
    axes.set_ylabel("accuracy [%] (line: ideal)")


def _stacked(
    axes: Axes, cases: Sequence[Mapping[str, Any]], key: str, factor: float, label: str
) -> None:
    """Largest component at the bottom, the small ones together on top."""
    places = _ticks(axes, cases)
    names = dict.fromkeys(name for case in cases for name in case[key])
    most = {name: max(case[key].get(name, 0.0) for case in cases) for name in names}
    least = NAMED_FROM * max(sum(case[key].values()) for case in cases)
    ranked = sorted((name for name in names if most[name] >= least), key=lambda n: -most[n])
    layers = [(name.replace("_", " "), [name], COLOURS[index % len(COLOURS)])
              for index, name in enumerate(ranked)]  # fmt: skip
    layers.append(("others", [name for name in names if most[name] < least], "#bbbbbb"))
    bottom = [0.0] * len(cases)
    for shown, parts, colour in layers:
        heights = [factor * sum(case[key].get(name, 0.0) for name in parts) for case in cases]
        axes.bar(places, heights, 0.6, bottom=bottom, color=colour, label=shown)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    for place, total in zip(places, bottom, strict=True):
        axes.annotate(f"{total:.4g}", (place, total), ha="center", va="bottom", fontsize=7)
    axes.set_ylabel(label)
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))


def print_comparison(document: Mapping[str, Any], console: Console) -> None:
    """Print cases, and how each differs from the first."""
    console.print()
    kind = "synthetic speech" if document["is_synthetic_data"] else "data"
    console.print(Text(f"{document['n_sequences']} sequences of {document['data']} ({kind})",
                       style="bold"))  # fmt: skip
    lines: tuple[tuple[str, Callable[[Mapping[str, Any]], str]], ...] = (
        ("accuracy of the ideal network", lambda c: percent(c["accuracy"]["ideal"])),
        ("mean of the chips", lambda c: percent(c["accuracy"]["mean"])),
        ("  standard deviation", lambda c: _or_none(c["accuracy"]["std"])),
        ("  lowest", lambda c: percent(c["accuracy"]["min"])),
        ("energy per inference, nJ", lambda c: f"{c['energy_per_inference_j'] * 1e9:,.2f}"),
        ("  without the encoder, nJ", lambda c: f"{_without_encoder(c) * 1e9:,.3f}"),
        ("area, mm2", lambda c: f"{c['area_m2'] * 1e6:.4f}"),
        ("each further inference, us", lambda c: f"{c['interval_s'] * 1e6:,.2f}"),
        ("after the last input, us", lambda c: f"{c['after_last_input_s'] * 1e6:,.2f}"),
        ("TOPS/W", lambda c: f"{c['tops_per_w']:,.1f}"),
        ("doubtful", lambda c: str(len(c["doubtful"])) if c["doubtful"] else "-"),
    )
    table = plain_table("\nSide by side")
    table.add_column("")
    for case in document["cases"]:
        table.add_column(case["case"], justify="right")
    for label, cells in lines:
        table.add_row(label, *(cells(case) for case in document["cases"]))
    console.print(table)
    for entry in document["differences"]:
        console.print(_sentence(entry), highlight=False)


def _or_none(fraction: float | None) -> str:
    return "-" if fraction is None else percent(fraction)


def _without_encoder(case: Mapping[str, Any]) -> float:
    encoder = case["energy_by_component_j"].get("input_encoder", 0.0)
    return float(case["energy_per_inference_j"] - encoder)


def _sentence(entry: Mapping[str, Any]) -> str:
    p_value = entry["p_value"]
    if p_value is None:
        judged = "one chip says nothing of chance"
    else:
        judged = "significant" if p_value < SIGNIFICANT else "not significant"
        judged += f", p = {p_value:.2g}{' over the same chips' if entry['is_paired'] else ''}"
    return (
        f"{entry['case']} against {entry['from']}: accuracy {entry['accuracy_points']:+.2f} points "
        f"({judged}), energy {entry['energy_per_inference_percent']:+.1f} %, "
        f"area {entry['area_percent']:+.1f} %, interval {entry['interval_percent']:+.1f} %"
    )
