"""Run chips whose arrays are read out as numbers: bit by bit of the inputs, slice by slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pimsim.chip import Chip, Conversion, MatrixOnChip, ProgrammedTile, Tile, program_tile
from pimsim.circuits.digital_mac import fixed_preactivations, score_fixed
from pimsim.kernels.converters import HALVES, Converters, Counters, convert
from pimsim.simulate.counts import ActionCounts
from pimsim.simulate.operands import row_currents
from pimsim.streams import Purpose, key_words, normals, tag
from pimsim.workload.inputs import encoder_inputs
from pimsim.workload.layers import Conv2d, Dense, Gru, LevelMatrix, MaxPool
from pimsim.workload.patches import patches, pool
from pimsim.workload.quantized import Activation, Codes, encode_codes, mix

ENCODER_BATCH = 256  # sequences encoded at once: memory, not results
# rows of a matrix product at once: memory, not results
PRODUCT_ROWS = 1 << 14


def activation_of(chip: Chip) -> Activation:
    """Neurons of a chip with converters: sigmoids of the temperature of the network's training."""
    temperature = float(chip.workload.provenance.get("temperature", 1.0))
    return Activation(chip.config.slicing.activation_bits, temperature)


def encode_inputs(chip: Chip, features: NDArray[np.uint8]) -> Codes:
    """Codes of the input layer, the same for every chip."""
    activation, pieces = activation_of(chip), []
    for start in range(0, len(features), ENCODER_BATCH):
        inputs = encoder_inputs(chip.workload, features[start : start + ENCODER_BATCH])
        if chip.noise.fixed_point:
            sums, worth = fixed_preactivations(
                chip.workload.encoder, chip.config.input_encoder, inputs
            )
            pieces.append(activation.of_values(sums * worth))
        else:
            pieces.append(encode_codes(chip.workload.encoder, inputs, activation))
    return np.concatenate(pieces)


class ConverterTile:
    """One tile of one drawn chip, ready to be multiplied with.

    Parameters
    ----------
    tile : Tile
    programmed : ProgrammedTile
    activation : Activation
    block_rows : int
        Rows of an array: sums of different arrays are converted apart, and added as numbers.
    columns_per_adc : int
    seed, chip_index : int
    """

    def __init__(
        self,
        tile: Tile,
        programmed: ProgrammedTile,
        activation: Activation,
        block_rows: int,
        columns_per_adc: int,
        seed: int,
        chip_index: int,
    ) -> None:
        conversion = tile.matrices[0].read_out.conversion
        assert conversion is not None
        self.tile, self.activation, self.conversion = tile, activation, conversion
        self.cells = programmed.cells.astype(np.float32)
        self.blocks = [
            slice(start, start + block_rows) for start in range(0, len(self.cells), block_rows)
        ]
        self.currents = {
            part.name: row_currents(programmed, part.columns) for part in tile.matrices
        }
        self.n_clipped = programmed.n_clipped
        self.key, self.chip_index = key_words(seed), chip_index
        self.tag = tag(Purpose.CONVERSION, tile.index)
        self.converters = _converters(
            conversion, tile, len(self.blocks), columns_per_adc, seed, chip_index
        )
        self.per_active = [_per_active(part, conversion.standing) for part in tile.matrices]

    def multiply(
        self, codes: Codes, place: int, samples: NDArray[np.int64], driven: NDArray[np.int64]
    ) -> list[Codes]:
        """Codes of each matrix's neurons for input codes (n, n_rows).

        Parameters
        ----------
        place : int
            Time step or patch, which keys the noise.
        samples : (n,) int64
            Of each row of codes.
        driven : (n_rows,) int64
            Added to: how often rows were on, over all input bits.
        """
        n_bits = self.conversion.input_bits
        planes = (codes[None] >> np.arange(n_bits, dtype=np.uint8)[:, None, None]) & np.uint8(1)
        driven += planes.sum(axis=(0, 1), dtype=np.int64)
        sums = [np.zeros((len(codes), k.shape[1]), k.dtype) for k in self.per_active]
        on = planes.astype(np.float32)
        for index, block in enumerate(self.blocks):
            product = on[:, :, block].reshape(-1, block_width(block, self.cells))
            products = product @ self.cells[block]
            counters = Counters(
                self.key[0], self.key[1], self.tag, self.chip_index,
                place * len(self.blocks) + index, samples,
            )  # fmt: skip
            found = np.zeros((len(codes), self.tile.n_outputs + len(sums)), np.int64)
            convert(products.reshape(n_bits, len(codes), -1), self.converters[index], counters,
                    found)  # fmt: skip
            first = 0
            for matrix, (own, per_active) in enumerate(zip(sums, self.per_active, strict=True)):
                own += found[:, first : first + own.shape[1]]
                first += own.shape[1]
                if not self.conversion.signed:
                    own += found[:, self.tile.n_outputs + matrix, None] * per_active[index]
        return [
            self._fire(own, part.matrix) for own, part in zip(sums, self.tile.matrices, strict=True)
        ]

    def _fire(self, sums: NDArray[Any], matrix: LevelMatrix) -> Codes:
        unit = self.activation.unit(matrix)
        if self.conversion.step == 1 and sums.dtype == np.int64:
            return self.activation.of_sums(sums, unit)
        return self.activation.of_values(sums.astype(np.float64) * (self.conversion.step * unit))


def block_width(block: slice, cells: NDArray[np.float32]) -> int:
    """Rows of a block; the last one may be shorter."""
    return min(block.stop, len(cells)) - block.start


def _converters(
    conversion: Conversion,
    tile: Tile,
    n_blocks: int,
    columns_per_adc: int,
    seed: int,
    chip_index: int,
) -> list[Converters]:
    """Converters of each block of rows.

    Their static errors are drawn for this chip, the same for all blocks.
    """
    n_pairs = tile.placement.n_pairs
    n_adcs = -(-n_pairs // columns_per_adc)
    draws = normals(seed, Purpose.CONVERTER, chip_index, tile.index, (3, 1, n_adcs))[:, 0]
    spread = np.array([conversion.offset, conversion.gain, conversion.bow])
    offset, gain, bow = (draws * spread[:, None]).repeat(columns_per_adc, axis=1)[:, :n_pairs]
    table = np.empty(0)
    if conversion.sigma > 0:
        table = ndtri((np.arange(HALVES) + 0.5) / HALVES) * conversion.sigma
        # below the last bits in which two machines may differ
        table = np.round(table * 2.0**20) / 2.0**20
    low = -conversion.top if conversion.signed else 0
    slices = [part.slices for part in tile.matrices if part.slices is not None]
    owner = _owners(tile)
    return [
        Converters(
            conversion.code_quanta, low, conversion.top, table, offset, gain, bow,
            not spread.any(), np.hstack([s.worth[block] for s in slices]), owner,
        )
        for block in range(n_blocks)
    ]  # fmt: skip


def _owners(tile: Tile) -> NDArray[np.int64]:
    """Sum (n_lines,) that a line adds to: its column's, or a unit column's, which come last."""
    owners, first = [], 0
    for index, part in enumerate(tile.matrices):
        n_lines, n_columns = part.columns.stop - part.columns.start, part.matrix.n_columns
        owners.append(first + np.arange(n_lines) // (n_lines // n_columns))
        if part.levels.minus is None:
            owners[-1][-1] = tile.n_outputs + index
        first += n_columns
    return np.concatenate(owners).astype(np.int64)


def _per_active(part: MatrixOnChip, standing: float) -> NDArray[Any]:
    """What a code of the unit column is worth in each sum (n_blocks, n_columns).

    Whole numbers, but where level 0 draws a current: that of all lines of a column comes off too,
    and the unit column's own cells draw more than one level.
    """
    assert part.slices is not None
    if not standing:
        return part.slices.per_active
    of_lines = part.slices.worth_of_weights.sum(axis=2)
    return np.asarray((part.slices.per_active - standing * of_lines) / (1 + standing))


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
) -> tuple[NDArray[np.int64], ActionCounts, int, int, dict[str, Codes]]:
    """Draw chips and run every sequence on each.

    Parameters are those of `pimsim.simulate.run_chips`; codes stand for bits.

    Returns
    -------
    predictions : (n_chips, n_sequences) int64
    counts : ActionCounts
    n_clipped, n_cells : int
    codes : dict of name -> (n_chips, n_sequences, ...) uint8
    """
    counts = ActionCounts()
    predictions = np.empty((len(chip_indices), len(encoded)), np.int64)
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
    fan_in = int(np.prod(chip.workload.encoder.weights.shape[:-1]))
    counts.add("input_encoder", "macs", encoded.size * fan_in)
    counts.add("input_encoder", "activations", encoded.size)
    codes, last = {"encoder": encoded}, encoded
    for index, layer in enumerate(chip.workload.layers):
        tile = tiles[index]
        if isinstance(layer, MaxPool):
            last = pool(last, layer.size, layer.stride)
        elif isinstance(layer, Gru):
            assert tile is not None
            last = _gru(layer, tile, last, samples, counts)
        else:
            assert tile is not None
            last = _read(layer, tile, last, samples, counts)
        codes[chip.workload.layer_name(index)] = last
    final = last[:, -1] if chip.workload.is_recurrent else last.reshape(len(last), -1)
    counts.add("output_unit", "macs", len(final) * chip.workload.output.weights.size)
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
    driven = np.zeros(flat.shape[-1], np.int64)
    out = np.empty((*flat.shape[:2], layer.matrix.n_columns), np.uint8)
    for place in range(flat.shape[1]):
        (out[:, place],) = tile.multiply(flat[:, place], place, samples, driven)
    _count(counts, tile, flat.shape[0] * flat.shape[1], driven)
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
    hidden = np.zeros((n, layer.n_hidden), np.uint8)
    driven = np.zeros(layer.gate.n_rows, np.int64)
    for step in range(n_steps):
        rows = np.concatenate([hidden, below[:, step]], axis=1)
        gate, candidate = tile.multiply(rows, step, samples, driven)
        hidden = out[:, step] = mix(gate, hidden, candidate, tile.activation.top)
    _count(counts, tile, n * n_steps, driven)
    counts.add("activation_unit", "mixes", n * n_steps * layer.n_hidden)
    return out


def _count(
    counts: ActionCounts, tile: ConverterTile, reads: int, driven: NDArray[np.int64]
) -> None:
    """Count reads of whole inputs, each of `input_bits` pulses."""
    placement, n_bits = tile.tile.placement, tile.conversion.input_bits
    for matrix, currents in tile.currents.items():
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
    output = chip.workload.output
    if chip.noise.fixed_point:
        return score_fixed(output, chip.config.output_unit, final, one)
    weights = np.asarray(output.weights, np.float64)
    return np.asarray(final.astype(np.float64) @ weights + one * output.biases.astype(np.float64))
