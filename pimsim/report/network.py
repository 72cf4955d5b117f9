"""A network file on the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from pimsim.report.terminal import close_table
from pimsim.workload import LevelMatrix, Network, read_with_format


def print_network(path: Path, console: Console) -> None:
    """Print layers, levels, ranges and provenance of a network file.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    network, version = read_with_format(path)

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False)

    say(f"{network.name}  ({path.stat().st_size / 1024:.0f} KiB, format {version})")
    say(f"input: {network.input.description}")
    shape = " x ".join(str(n) for n in network.encoder.weights.shape)
    say(f"encoder: {network.encoder.kind}, {shape}, real-valued")
    console.print(_layer_table(network))
    shape = " x ".join(str(n) for n in network.output.weights.shape)
    say(f"output: {shape}, real-valued; classes: {', '.join(network.classes)}")
    say(f"temperature of the sigmoids in training: {network.temperature:g}")
    say("provenance:")
    say(json.dumps(network.provenance, indent=2, ensure_ascii=False))


def _layer_table(network: Network) -> Table:
    table = close_table("")
    table.add_column("layer", no_wrap=True)
    for name in ("size", "levels", "alpha", "range", "spread", "zeros", "thresholds"):
        table.add_column(name, justify="right", no_wrap=True)
    for node in network.nodes:
        details = f" ({node.layer.details})" if node.layer.details else ""
        for name, matrix in node.matrices():
            table.add_row(name + details, *_cells(matrix))
        if not node.matrices():
            table.add_row(node.name + details)
    return table


def _cells(matrix: LevelMatrix) -> list[str]:
    low, high = int(matrix.thresholds.min()), int(matrix.thresholds.max())
    return [
        f"{matrix.n_rows} x {matrix.n_columns}",
        str(matrix.n_levels),
        f"{matrix.alpha:.4g}",
        f"+-{matrix.preactivation_range:.3g}",
        f"{matrix.preactivation_spread:.3g}",
        f"{np.mean(matrix.levels == 0):.0%}",
        "0" if low == high == 0 else f"{low}..{high}",
    ]
