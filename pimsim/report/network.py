"""A network file on the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from rich.console import Console

from pimsim.files import look
from pimsim.report.blocks import Cell, Table
from pimsim.report.terminal import print_table
from pimsim.workload import LevelMatrix, Network, read_network_file

# of what a file says of its origin
MAX_SHOWN = 70


def print_network(path: Path, console: Console, *, with_provenance: bool = False) -> None:
    """Print layers, levels and ranges of a network file, and its origin in short or whole.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    network, version, _ = read_network_file(path)

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False)

    status = look(path)
    size = f"{status.st_size / 1024:.0f} KiB, " if status is not None else ""
    say(f"{network.name}  ({size}format {version})")
    say(f"input: {network.input.description}")
    say(f"encoder: {network.encoder.description}")
    print_table(layer_table(network), console, "Layers")
    say(f"output: {network.output.description}; classes: {', '.join(network.classes)}")
    say(f"temperature of the sigmoids in training: {network.temperature:g}")
    if with_provenance:
        say("provenance:")
        say(json.dumps(network.provenance, indent=2, ensure_ascii=False))
        return
    short = {key: value for key, value in network.provenance.items() if _is_short(value)}
    for key, value in short.items():
        say(f"{key}: {value}")
    n_more = len(network.provenance) - len(short)
    if n_more:
        say(f"and {n_more} more of its origin: --provenance")


def _is_short(value: object) -> bool:
    return not isinstance(value, dict | list) and len(str(value)) <= MAX_SHOWN


def layer_table(network: Network) -> Table:
    """Layers with their matrices: sizes, levels, ranges."""
    columns = ["layer", "size", "levels", "alpha", "range", "std", "zeros", "thresholds"]
    rows: list[list[str]] = []
    for node in network.nodes:
        details = f" ({node.layer.details})" if node.layer.details else ""
        rows += [[name + details, *_cells(matrix)] for name, matrix in node.matrices()]
        if not node.matrices():
            rows.append([node.name + details])
    filled = [row + [""] * (len(columns) - len(row)) for row in rows]
    return Table("Layers", columns, [[Cell(text) for text in row] for row in filled])


def _cells(matrix: LevelMatrix) -> list[str]:
    low, high = int(matrix.thresholds.min()), int(matrix.thresholds.max())
    raised = ", half a level up" if matrix.half_levels else ""
    return [
        f"{matrix.n_rows} x {matrix.n_columns}",
        str(matrix.n_levels),
        f"{matrix.alpha:.4g}",
        f"+-{matrix.preactivation_range:.3g}",
        f"{matrix.preactivation_spread:.3g}",
        f"{np.mean(matrix.levels == 0):.0%}",
        ("0" if low == high == 0 else f"{low}..{high}") + raised,
    ]
