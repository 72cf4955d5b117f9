"""Run programmed chips on sequences: bits, predictions, counts.

Results depend on nothing but the chip, its index, the seed and each sequence
with its index: not on threads, batches or neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip, ProgrammedTile, Tile, program_tile
from pimsim.simulate.backends import Backend, Batch, choose, load
from pimsim.simulate.counts import ActionCounts
from pimsim.simulate.kept import InMemory, Keep
from pimsim.simulate.machine import ChipMachine, TileOfGroup, empty_classes
from pimsim.simulate.signals import Signals, Values
from pimsim.workload.forward import forward


@dataclass(frozen=True)
class ChipRun:
    """Results of a group of chips on a set of sequences.

    Attributes
    ----------
    predictions : (n_chips, n_sequences) uint8, or wider where there are more than 256 classes
        Class of the largest score, the first of equals; of a network that scores every step,
        all of them (n_chips, n_sequences * n_steps); of one without an output layer, all its
        outputs (n_chips, n_sequences * n_outputs).
    counts : ActionCounts
        Actions of all chips together.
    n_clipped : int
        Cells clipped at zero current, of `n_cells`, over all chips.
    threads : int
        Threads that were used.
    kernel : str
        Names of the backends that ran its tiles, from `backends.BACKENDS`.
    bits : dict of name -> (n_chips, n_sequences, ...) uint8
        Every bit or code, where asked for; names as in `pimsim.workload.ExactRun.signals`.
    scored : (n_chips, n_sequences) float64 or None
        Value of the network's metric for each sequence, where that needs scores and labels were
        given.
    """

    predictions: NDArray[np.unsignedinteger]
    counts: ActionCounts
    n_clipped: int
    n_cells: int
    threads: int = 1
    kernel: str = ""
    bits: Mapping[str, Values] = field(default_factory=dict)
    scored: NDArray[np.float64] | None = None


def run_chips(
    chip: Chip,
    encoded: Values,
    chip_indices: Sequence[int],
    seed: int,
    *,
    sample_indices: NDArray[np.int64] | None = None,
    labels: NDArray[np.int64] | None = None,
    batch: int = 256,
    threads: int | None = None,
    kernel: str | None = None,
    keep_bits: bool = False,
    keep: Keep | None = None,
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
    labels : (n_sequences,) or (n_sequences, n_scored) int64
        Right classes, as `Metric.of_scores` takes them; of use to metrics that need scores.
    batch
        Sequences per kernel call: memory, not results.
    threads
        Threads to use; all if None.
    kernel
        Force one of `backends.BACKENDS`: speed, not results; the fastest if None.
    keep_bits
        Return every decision.
    keep
        Called with every decision, batch by batch; none is returned then.
    progress
        Called with the number of inferences done since the last call.
    """
    if sample_indices is None:
        sample_indices = np.arange(len(encoded), dtype=np.int64)
    backend = choose(chip, len(encoded), kernel)
    before = numba.get_num_threads()
    held = InMemory(len(chip_indices), len(encoded)) if keep_bits and keep is None else None
    limit: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    numba.set_num_threads(min(threads or limit, limit))
    try:
        inputs = [
            EncodedBatch(
                encoded[part], sample_indices[part], None if labels is None else labels[part]
            )
            for part in _pieces(len(encoded), batch)
        ]
        found = _run_chips(chip, backend, inputs, chip_indices, seed, keep or held, progress)
        return found if held is None else replace(found, bits=held.bits)
    finally:
        numba.set_num_threads(before)


def _run_chips(
    chip: Chip,
    backend: Backend[Any],
    inputs: list[EncodedBatch],
    chip_indices: Sequence[int],
    seed: int,
    keep: Keep | None,
    progress: Callable[[int], None],
) -> ChipRun:
    threads = numba.get_num_threads()
    # all that grows with the number of chips: a byte for each inference
    n_sequences, n_steps = sum(map(len, inputs)), inputs[0].encoded.places
    predictions = empty_classes(chip, len(chip_indices), n_sequences, n_steps[0] if n_steps else 1)
    scored: list[NDArray[np.float64]] = []
    counts, n_clipped, n_cells = ActionCounts(), 0, 0
    kernels: dict[str, None] = {}
    with ThreadPoolExecutor(threads) as pool:
        for rows in _pieces(len(chip_indices), 2 * threads):
            indices = list(chip_indices[rows])
            of_group = None if keep is None else partial(_shifted, keep, rows.start)
            group = _run_group(chip, inputs, indices, seed, backend, of_group, progress, pool)
            predictions[rows] = group.predictions
            scored += [] if group.scored is None else [group.scored]
            counts.merge(group.counts)
            n_clipped, n_cells = n_clipped + group.n_clipped, n_cells + group.n_cells
            kernels[group.kernel] = None
    return ChipRun(
        predictions=predictions,
        counts=counts,
        n_clipped=n_clipped,
        n_cells=n_cells,
        threads=threads,
        kernel=", ".join(kernels),
        scored=np.concatenate(scored) if scored else None,
    )


def _shifted(keep: Keep, first: int, name: str, chip: int, sequence: int, values: Values) -> None:
    """Keep decisions of a group of chips that begins at the chip `first`."""
    keep(name, first + chip, sequence, values)


class EncodedBatch:
    """Sequences of one kernel call: encoder outputs, the same for all chips, indices, labels."""

    def __init__(
        self, encoded: Values, samples: NDArray[np.int64], labels: NDArray[np.int64] | None
    ) -> None:
        self.encoded = Signals(len(encoded), np.ascontiguousarray(encoded[None]))
        self.samples = np.ascontiguousarray(samples)
        self.labels = labels

    def __len__(self) -> int:
        return len(self.samples)


def _pieces(n: int, size: int) -> Iterator[slice]:
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def _run_group(
    chip: Chip,
    batches: list[EncodedBatch],
    group: list[int],
    seed: int,
    backend: Backend[Any],
    keep: Keep | None,
    progress: Callable[[int], None],
    pool: Executor,
) -> ChipRun:
    chips = np.array(group, np.int64)
    tiles: dict[str, TileOfGroup] = {}
    n_clipped = n_cells = 0
    for tile in chip.tiles:
        programmed = _program(tile, seed, group, pool)
        # chips that each programmed tile stands for
        each = len(group) // len(programmed)
        n_clipped += each * sum(p.n_clipped for p in programmed)
        n_cells += each * sum(p.n_cells for p in programmed)
        loaded = load(backend, chip, tile, programmed, seed)
        tiles[tile.name] = TileOfGroup(tile, programmed, loaded)
    counts = ActionCounts()
    predictions, scored, n_done = [], [], 0
    for batch in batches:
        machine = ChipMachine(
            chip,
            tiles,
            Batch(chips, batch.samples),
            counts,
            takes_words=backend.takes_words,
            keep=keep is not None,
        )
        last, signals = forward(chip.network, machine, batch.encoded, keep=keep is not None)
        found, of_scores = machine.results(last, batch.labels)
        predictions.append(found)
        scored += [] if of_scores is None else [of_scores]
        for name, signal in signals.items():
            assert keep is not None
            values = signal.of_each(len(group)) if isinstance(signal, Signals) else signal
            keep(name, 0, n_done, values)
        n_done += len(batch)
        progress(len(group) * len(batch))
    return ChipRun(
        predictions=np.concatenate(predictions, axis=1),
        counts=counts,
        n_clipped=n_clipped,
        n_cells=n_cells,
        kernel=", ".join(dict.fromkeys(t.loaded.backend.name for t in tiles.values())),
        scored=np.concatenate(scored, axis=1) if scored else None,
    )


def _program(tile: Tile, seed: int, group: list[int], pool: Executor) -> list[ProgrammedTile]:
    """Draw a tile of each chip, in parallel; once, where all chips hold the same currents."""
    indices = group[:1] if tile.is_shared else group
    return list(pool.map(partial(program_tile, tile, seed), indices))
