"""Run programmed chips on sequences: bits, predictions, counts.

Results depend on nothing but the chip, its index, the seed and each sequence
with its index: not on threads, batches or neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numba
import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip, ProgrammedTile, Tile, program_tile
from pimsim.circuits.digital_mac import encode_fixed, score_fixed
from pimsim.simulate import array_layers, converters
from pimsim.simulate.array_layers import Work
from pimsim.simulate.choice import choose_kernel
from pimsim.simulate.counts import ActionCounts
from pimsim.simulate.operands import Operands
from pimsim.simulate.signals import Bits, Signals, block_of, room_for_classes
from pimsim.workload.exact import encode
from pimsim.workload.layers import Gru, MaxPool

ENCODER_BATCH = 256  # sequences encoded at once: memory, not results


@dataclass(frozen=True)
class ChipRun:
    """What a group of chips did with a set of sequences.

    Attributes
    ----------
    predictions : (n_chips, n_sequences) uint8, or wider where there are more than 256 classes
        Class of the largest score, the first of equals.
    counts : ActionCounts
        Actions of all chips together.
    n_clipped : int
        Cells clipped at zero current, of `n_cells`, over all chips.
    threads : int
        Threads that were used.
    kernel : str
        One of `choice.KERNELS`, or "products" for chips with converters.
    bits : dict of name -> (n_chips, n_sequences, ...) uint8
        Every decision, where asked for; names as in `pimsim.workload.ExactRun.signals`.
    """

    predictions: NDArray[np.unsignedinteger]
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
        inputs = chip.network.input.numbers(features[start : start + ENCODER_BATCH])
        if chip.noise.fixed_point:
            unit = chip.config.input_encoder
            pieces.append(encode_fixed(chip.network.encoder, unit, inputs))
        else:
            pieces.append(encode(chip.network.encoder, inputs))
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
    kernel: str | None = None,
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
    kernel
        Force one of `choice.KERNELS`: speed, not results; the fastest if None.
    keep_bits
        Return every decision.
    progress
        Called with the number of inferences done since the last call.
    """
    if sample_indices is None:
        sample_indices = np.arange(len(encoded), dtype=np.int64)
    limit: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    numba.set_num_threads(min(threads or limit, limit))
    chosen = choose_kernel(chip, len(encoded), kernel)
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
        return ChipRun(predictions, counts, n_clipped, n_cells, used, chosen, codes)
    group_size = max(1, 2 * numba.get_num_threads())
    batches = [
        Batch(encoded[first : first + batch], sample_indices[first : first + batch])
        for first in range(0, len(encoded), batch)
    ]
    # all that grows with the number of chips: a byte for each inference
    predictions = room_for_classes(chip, len(chip_indices), len(encoded))
    counts, n_clipped, n_cells = ActionCounts(), 0, 0
    kernels: dict[str, None] = {}
    kept: dict[str, list[Bits]] = {}
    with ThreadPoolExecutor(numba.get_num_threads()) as pool:
        for rows in _pieces(len(chip_indices), group_size):
            indices = list(chip_indices[rows])
            group = _run_group(chip, batches, indices, seed, chosen, keep_bits, progress, pool)
            predictions[rows] = group.predictions
            counts.merge(group.counts)
            n_clipped, n_cells = n_clipped + group.n_clipped, n_cells + group.n_cells
            kernels[group.kernel] = None
            for name, bits in group.bits.items():
                kept.setdefault(name, []).append(bits)
    return ChipRun(
        predictions=predictions,
        counts=counts,
        n_clipped=n_clipped,
        n_cells=n_cells,
        threads=numba.get_num_threads(),
        kernel=", ".join(kernels),
        bits={name: np.concatenate(bits) for name, bits in kept.items()},
    )


class Batch:
    """Sequences of one kernel call: their encoder bits, the same for all chips, and indices."""

    def __init__(self, encoded: Bits, samples: NDArray[np.int64]) -> None:
        self.encoded = Signals(len(encoded), np.ascontiguousarray(encoded[None]))
        self.samples = np.ascontiguousarray(samples)
        self.block = block_of(samples)

    def __len__(self) -> int:
        return len(self.samples)


def _pieces(n: int, size: int) -> Iterator[slice]:
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def _run_group(
    chip: Chip,
    batches: list[Batch],
    group: list[int],
    seed: int,
    kernel: str,
    keep_bits: bool,
    progress: Callable[[int], None],
    pool: Executor,
) -> ChipRun:
    programmed = [
        None if tile is None else _program(tile, seed, group, pool) for tile in chip.tiles
    ]
    operands = [
        None if tile is None else Operands(tile, tiles or [], seed, kernel)
        for tile, tiles in zip(chip.tiles, programmed, strict=True)
    ]
    counts = ActionCounts()
    chips = np.array(group, np.int64)
    predictions = []
    kept: dict[str, list[Bits]] = {}
    for batch in batches:
        bits, final = _forward(chip, operands, batch, chips, counts, keep_bits)
        predictions.append(_scores(chip, final, counts).argmax(axis=-1))
        for name, values in bits.items():
            kept.setdefault(name, []).append(values)
        progress(len(group) * len(batch))
    # (drawn tile, chips that it stands for)
    drawn = [(t, len(group) // len(tiles)) for tiles in programmed if tiles for t in tiles]
    return ChipRun(
        predictions=np.concatenate(predictions, axis=1),
        counts=counts,
        n_clipped=sum(tile.n_clipped * chips for tile, chips in drawn),
        n_cells=sum(2 * tile.plus.size * chips for tile, chips in drawn),
        kernel=", ".join(dict.fromkeys(o.kernel for o in operands if o is not None)),
        bits={name: np.concatenate(values, axis=1) for name, values in kept.items()},
    )


def _program(tile: Tile, seed: int, group: list[int], pool: Executor) -> list[ProgrammedTile]:
    """A tile of each chip, side by side; once, where all hold the same currents."""
    indices = group[:1] if tile.is_shared else group
    return list(pool.map(partial(program_tile, tile, seed), indices))


def _forward(
    chip: Chip,
    operands: list[Operands | None],
    batch: Batch,
    chips: NDArray[np.int64],
    counts: ActionCounts,
    keep_bits: bool,
) -> tuple[dict[str, Bits], Bits]:
    """All layers on one batch: (every bit if asked for, last layer's bits (n_chips, n, n_bits))."""
    n_chips, n = len(chips), len(batch)
    work = Work(chips, batch.samples, batch.block)
    last = batch.encoded
    _count_encoder(chip, last.bytes, n_chips, counts)
    kept = {"encoder": _for_each(last.bytes, n_chips)} if keep_bits else {}
    in_lanes = any(o is not None and o.in_lanes for o in operands)
    for index, layer in enumerate(chip.network.layers):
        name = chip.network.nodes[index].name
        operand = operands[index]
        if isinstance(layer, MaxPool):
            last = array_layers.max_pool(layer, last, in_lanes)
        else:
            assert operand is not None
            if isinstance(layer, Gru):
                done = array_layers.run_gru(layer, operand, last, work, keep_bits)
                decisions = 2 * layer.n_hidden
            else:
                done = array_layers.read(layer, operand, last, work)
                decisions = layer.matrix.n_columns
            last = done.bits
            reads = n_chips * n * last.n_places
            _count_reads(counts, operand, reads, decisions, done.driven)
            if isinstance(layer, Gru):
                counts.add("gru_logic", "selections", reads * layer.n_hidden)
                counts.add("gru_logic", "register_flips", done.flips)
            if done.trace is not None:
                kept[f"{name}.gate"], kept[f"{name}.candidate"] = np.split(done.trace, 2, axis=-1)
        if keep_bits:
            bits = _for_each(last.bytes, n_chips)
            kept[f"{name}.hidden" if isinstance(layer, Gru) else name] = bits
    if chip.network.has_steps:
        last = last.last_step
    return kept, _for_each(last.bytes, n_chips).reshape(n_chips, n, -1)


def _for_each(bits: Bits, n_chips: int) -> Bits:
    """Bits of each chip, where one set stands for all."""
    return bits if len(bits) == n_chips else np.repeat(bits, n_chips, axis=0)


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
    fan_in = int(np.prod(chip.network.encoder.weights.shape[:-1]))
    # computed once here, but every chip has its own encoder
    counts.add("input_encoder", "macs", n_chips * encoded.size * fan_in)
    counts.add("input_encoder", "bits", n_chips * encoded.size)


def _scores(chip: Chip, final: Bits, counts: ActionCounts) -> NDArray[np.float64]:
    output = chip.network.output
    n_chips, n = final.shape[:2]
    counts.add("output_unit", "macs", n_chips * n * output.weights.size)
    if chip.noise.fixed_point:
        return score_fixed(output, chip.config.output_unit, final)
    return output.scores(final)
