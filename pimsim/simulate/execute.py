"""Run programmed chips on sequences: bits, predictions, counts.

Results depend on nothing but the chip, its index, the seed and each sequence
with its index: not on threads, batches or neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numba
import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip, program_tile
from pimsim.circuits.digital_mac import encode_fixed, score_fixed
from pimsim.kernels import sliced
from pimsim.kernels.array import Streams, read_layer, run_gru
from pimsim.simulate import converters
from pimsim.simulate.counts import ActionCounts
from pimsim.simulate.operands import Operands
from pimsim.workload.inputs import encoder_inputs
from pimsim.workload.layers import Conv2d, Dense, Gru, MaxPool
from pimsim.workload.patches import patches, pool
from pimsim.workload.reference import encode, score

Bits = NDArray[np.uint8]
ENCODER_BATCH = 256  # sequences encoded at once: memory, not results


@dataclass(frozen=True)
class ChipRun:
    """What a group of chips did with a set of sequences.

    Attributes
    ----------
    predictions : (n_chips, n_sequences) int64
        Class of the largest score, the first of equals.
    counts : ActionCounts
        Actions of all chips together.
    n_clipped : int
        Cells clipped at zero current, of `n_cells`, over all chips.
    threads : int
        Threads that were used.
    kernel : str
        "portable", "sliced" for chips without static error, "products" for chips with
        converters.
    bits : dict of name -> (n_chips, n_sequences, ...) uint8
        Every decision, where asked for; names as in `workload.ReferenceRun`.
    """

    predictions: NDArray[np.int64]
    counts: ActionCounts
    n_clipped: int
    n_cells: int
    threads: int = 1
    kernel: str = ""
    bits: dict[str, Bits] = field(default_factory=dict)


def encode_inputs(chip: Chip, features: NDArray[np.uint8]) -> Bits:
    """Bits of the input layer, the same for every chip: (n, n_steps, n_bits) or (n, y, x, c).

    Of a chip with converters, codes.
    """
    if chip.config.has_converters:
        return converters.encode_inputs(chip, features)
    pieces = []
    for start in range(0, len(features), ENCODER_BATCH):
        inputs = encoder_inputs(chip.workload, features[start : start + ENCODER_BATCH])
        if chip.noise.fixed_point:
            unit = chip.config.input_encoder
            pieces.append(encode_fixed(chip.workload.encoder, unit, inputs))
        else:
            pieces.append(encode(chip.workload.encoder, inputs))
    return np.concatenate(pieces)


def run_chips(
    chip: Chip,
    encoded: Bits,
    chip_indices: Sequence[int],
    seed: int,
    *,
    sample_indices: NDArray[np.int64] | None = None,
    batch: int = 256,
    threads: int | None = None,
    keep_bits: bool = False,
    progress: Callable[[int], None] = lambda n: None,
) -> ChipRun:
    """Draw chips and run every sequence on each.

    Parameters
    ----------
    encoded
        Encoder bits of the sequences, from `encode_inputs`.
    chip_indices
        Which chips of the endless row of chips that the seed stands for.
    sample_indices : (n_sequences,) int64
        Index of each sequence in its data set, which keys its noise; 0, 1, ... if None.
    batch
        Sequences per kernel call: memory, not results.
    threads
        Threads to use; all if None.
    keep_bits
        Return every decision.
    progress
        Called with the number of inferences done since the last call.
    """
    if sample_indices is None:
        sample_indices = np.arange(len(encoded), dtype=np.int64)
    limit: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    numba.set_num_threads(min(threads or limit, limit))
    if chip.config.has_converters:
        predictions, counts, n_clipped, n_cells, codes = converters.run_converter_chips(
            chip,
            encoded,
            chip_indices,
            seed,
            sample_indices=sample_indices,
            batch=batch,
            keep_codes=keep_bits,
            progress=progress,
        )
        used = numba.get_num_threads()
        return ChipRun(predictions, counts, n_clipped, n_cells, used, kernel_of(chip), codes)
    group_size = max(1, 2 * numba.get_num_threads())
    groups = [
        _run_group(chip, encoded, group, seed, sample_indices, batch, keep_bits, progress)
        for group in _pieces(list(chip_indices), group_size)
    ]
    counts = ActionCounts()
    for group in groups:
        counts.merge(group.counts)
    return ChipRun(
        predictions=np.concatenate([g.predictions for g in groups]),
        counts=counts,
        n_clipped=sum(g.n_clipped for g in groups),
        n_cells=sum(g.n_cells for g in groups),
        threads=numba.get_num_threads(),
        kernel=kernel_of(chip),
        bits={k: np.concatenate([g.bits[k] for g in groups]) for k in groups[0].bits},
    )


def kernel_of(chip: Chip) -> str:
    """Which kernel a chip is run by; the bits are the same by each that can run it."""
    if chip.config.has_converters:
        return "products"
    shared = [tile.is_shared for tile in chip.tiles if tile is not None]
    return "sliced" if all(shared) else "portable"


def _pieces(items: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _run_group(
    chip: Chip,
    encoded: Bits,
    group: list[int],
    seed: int,
    samples: NDArray[np.int64],
    batch: int,
    keep_bits: bool,
    progress: Callable[[int], None],
) -> ChipRun:
    programmed = [
        # chips that share their currents are programmed once
        None
        if tile is None
        else [program_tile(tile, seed, index) for index in (group[:1] if tile.is_shared else group)]
        for tile in chip.tiles
    ]
    operands = [
        None if tile is None else Operands(tile, tiles or [], seed)
        for tile, tiles in zip(chip.tiles, programmed, strict=True)
    ]
    counts = ActionCounts()
    chips = np.array(group, np.int64)
    predictions = np.empty((len(group), len(encoded)), np.int64)
    kept: dict[str, list[Bits]] = {}
    for start in range(0, len(encoded), batch):
        part = slice(start, start + batch)
        bits, final = _forward(
            chip, operands, encoded[part], chips, samples[part], counts, keep_bits
        )
        predictions[:, part] = _scores(chip, final, counts).argmax(axis=-1)
        for name, values in bits.items():
            kept.setdefault(name, []).append(values)
        progress(len(group) * len(encoded[part]))
    # (drawn tile, chips that it stands for)
    drawn = [(t, len(group) // len(tiles)) for tiles in programmed if tiles for t in tiles]
    return ChipRun(
        predictions=predictions,
        counts=counts,
        n_clipped=sum(tile.n_clipped * chips for tile, chips in drawn),
        n_cells=sum(2 * tile.plus.size * chips for tile, chips in drawn),
        kernel=kernel_of(chip),
        bits={name: np.concatenate(values, axis=1) for name, values in kept.items()},
    )


def _forward(
    chip: Chip,
    operands: list[Operands | None],
    encoded: Bits,
    chips: NDArray[np.int64],
    samples: NDArray[np.int64],
    counts: ActionCounts,
    keep_bits: bool,
) -> tuple[dict[str, Bits], Bits]:
    """All layers on one batch: (every bit if asked for, last layer's bits (n_chips, n, n_bits))."""
    n_chips, n = len(chips), len(encoded)
    _count_encoder(chip, encoded, n_chips, counts)
    kept = {"encoder": np.repeat(encoded[None], n_chips, axis=0)} if keep_bits else {}
    last = np.ascontiguousarray(encoded[None])
    for index, layer in enumerate(chip.workload.layers):
        name = chip.workload.layer_name(index)
        operand = operands[index]
        if isinstance(layer, MaxPool):
            last = _each_chip(last, partial(pool, size=layer.size, stride=layer.stride))
        elif isinstance(layer, Gru):
            assert operand is not None
            last, trace = _gru(
                layer, operand, last, operand.streams(chips, samples), counts, keep_bits
            )
            if keep_bits:
                kept[f"{name}.gate"] = trace[..., : layer.n_hidden]
                kept[f"{name}.candidate"] = trace[..., layer.n_hidden :]
        else:
            assert operand is not None
            last = _read(layer, operand, last, operand.streams(chips, samples), counts)
        if keep_bits:
            shared = last if len(last) == n_chips else np.repeat(last, n_chips, axis=0)
            kept[f"{name}.hidden" if isinstance(layer, Gru) else name] = shared
    last = last if len(last) == n_chips else np.repeat(last, n_chips, axis=0)
    final = last[:, :, -1] if chip.workload.is_recurrent else last.reshape(n_chips, n, -1)
    return kept, final


def _each_chip(maps: Bits, transform: Callable[[Bits], Bits]) -> Bits:
    """Apply a per-sequence transform under the leading chip axis."""
    out = transform(maps.reshape(-1, *maps.shape[2:]))
    return out.reshape(*maps.shape[:2], *out.shape[1:])


def _read(
    layer: Dense | Conv2d, operand: Operands, last: Bits, streams: Streams, counts: ActionCounts
) -> Bits:
    if isinstance(layer, Conv2d):
        cut = partial(patches, kernel=layer.kernel, stride=layer.stride, padding=layer.padding)
        inputs = _each_chip(last, cut)
    else:
        inputs = last.reshape(*last.shape[:2], 1, -1)
    n_chips, n, n_columns = len(streams.chips), inputs.shape[1], layer.matrix.n_columns
    flat = np.ascontiguousarray(inputs).reshape(len(inputs), n, -1, inputs.shape[-1])
    out = np.empty((n_chips, n, flat.shape[2], n_columns), np.uint8)
    driven = np.zeros((n_chips, inputs.shape[-1]), np.int64)
    if operand.planes is not None:
        sliced.read_layer(operand.planes, flat, streams, out, driven)
    else:
        read_layer(operand.cells, operand.start, flat, operand.chances, streams, out, driven)
    reads = n_chips * n * flat.shape[2]
    _count_reads(counts, operand, reads, n_columns, driven)
    places = inputs.shape[2:-1] if isinstance(layer, Conv2d) else ()
    return out.reshape(n_chips, n, *places, n_columns)


def _gru(
    layer: Gru,
    operand: Operands,
    below: Bits,
    streams: Streams,
    counts: ActionCounts,
    keep_bits: bool,
) -> tuple[Bits, Bits]:
    n_chips, (n, n_steps) = len(streams.chips), below.shape[1:3]
    hidden = np.empty((n_chips, n, n_steps, layer.n_hidden), np.uint8)
    trace = np.empty((n_chips, n, n_steps, 2 * layer.n_hidden) if keep_bits else (0,) * 4, np.uint8)
    driven = np.zeros((n_chips, layer.gate.n_rows), np.int64)
    flips = np.zeros(n_chips, np.int64)
    done = (streams, hidden, trace, driven, flips)
    if operand.planes is not None:
        sliced.run_gru(operand.planes, below, *done)
    else:
        run_gru(operand.cells, operand.start, below, operand.chances, *done)
    reads = n_chips * n * n_steps
    _count_reads(counts, operand, reads, 2 * layer.n_hidden, driven)
    counts.add("gru_logic", "selections", reads * layer.n_hidden)
    counts.add("gru_logic", "register_flips", int(flips.sum()))
    return hidden, trace


def _count_reads(
    counts: ActionCounts,
    operand: Operands,
    reads: int,
    n_columns: int,
    driven: NDArray[np.int64],
) -> None:
    """Count reads of all chips together; `driven` (n_chips, n_rows) is how often rows were on."""

    # a row that runs through several arrays side by side has a word line in each
    placement = operand.placement
    rows = int(driven.sum()) + reads * operand.n_always_on
    always = np.full((len(driven), operand.n_always_on), reads // len(driven))
    for matrix, currents in operand.row_currents.items():
        counts.draw(matrix, (np.hstack([driven, always]) * currents).sum())
    counts.add("word_line_driver", "rows_driven", rows * placement.n_side_by_side)
    counts.add("array", "reads", reads * placement.n_arrays)
    counts.add("sense_amplifier", "decisions", reads * n_columns)


def _count_encoder(chip: Chip, encoded: Bits, n_chips: int, counts: ActionCounts) -> None:
    fan_in = int(np.prod(chip.workload.encoder.weights.shape[:-1]))
    # computed once here, but every chip has its own encoder
    counts.add("input_encoder", "macs", n_chips * encoded.size * fan_in)
    counts.add("input_encoder", "bits", n_chips * encoded.size)


def _scores(chip: Chip, final: Bits, counts: ActionCounts) -> NDArray[np.float64]:
    output = chip.workload.output
    n_chips, n = final.shape[:2]
    counts.add("output_unit", "macs", n_chips * n * output.weights.size)
    if chip.noise.fixed_point:
        return score_fixed(output, chip.config.output_unit, final)
    return score(output, final)
