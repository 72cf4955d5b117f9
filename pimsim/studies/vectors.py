"""Test vectors for an RTL or SPICE bench: inputs and expected outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim import __version__
from pimsim.chip import program_tile
from pimsim.errors import ConfigError, Place
from pimsim.files import write_npz
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.prepare import Prepared
from pimsim.studies.vector_tiles import TileVectors

LAYOUT_VERSION = 2


def write_vectors(prepared: Prepared, chip_index: int, n_sequences: int, path: Path) -> Path:
    """Write one chip's cells and every bit or code of some sequences; layout in docs/vectors.md.

    Parameters
    ----------
    chip_index
        Index of the chip, from 0; with one seed, index k always gives the same chip.
    n_sequences
        Sequences from the data set, evenly distributed over its classes.

    Raises
    ------
    ConfigError
        If the index is negative, there is no sequence to write, or lines lose voltage.
    """
    if not 0 <= chip_index < 2**31:
        raise ConfigError(f"is {chip_index}; chips count from 0", place=Place("--chip-index"))
    if prepared.setup.noise.ir_drop != "none":
        raise ConfigError(
            f"is {prepared.setup.noise.ir_drop}, and a bench adds a file's currents as they are",
            place=Place("noise.ir_drop"),
            remedy="Set noise.ir_drop=none, or write a deck with `pimsim spice`",
        )
    if n_sequences < 1:
        raise ConfigError(f"is {n_sequences}; at least 1 is needed", place=Place("--sequences"))
    data = prepared.data.limit(n_sequences)
    seed = prepared.setup.run.seed
    chip = prepared.chip(prepared.setup.noise)
    encoded = encode_inputs(chip, data.features)
    run = run_chips(
        chip,
        encoded,
        [chip_index],
        seed,
        sample_indices=data.sample_indices,
        keep_bits=True,
    )
    arrays: dict[str, NDArray[Any]] = {name: bits[0] for name, bits in run.bits.items()}
    arrays["labels"] = data.labels
    predictions = run.predictions[0].astype(np.int64)
    every_step = prepared.network.output.every_step
    arrays["predictions"] = predictions.reshape(len(data), -1) if every_step else predictions
    arrays["samples"] = data.sample_indices
    arrays["output.weights"] = prepared.network.output.weights
    arrays["output.biases"] = prepared.network.output.biases
    layers = []
    for tile in chip.tiles:
        of_tile = TileVectors(
            chip, tile, program_tile(tile, seed, chip_index), seed, encoded.shape[1]
        )
        arrays |= {f"{tile.name}.{name}": values for name, values in of_tile.arrays().items()}
        layers.append(of_tile.facts())
    facts = {
        "layout": LAYOUT_VERSION,
        "pimsim": __version__,
        "network": prepared.network.name,
        "device": prepared.setup.device.name,
        "chip": prepared.setup.chip.name,
        "chip_index": chip_index,
        "seed": seed,
        "noise": chip.noise.model_dump(),
        "layers": layers,
    }
    arrays["facts"] = np.array(json.dumps(facts))
    return write_npz(path, arrays)
