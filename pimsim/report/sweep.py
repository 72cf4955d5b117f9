"""A sweep as a table, CSV, JSON and plots that its axes choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console

from pimsim.errors import ConfigError, Place
from pimsim.files import write_json, write_whole
from pimsim.report.figures import COLOURS, one_look, save_figure
from pimsim.report.reproduction import MARKERS, write_csv
from pimsim.report.terminal import percent, plain_table

# figure, factor, label
PANELS = (
    ("accuracy", 100.0, "accuracy [%]"),
    ("energy_per_inference_j", 1e9, "energy per inference [nJ]"),
    ("area_m2", 1e6, "area [mm2]"),
    ("interval_s", 1e6, "time per inference [us]"),
)
MOST_PRINTED = 60


def write_sweep(document: Mapping[str, Any], folder: Path, *, parquet: bool = False) -> list[Path]:
    """Write sweep.csv, .json, .svg and .png into a folder, and sweep.parquet if asked for.

    Parameters
    ----------
    document
        From `pimsim.studies.sweep.describe_sweep`.
    """
    stem, rows = folder / "sweep", document["points"]
    with one_look():
        figure = Figure(figsize=(9.0, 6.4), layout="constrained")
        draw_sweep(figure, rows, document["axes"])
        written = save_figure(figure, stem, "svg", "png")
    written.append(write_csv(rows, stem.with_suffix(".csv")))
    if parquet:
        written.append(_write_parquet(rows, stem.with_suffix(".parquet")))
    written.append(write_json(stem.with_suffix(".json"), document))
    return written


def needs_parquet() -> None:
    """Refuse where Parquet files cannot be written.

    Raises
    ------
    ConfigError
        If pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise ConfigError(
            "needs pyarrow, which is not installed",
            place=Place("--parquet"),
            remedy="pip install 'pimsim[parquet]'",
        )


def _write_parquet(rows: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """A typed table: axes are text, figures numbers, what is not known null."""
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.Table.from_pylist([dict(row) for row in rows])
    return write_whole(path, lambda file: parquet.write_table(table, file))


def draw_sweep(figure: Figure, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> None:
    """Lines over the axis of most numbers, one for each setting of the others."""
    rows = run_rows(rows)
    along = main_axis(rows, keys)
    others = [key for key in keys if key != along]
    lines = lines_of(rows, keys, along)
    for axes, (name, factor, label) in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
        draw_panel(axes, lines, along, name, factor, label)
    if any(lines):
        figure.legend(
            *figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4,
            fontsize=8, title=", ".join(others), title_fontsize=8,
        )  # fmt: skip


def run_rows(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows of the points that could be run."""
    return [row for row in rows if not row.get("error")]


def lines_of(
    rows: Sequence[Mapping[str, Any]], keys: Sequence[str], along: str
) -> dict[str, list[Mapping[str, Any]]]:
    """Rows of each setting of the axes other than `along`."""
    lines: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        lines.setdefault(", ".join(row[key] for key in keys if key != along), []).append(row)
    return lines


def main_axis(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> str:
    """The numeric axis of most values; the one of most values where none is numeric."""
    return max(
        keys, key=lambda key: (numbers_of(rows, key) is not None, len({r[key] for r in rows}))
    )


def numbers_of(rows: Sequence[Mapping[str, Any]], key: str) -> list[float] | None:
    """Values as numbers, units left out where all have the same; None where they are words."""
    try:
        return [float(row[key]) for row in rows]
    except ValueError:
        pass
    parts = [row[key].split() for row in rows]
    if any(len(part) != 2 for part in parts) or len({part[1] for part in parts}) > 1:
        return None
    try:
        return [float(part[0]) for part in parts]
    except ValueError:
        return None


def draw_panel(
    axes: Axes,
    lines: Mapping[str, Sequence[Mapping[str, Any]]],
    along: str,
    name: str,
    factor: float,
    label: str,
) -> None:
    """One figure over an axis, a line for each of `lines_of`."""
    words = list(dict.fromkeys(row[along] for rows in lines.values() for row in rows))
    for index, (case, rows) in enumerate(lines.items()):
        numbers = numbers_of(rows, along)
        x = [float(words.index(row[along])) for row in rows] if numbers is None else numbers
        y = [factor * row[name] for row in rows]
        colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
        style = "-" if numbers is not None else ""
        axes.plot(x, y, color=colour, marker=marker, markersize=4, linestyle=style, label=case)
        if name == "accuracy" and all(row["accuracy_std"] is not None for row in rows):
            spread = [factor * row["accuracy_std"] for row in rows]
            axes.errorbar(x, y, spread, color=colour, fmt="none", capsize=2, linewidth=0.8)
        if numbers is None:
            axes.set_xticks(range(len(words)), words)
    axes.set_xlabel(along)
    axes.set_ylabel(label)


def print_sweep(rows: Sequence[Mapping[str, Any]], keys: Sequence[str], console: Console) -> None:
    """Print the points, at most the first of very many; `*` marks those of the Pareto front."""
    table = plain_table(f"\n{len(rows)} points")
    for key in keys:
        table.add_column(key.rpartition(".")[2])
    for heading in ("accuracy", "std", "nJ", "mm2", "us", ""):
        table.add_column(heading, justify="right")
    for row in rows[:MOST_PRINTED]:
        if row.get("error"):
            table.add_row(*(row[key] for key in keys), "cannot be run")
            continue
        spread = row["accuracy_std"]
        table.add_row(
            *(row[key] for key in keys),
            percent(row["accuracy"]),
            "-" if spread is None else percent(spread),
            f"{row['energy_per_inference_j'] * 1e9:,.2f}",
            f"{row['area_m2'] * 1e6:.4f}",
            f"{row['interval_s'] * 1e6:,.2f}",
            "*" if row["is_pareto"] else "",
        )
    console.print(table)
    if len(rows) > MOST_PRINTED:
        console.print(f"and {len(rows) - MOST_PRINTED} more in sweep.csv")
    console.print("* none is better in accuracy, energy, area or time without being worse",
                  highlight=False)  # fmt: skip
    failed = [row for row in rows if row.get("error")]
    if failed:
        said = f"{len(failed)} of {len(rows)} points cannot be run; the first: {failed[0]['error']}"
        console.print(said, highlight=False, markup=False, soft_wrap=True)
