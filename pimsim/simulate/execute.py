"""Run programmed chips on sequences: bits, predictions, counts.

Results depend on nothing but the chip, its index, the seed and each sequence
with its index: not on threads, batches or neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip, ProgrammedTile, Tile, program_tile
from pimsim.simulate.backends import Backend, Batch, Loaded, choose, load
from pimsim.simulate.counts import ActionCounts
from pimsim.simulate.encoding import empty_classes, scores_of
from pimsim.simulate.layers import logic_of, max_pool, wiring_of
from pimsim.simulate.signals import Signals, Values
from pimsim.workload.layers import Gru, MaxPool


@dataclass(frozen=True)
class ChipRun:
    """Results of a group of chips on a set of sequences.

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
        Names of the backends that ran its tiles, from `backends.BACKENDS`.
    bits : dict of name -> (n_chips, n_sequences, ...) uint8
        Every decision, where asked for; names as in `workload.ReferenceRun`.  Of chips with ADCs,
        codes.
    """

    predictions: NDArray[np.unsignedinteger]
    counts: ActionCounts
    n_clipped: int
    n_cells: int
    threads: int = 1
    kernel: str = ""
    bits: dict[str, Values] = field(default_factory=dict)


def run_chips(
    chip: Chip,
    encoded: Values,
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
        Encoder bits (or codes) of the sequences, from `encode_inputs`.
    chip_indices
        Indices of the chips to simulate.  With one seed, index k always gives the same chip.
    sample_indices : (n_sequences,) int64
        Index of each sequence in its data set, which keys its noise; 0, 1, ... if None.
    batch
        Sequences per kernel call: memory, not results.
    threads
        Threads to use; all if None.
    kernel
        Force one of `backends.BACKENDS`: speed, not results; the fastest if None.
    keep_bits
        Return every decision.
    progress
        Called with the number of inferences done since the last call.
    """
    if sample_indices is None:
        sample_indices = np.arange(len(encoded), dtype=np.int64)
    backend = choose(chip, len(encoded), kernel)
    before = numba.get_num_threads()
    limit: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    numba.set_num_threads(min(threads or limit, limit))
    try:
        return _run_chips(
            chip, backend, encoded, chip_indices, seed, sample_indices, batch, keep_bits, progress
        )
    finally:
        numba.set_num_threads(before)


def _run_chips(
    chip: Chip,
    backend: Backend[Any],
    encoded: Values,
    chip_indices: Sequence[int],
    seed: int,
    samples: NDArray[np.int64],
    batch: int,
    keep_bits: bool,
    progress: Callable[[int], None],
) -> ChipRun:
    threads = numba.get_num_threads()
    inputs = [
        EncodedBatch(encoded[first : first + batch], samples[first : first + batch])
        for first in range(0, len(encoded), batch)
    ]
    # all that grows with the number of chips: a byte for each inference
    predictions = empty_classes(chip, len(chip_indices), len(encoded))
    counts, n_clipped, n_cells = ActionCounts(), 0, 0
    kernels: dict[str, None] = {}
    kept: dict[str, list[Values]] = {}
    with ThreadPoolExecutor(threads) as pool:
        for rows in _pieces(len(chip_indices), 2 * threads):
            indices = list(chip_indices[rows])
            group = _run_group(chip, inputs, indices, seed, backend, keep_bits, progress, pool)
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
        threads=threads,
        kernel=", ".join(kernels),
        bits={name: np.concatenate(bits) for name, bits in kept.items()},
    )


class EncodedBatch:
    """Sequences of one kernel call: their encoder outputs, the same for all chips, and indices."""

    def __init__(self, encoded: Values, samples: NDArray[np.int64]) -> None:
        self.encoded = Signals(len(encoded), np.ascontiguousarray(encoded[None]))
        self.samples = np.ascontiguousarray(samples)

    def __len__(self) -> int:
        return len(self.samples)


def _pieces(n: int, size: int) -> Iterator[slice]:
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


class TileOfGroup:
    """A tile of a group of chips on its backend, and the currents of its rows.

    Attributes
    ----------
    loaded : Loaded
    row_currents : dict of matrix name -> (n_chips or 1, n_rows) int64
        Current that a row draws while it is on, both bit lines of all its pairs [quanta];
        rows that are always on come last.
    """

    def __init__(self, tile: Tile, programmed: list[ProgrammedTile], loaded: Loaded) -> None:
        self.tile, self.loaded = tile, loaded
        self.n_always_on = programmed[0].n_always_on
        self.row_currents = {
            part.name: np.stack([row_currents(p, part.columns) for p in programmed])
            for part in tile.matrices
        }


def row_currents(programmed: ProgrammedTile, columns: slice) -> NDArray[np.int64]:
    """Current of each row over some columns, (n_rows,) [quanta]."""
    total = programmed.plus[:, columns].astype(np.int64) + programmed.minus[:, columns]
    return np.asarray(total.sum(axis=1))


def _run_group(
    chip: Chip,
    batches: list[EncodedBatch],
    group: list[int],
    seed: int,
    backend: Backend[Any],
    keep_bits: bool,
    progress: Callable[[int], None],
    pool: Executor,
) -> ChipRun:
    chips = np.array(group, np.int64)
    tiles: list[TileOfGroup | None] = []
    n_clipped = n_cells = 0
    for tile in chip.tiles:
        if tile is None:
            tiles.append(None)
            continue
        programmed = _program(tile, seed, group, pool)
        # chips that each programmed tile stands for
        each = len(group) // len(programmed)
        n_clipped += each * sum(p.n_clipped for p in programmed)
        n_cells += each * sum(tile.placement.lines_each * p.plus.size for p in programmed)
        loaded = load(backend, chip, tile, programmed, chips, seed)
        tiles.append(TileOfGroup(tile, programmed, loaded))
    counts = ActionCounts()
    predictions = []
    kept: dict[str, list[Values]] = {}
    for batch in batches:
        bits, final = _forward(
            chip, tiles, batch, chips, counts, keep_bits, takes_words=backend.takes_words
        )
        output = chip.network.output
        counts.add("output_unit", "macs", len(group) * len(batch) * output.weights.size)
        predictions.append(scores_of(chip, final).argmax(axis=-1))
        for name, values in bits.items():
            kept.setdefault(name, []).append(values)
        progress(len(group) * len(batch))
    return ChipRun(
        predictions=np.concatenate(predictions, axis=1),
        counts=counts,
        n_clipped=n_clipped,
        n_cells=n_cells,
        kernel=", ".join(dict.fromkeys(t.loaded.backend.name for t in tiles if t is not None)),
        bits={name: np.concatenate(values, axis=1) for name, values in kept.items()},
    )


def _program(tile: Tile, seed: int, group: list[int], pool: Executor) -> list[ProgrammedTile]:
    """Draw a tile of each chip, in parallel; once, where all chips hold the same currents."""
    indices = group[:1] if tile.is_shared else group
    return list(pool.map(partial(program_tile, tile, seed), indices))


def _forward(
    chip: Chip,
    tiles: list[TileOfGroup | None],
    encoded: EncodedBatch,
    chips: NDArray[np.int64],
    counts: ActionCounts,
    keep_bits: bool,
    *,
    takes_words: bool,
) -> tuple[dict[str, Values], Values]:
    """Run all layers on one batch: (kept values, last layer's values (n_chips, n, n_values))."""
    n_chips, n = len(chips), len(encoded)
    batch, last = Batch(chips, encoded.samples), encoded.encoded
    _count_encoder(chip, last.values, n_chips, counts)
    kept = {"encoder": last.of_each(n_chips)} if keep_bits else {}
    count_reads = _count_conversions if chip.config.has_converters else _count_decisions
    for index, layer in enumerate(chip.network.layers):
        name, tile = chip.network.layer_name(index), tiles[index]
        if isinstance(layer, MaxPool):
            last = max_pool(layer, last, takes_words=takes_words)
        else:
            assert tile is not None
            if isinstance(layer, Gru):
                logic = logic_of(layer)
                done = tile.loaded.recur(logic, last, batch, keep_bits)
                last = done.signals
            else:
                wiring, places = wiring_of(layer, (*last.places, last.n_values))
                done = tile.loaded.read(wiring, last, batch)
                last = done.signals.placed(*places)
            reads = n_chips * n * last.n_places
            count_reads(counts, tile, reads, done.driven)
            if isinstance(layer, Gru):
                _count_gru(chip, counts, reads * layer.n_hidden, done.flips)
                if done.trace is not None:
                    groups = np.split(done.trace, len(logic.signals), axis=-1)
                    for signal, values in zip(logic.signals, groups, strict=True):
                        kept[f"{name}.{signal}"] = values
        if keep_bits:
            kept[f"{name}.hidden" if isinstance(layer, Gru) else name] = last.of_each(n_chips)
    if chip.network.is_recurrent:
        last = last.last_step
    return kept, last.of_each(n_chips).reshape(n_chips, n, -1)


def _count_decisions(
    counts: ActionCounts, of_group: TileOfGroup, reads: int, driven: NDArray[np.int64]
) -> None:
    """Count reads of all chips together; `driven` (n_chips, n_rows) is how often rows were on."""
    # a row that runs through several arrays side by side has a word line in each
    placement, n_always_on = of_group.tile.placement, of_group.n_always_on
    rows = int(driven.sum()) + reads * n_always_on
    always = np.full((len(driven), n_always_on), reads // len(driven))
    for matrix, currents in of_group.row_currents.items():
        counts.draw(matrix, (np.hstack([driven, always]) * currents).sum())
    counts.add("word_line_driver", "rows_driven", rows * placement.n_side_by_side)
    counts.add("array", "reads", reads * placement.n_arrays)
    counts.add("sense_amplifier", "decisions", reads * of_group.tile.n_outputs)


def _count_conversions(
    counts: ActionCounts, of_group: TileOfGroup, reads: int, driven: NDArray[np.int64]
) -> None:
    """Count reads of whole inputs, each of `input_bits` pulses."""
    tile = of_group.tile
    placement, conversion = tile.placement, tile.matrices[0].read_out.conversion
    assert conversion is not None
    for matrix, currents in of_group.row_currents.items():
        counts.draw(matrix, (driven * currents).sum())
    pulses = reads * conversion.input_bits
    counts.add("word_line_driver", "rows_driven", int(driven.sum()) * placement.n_side_by_side)
    counts.add("array", "reads", pulses * placement.n_arrays)
    conversions = pulses * placement.n_pairs * placement.n_stacked
    counts.add("adc", "conversions", conversions)
    counts.add("shift_and_add", "sums", conversions)
    if not conversion.signed:
        counts.add("shift_and_add", "offsets", reads * tile.n_outputs * placement.n_stacked)
    counts.add("activation_unit", "activations", reads * tile.n_outputs)


def _count_gru(chip: Chip, counts: ActionCounts, selections: int, flips: int) -> None:
    if chip.config.has_converters:
        counts.add("activation_unit", "mixes", selections)
        return
    counts.add("gru_logic", "selections", selections)
    counts.add("gru_logic", "register_flips", flips)


def _count_encoder(chip: Chip, encoded: Values, n_chips: int, counts: ActionCounts) -> None:
    fan_in = int(np.prod(chip.network.encoder.weights.shape[:-1]))
    outputs = "activations" if chip.config.has_converters else "bits"
    # computed once here, but every chip has its own encoder
    counts.add("input_encoder", "macs", n_chips * encoded.size * fan_in)
    counts.add("input_encoder", outputs, n_chips * encoded.size)
