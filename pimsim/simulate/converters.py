"""Run chips whose arrays are read out as numbers: bit by bit of the inputs, slice by slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip, program_tile
from pimsim.circuits.digital_mac import fixed_preactivations, score_fixed
from pimsim.kernels.converters import read_layer, run_gru
from pimsim.simulate.converter_tile import ConverterTile
from pimsim.simulate.counts import ActionCounts
from pimsim.simulate.signals import room_for_classes
from pimsim.workload.layers import Conv2d, Dense, Gru, MaxPool
from pimsim.workload.neurons import Activation
from pimsim.workload.patches import patches, pool
from pimsim.workload.signals import Codes

ENCODER_BATCH = 256  # sequences encoded at once: memory, not results


def activation_of(chip: Chip) -> Activation:
    """Neurons of a chip with converters: sigmoids of the temperature of the network's training."""
    temperature = chip.network.temperature
    return Activation(chip.config.slicing.activation_bits, temperature)


def encode_inputs(chip: Chip, features: NDArray[np.uint8]) -> Codes:
    """Codes of the input layer, the same for every chip."""
    activation, pieces = activation_of(chip), []
    for start in range(0, len(features), ENCODER_BATCH):
        inputs = chip.network.input.numbers(features[start : start + ENCODER_BATCH])
        if chip.noise.fixed_point:
            sums, worth = fixed_preactivations(
                chip.network.encoder, chip.config.input_encoder, inputs
            )
            pieces.append(activation.of_values(sums * worth))
        else:
            pieces.append(activation.of_values(chip.network.encoder.preactivations(inputs)))
    return np.concatenate(pieces)


def run_converter_chips(
    chip: Chip,
    encoded: Codes,
    chip_indices: Sequence[int],
    seed: int,
    *,
    sample_indices: NDArray[np.int64],
    batch: int,
    keep_codes: bool = False,
    progress: Callable[[int], None] = lambda n: None,
) -> tuple[NDArray[np.unsignedinteger], ActionCounts, int, int, dict[str, Codes]]:
    """Draw chips and run every sequence on each.

    Parameters are those of `pimsim.simulate.run_chips`; codes stand for bits.

    Returns
    -------
    predictions : (n_chips, n_sequences), of `room_for_classes`
    counts : ActionCounts
    n_clipped, n_cells : int
    codes : dict of name -> (n_chips, n_sequences, ...) uint8
    """
    counts = ActionCounts()
    predictions = room_for_classes(chip, len(chip_indices), len(encoded))
    kept: dict[str, list[list[Codes]]] = {}
    n_clipped = n_cells = 0
    activation, config = activation_of(chip), chip.config
    for row, index in enumerate(chip_indices):
        tiles: list[ConverterTile | None] = []
        for tile in chip.tiles:
            if tile is None:
                tiles.append(None)
                continue
            programmed = program_tile(tile, seed, index)
            n_clipped += programmed.n_clipped
            n_cells += tile.placement.lines_each * programmed.plus.size
            tiles.append(
                ConverterTile(tile, programmed, activation, config.array.rows,
                              config.converter.columns_per_adc, seed, index)
            )  # fmt: skip
        of_chip: dict[str, list[Codes]] = {}
        for start in range(0, len(encoded), batch):
            part = slice(start, start + batch)
            codes, final = _forward(chip, tiles, encoded[part], sample_indices[part], counts)
            predictions[row, part] = _scores(chip, final, activation.top).argmax(axis=-1)
            for name, values in codes.items() if keep_codes else ():
                of_chip.setdefault(name, []).append(values)
            progress(len(encoded[part]))
        for name, batches in of_chip.items():
            kept.setdefault(name, []).append(batches)
    codes_of_all = {
        name: np.stack([np.concatenate(batches) for batches in chips])
        for name, chips in kept.items()
    }
    return predictions, counts, n_clipped, n_cells, codes_of_all


def _forward(
    chip: Chip,
    tiles: list[ConverterTile | None],
    encoded: Codes,
    samples: NDArray[np.int64],
    counts: ActionCounts,
) -> tuple[dict[str, Codes], Codes]:
    """All layers on one batch: (codes by layer, last layer's (n, n_codes))."""
    fan_in = int(np.prod(chip.network.encoder.weights.shape[:-1]))
    counts.add("input_encoder", "macs", encoded.size * fan_in)
    counts.add("input_encoder", "activations", encoded.size)
    codes, last = {"encoder": encoded}, encoded
    for index, layer in enumerate(chip.network.layers):
        tile = tiles[index]
        if isinstance(layer, MaxPool):
            last = pool(last, layer.size, layer.stride)
        elif isinstance(layer, Gru):
            assert tile is not None
            last = _gru(layer, tile, last, samples, counts)
        else:
            assert tile is not None
            last = _read(layer, tile, last, samples, counts)
        codes[chip.network.nodes[index].output] = last
    final = last[:, -1] if chip.network.has_steps else last.reshape(len(last), -1)
    counts.add("output_unit", "macs", len(final) * chip.network.output.weights.size)
    return codes, final


def _read(
    layer: Dense | Conv2d,
    tile: ConverterTile,
    last: Codes,
    samples: NDArray[np.int64],
    counts: ActionCounts,
) -> Codes:
    if isinstance(layer, Conv2d):
        cut = partial(patches, kernel=layer.kernel, stride=layer.stride, padding=layer.padding)
        inputs = cut(last)
    else:
        inputs = last.reshape(len(last), 1, -1)
    flat = inputs.reshape(len(last), -1, inputs.shape[-1])
    driven = np.zeros((len(flat), flat.shape[-1]), np.int64)
    out = np.empty((*flat.shape[:2], layer.matrix.n_columns), np.uint8)
    read_layer(np.ascontiguousarray(flat), *tile.operands(samples), out, driven)
    _count(counts, tile, flat.shape[0] * flat.shape[1], driven.sum(axis=0))
    if isinstance(layer, Conv2d):
        return out.reshape(*inputs.shape[:-1], -1)
    return out[:, 0]


def _gru(
    layer: Gru,
    tile: ConverterTile,
    below: Codes,
    samples: NDArray[np.int64],
    counts: ActionCounts,
) -> Codes:
    n, n_steps, _ = below.shape
    out = np.empty((n, n_steps, layer.n_hidden), np.uint8)
    driven = np.zeros((n, layer.gate.n_rows), np.int64)
    run_gru(np.ascontiguousarray(below), *tile.operands(samples), out, driven)
    _count(counts, tile, n * n_steps, driven.sum(axis=0))
    counts.add("activation_unit", "mixes", n * n_steps * layer.n_hidden)
    return out


def _count(
    counts: ActionCounts, tile: ConverterTile, reads: int, driven: NDArray[np.int64]
) -> None:
    """Count reads of whole inputs, each of `input_bits` pulses."""
    placement, n_bits = tile.tile.placement, tile.conversion.input_bits
    for matrix, currents in tile.row_currents.items():
        counts.draw(matrix, int((driven * currents).sum()))
    counts.add("word_line_driver", "rows_driven", int(driven.sum()) * placement.n_side_by_side)
    counts.add("array", "reads", reads * n_bits * placement.n_arrays)
    conversions = reads * n_bits * placement.n_pairs * placement.n_stacked
    counts.add("adc", "conversions", conversions)
    counts.add("shift_and_add", "sums", conversions)
    n_outputs = tile.tile.n_outputs
    if not tile.conversion.signed:
        counts.add("shift_and_add", "offsets", reads * n_outputs * placement.n_stacked)
    counts.add("activation_unit", "activations", reads * n_outputs)


def _scores(chip: Chip, final: Codes, one: int) -> NDArray[np.float64]:
    output = chip.network.output
    if chip.noise.fixed_point:
        return score_fixed(output, chip.config.output_unit, final, one)
    return output.scores(final, one)
