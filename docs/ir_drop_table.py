"""Table of docs/theory/read_out.md: what IR drop does to sums.

`python docs/ir_drop_table.py` draws chips of random matrices, and fills the table of the page.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tables import filled

from pimsim.chip import Chip, build_chip, program_tile
from pimsim.chip.wired import read_sums
from pimsim.config import ChipConfig, DeviceConfig, NoiseConfig, find_config, read_yaml, validate
from pimsim.errors import Place
from pimsim.workload import (
    Dense,
    DenseEncoder,
    LevelMatrix,
    Network,
    Output,
    TensorInput,
    chain,
)

PAGE = Path(__file__).parent / "theory" / "read_out.md"
FORMS = ("none", "first_order", "exact")
# devices and rows; more rows of the others lose more than a first-order form holds for
CASES = (
    ("reram", 64), ("reram", 256), ("reram", 1024), ("pcm", 64), ("pcm", 256),
    ("reram_neurram", 256), ("reram_cmo_hfox", 64), ("reram_cmo_hfox", 256),
)  # fmt: skip
ACTIVE = (0.1, 0.5, 0.9)
COLUMNS, READS, TOP = 64, 64, 3
SUMS_HEADER = (
    "device", "rows", "rows on", "loss of a side", "loss of a pair", "error of first order",
    "bits lost by none", "by first order",
)  # fmt: skip


def bundled(name: str, kind: str, schema: Any) -> Any:
    """A bundled description."""
    return validate(read_yaml(find_config(name, kind, Place(name))), schema)


def one_layer(n_rows: int, seed: int) -> Network:
    """A dense layer of random levels, all of them as frequent."""
    rng = np.random.default_rng(seed)

    def small(*shape: int) -> Any:
        return np.zeros(shape, np.float32)

    matrix = LevelMatrix(
        levels=rng.integers(-TOP, TOP + 1, (n_rows, COLUMNS)).astype(np.int8),
        n_levels=2 * TOP + 1,
        alpha=1.0,
        thresholds=np.zeros(COLUMNS, np.int32),
        preactivation_range=4.0 * n_rows**0.5,
        preactivation_spread=0.5 * n_rows**0.5,
    )
    return Network(
        name="random",
        input=TensorInput((4,), small(4), small(4) + 1),
        encoder=DenseEncoder(small(4, n_rows), small(n_rows)),
        nodes=chain((Dense(matrix),)),
        output=Output(small(COLUMNS, 2), small(2)),
        classes=("0", "1"),
    )


def sums_of(device: str, n_rows: int, active: float, seed: int = 1) -> dict[str, Any]:
    """Sums of one drawn chip in each form, with rows on at random [quanta]."""
    config = bundled("ba_mlw_16nm", "chip", ChipConfig)
    cell = bundled(device, "device", DeviceConfig)
    network = one_layer(n_rows, seed)
    rng = np.random.default_rng(seed + 1)
    rows = (rng.random((READS, n_rows)) < active).astype(np.uint8)
    found: dict[str, Any] = {}
    for form in FORMS:
        noise = NoiseConfig(ir_drop=form)
        built: Chip = build_chip(network, config, cell, noise)
        drawn = program_tile(built.tiles[0], seed, 0)
        found[form] = read_sums(built.tiles[0], drawn, rows).astype(float)
    one_side = replace(drawn, minus=np.zeros_like(drawn.minus))
    alone = read_sums(built.tiles[0], one_side, rows) + drawn.offsets
    found["side"] = 1 - alone.sum() / (rows @ drawn.plus[:n_rows]).sum()
    return found


def sums_row(device: str, n_rows: int, active: float) -> tuple[str, ...]:
    """Cells of a row of the table."""
    found = sums_of(device, n_rows, active)
    none, first, exact = (found[form] for form in FORMS)
    scatter = none.std()
    return (
        device,
        str(n_rows),
        f"{active * 100:.0f} %",
        f"{found['side'] * 100:.1f} %",
        f"{(none - exact).std() / scatter * 100:.2f} %",
        f"{(first - exact).std() / scatter * 100:.2f} %",
        *(f"{((of > 0) != (exact > 0)).mean() * 100:.2f} %" for of in (none, first)),
    )


def main() -> None:
    of_sums = [sums_row(d, n, a) for d, n in CASES for a in ACTIVE]
    PAGE.write_text(filled(PAGE.read_text(), "IR drop in sums", [SUMS_HEADER, *of_sums]))


if __name__ == "__main__":
    main()
