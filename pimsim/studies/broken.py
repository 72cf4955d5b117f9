"""Failing weights of one broken chip: what they carry, for a training on this chip."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim import __version__
from pimsim.chip import Tile
from pimsim.chip.repair import tile_faults
from pimsim.chip.repaired import Repaired, carried
from pimsim.errors import ConfigError, Place
from pimsim.files import write_npz
from pimsim.studies.prepare import Prepared

# repairs that act on each pair by itself, whatever the other weights are
OF_PAIRS = ("partner",)
LAYOUT_VERSION = 1


def write_broken(prepared: Prepared, chip_index: int, path: Path) -> tuple[Path, int]:
    """Write what each failing pair of cells carries for every level of a weight.

    The layout is in docs/training.md.

    Returns
    -------
    path : Path
    n_pairs : int
        Pairs that fail.

    Raises
    ------
    ConfigError
        If nothing can fail, amplifiers can, weights are not held by pairs, or a repair depends on
        the weights as a whole.
    """
    noise = prepared.setup.noise
    _check(prepared)
    arrays: dict[str, NDArray[Any]] = {}
    for tile in prepared.chip(noise).tiles:
        arrays |= of_tile(tile, prepared.setup.run.seed, chip_index)
    n_pairs = sum(len(found) for name, found in arrays.items() if name.endswith(".rows"))
    facts = {
        "layout": LAYOUT_VERSION,
        "pimsim": __version__,
        "network": prepared.network.name,
        "device": prepared.setup.device.name,
        "chip": prepared.setup.chip.name,
        "chip_index": chip_index,
        "seed": prepared.setup.run.seed,
        "faults": noise.faults.model_dump(),
    }
    arrays["facts"] = np.array(json.dumps(facts))
    return write_npz(path, arrays), n_pairs


def _check(prepared: Prepared) -> None:
    faults, place = prepared.setup.noise.faults, Place("noise.faults")
    if not faults.any:
        raise ConfigError(
            "has no probability above 0, so no cell fails",
            place=place,
            remedy="Set one, such as noise.faults.stuck=1%",
        )
    if faults.dead_amplifier:
        raise ConfigError(
            "has dead amplifiers, and a training knows what cells carry",
            place=place,
            remedy="Set noise.faults.dead_amplifier=0",
        )
    others = [name for name in faults.repair if name not in OF_PAIRS]
    if others:
        raise ConfigError(
            f"has the repair {others[0]}, which is chosen by all weights and would be another one "
            "for the network that is trained",
            place=place,
            remedy=f"Leave out all repairs but {', '.join(OF_PAIRS)}",
        )
    if any(len(tile.matrices[0].cells.sides) < 2 for tile in prepared.layout.tiles) or any(
        tile.is_converted for tile in prepared.chip(prepared.setup.noise).tiles
    ):
        raise ConfigError(
            f"is '{prepared.setup.chip.name}', and a training knows failing cells of pairs with "
            "sense amplifiers alone",
            place=Place("chip"),
            remedy="Take a chip with sense amplifiers, such as ba_mlw_16nm",
        )


def of_tile(tile: Tile, seed: int, chip_index: int) -> dict[str, NDArray[Any]]:
    """Arrays of all matrices of a tile."""
    assert tile.faults is not None
    # without any repair: which cells fail, and what they carry
    bare = tile.faults.model_copy(update={"repair": (), "spares": 0})
    found: dict[str, NDArray[Any]] = {}
    for state in tile_faults(tile, bare, seed, chip_index).matrices:
        own = _of_matrix(state, tile, has_partner="partner" in tile.faults.repair)
        found |= {f"{state.matrix.name}.{key}": values for key, values in own.items()}
    return found


def _of_matrix(state: Repaired, tile: Tile, *, has_partner: bool) -> dict[str, NDArray[Any]]:
    """Place of each failing pair, and what it carries.

    Returns
    -------
    rows, columns : (n,) int32
    levels : (n, 2 L + 1) float32
        Weight [levels] that is there in the place of -L..L.
    """
    matrix, full_scale = state.matrix.matrix, state.matrix.read_out.full_scale_quanta
    # in whole quanta, as on the chip: sums that cancel there do so in training
    mean = np.round(state.matrix.cell.mean * full_scale)
    rows, columns = np.nonzero(state.fails[: matrix.n_rows])
    steps = tile.read_out.coding.steps_per_level(matrix)
    wanted = steps * np.arange(-matrix.top_level, matrix.top_level + 1)
    sides = np.stack([np.maximum(wanted, 0), np.maximum(-wanted, 0)])
    forced = np.round(state.forced[:, rows, columns] * full_scale)
    # a full scale is the largest weight, of L levels or, with half levels, of twice as many steps
    in_quanta = carried(mean, sides, forced, has_partner=has_partner)
    in_levels = in_quanta * matrix.top_level / full_scale
    return {
        "rows": rows.astype(np.int32),
        "columns": columns.astype(np.int32),
        "levels": in_levels.astype(np.float32),
    }
