"""A network file on the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from rich.console import Console

from pimsim.report.blocks import Cell, Table
from pimsim.report.terminal import print_table
from pimsim.workload import (
    Conv2d,
    ConvEncoder,
    Gru,
    LevelMatrix,
    MaxPool,
    Network,
    SpeechInput,
    format_of,
)


def print_network(network: Network, path: Path, console: Console) -> None:
    """Print layers, levels, ranges and provenance of a network."""

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False)

    say(f"{network.name}  ({path.stat().st_size / 1024:.0f} KiB, format {format_of(network)})")
    scaling = network.input
    if isinstance(scaling, SpeechInput):
        say(
            f"input: {len(scaling.mean)} MFCC per step, {scaling.frame_average} frames averaged, "
            + ("" if scaling.level is None else f"clips normalised to level {scaling.level:g}, ")
            + "standardised"
        )
    else:
        say(f"input: pixels, mean {scaling.mean:.4f}, standard deviation {scaling.deviation:.4f}")
    shape = " x ".join(str(n) for n in network.encoder.weights.shape)
    kind = "convolution" if isinstance(network.encoder, ConvEncoder) else "dense"
    say(f"encoder: {kind}, {shape}, real-valued")
    print_table(_layer_table(network), console, "Layers")
    shape = " x ".join(str(n) for n in network.output.weights.shape)
    say(f"output: {shape}, real-valued; classes: {', '.join(network.classes)}")
    say("provenance:")
    say(json.dumps(network.provenance, indent=2, ensure_ascii=False))


def _layer_table(network: Network) -> Table:
    columns = ["layer", "size", "levels", "alpha", "range", "std", "zeros", "thresholds"]
    rows: list[list[str]] = []
    for index, layer in enumerate(network.layers):
        name = network.layer_name(index)
        if isinstance(layer, MaxPool):
            rows.append([f"{name} ({layer.size} x {layer.size})", f"stride {layer.stride}"])
        elif isinstance(layer, Gru):
            rows.append([f"{name}.gate", *_cells(layer.gate)])
            rows.append([f"{name}.candidate", *_cells(layer.candidate)])
        else:
            kernel = f" ({layer.kernel} x {layer.kernel})" if isinstance(layer, Conv2d) else ""
            rows.append([name + kernel, *_cells(layer.matrix)])
    filled = [row + [""] * (len(columns) - len(row)) for row in rows]
    return Table("Layers", columns, [[Cell(text) for text in row] for row in filled])


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
