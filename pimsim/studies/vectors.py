"""Test vectors for an RTL or SPICE bench: inputs and expected outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim import __version__
from pimsim.chip import Characteristic, Quantiser, Tile, program_tile
from pimsim.chip.read_out import PartialSumsReadOut
from pimsim.config.chip import Array
from pimsim.errors import ConfigError, Place
from pimsim.files import write_npz
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.prepare import Prepared, refuse_codes

LAYOUT_VERSION = 1


def write_vectors(prepared: Prepared, chip_index: int, n_sequences: int, path: Path) -> Path:
    """Write one chip's cells and every bit of some sequences; layout in docs/vectors.md.

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
    refuse_codes(prepared, "test vectors hold bits only", "Take a chip with sense amplifiers")
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
        arrays |= _tile_arrays(tile, seed, chip_index, prepared.setup.chip.array)
        layers.append(_tile_facts(tile))
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


def _tile_arrays(tile: Tile, seed: int, chip_index: int, array: Array) -> dict[str, NDArray[Any]]:
    programmed = program_tile(tile, seed, chip_index)
    array_rows, array_pairs = array.rows, array.columns // tile.placement.lines_each
    rows = np.arange(tile.placement.n_rows)
    pairs = np.arange(tile.placement.n_lines)
    # bit lines of a pair are neighbours, + and -; those of a word, from its lowest bit to its sign
    first = tile.placement.lines_each * (pairs % array_pairs)
    last = first + tile.placement.lines_each - 1
    # of converted sums: what each ADC adds to them, and the sum of codes from which on a bit is 1
    converted = {f"{tile.name}.adc_{n}": e for n, e in programmed.errors.arrays.items()}
    if isinstance(tile.read_out, PartialSumsReadOut):
        limits = [tile.read_out.code_limits(part) for part in tile.matrices]
        converted[f"{tile.name}.limits"] = np.concatenate(limits)
    return converted | {
        f"{tile.name}.plus": programmed.plus,
        f"{tile.name}.minus": programmed.minus,
        f"{tile.name}.offsets": programmed.offsets.astype(np.int32),
        f"{tile.name}.rows": np.stack([rows // array_rows, rows % array_rows], axis=1),
        f"{tile.name}.columns": np.stack([pairs // array_pairs, first, last], axis=1),
    }


def _tile_facts(tile: Tile) -> dict[str, Any]:
    return {
        "name": tile.name,
        "n_always_on": tile.n_always_on,
        "read_out": tile.read_out.kind,
        "matrices": [
            {
                "name": part.name,
                "columns": [part.columns.start, part.columns.stop],
                "full_scale_quanta": part.read_out.full_scale_quanta,
                "quantum_ampere": part.quantum_ampere,
                "volts_per_quantum": part.read_out.volts_per_unit / part.read_out.quanta_per_unit,
                "sigma_dynamic_quanta": part.read_out.sigma_quanta,
                **_codes(part.read_out),
            }
            for part in tile.matrices
        ],
    }


def _codes(numbers: Characteristic) -> dict[str, Any]:
    """Current of a code and the largest code of ADCs; nothing of a read-out that has none."""
    if not isinstance(numbers, Quantiser):
        return {}
    return {"code_quanta": numbers.code_quanta, "top_code": numbers.top}
