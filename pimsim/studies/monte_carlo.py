"""Monte Carlo over chips: number of chips, and of reads by each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pimsim.simulate import ActionCounts, ChipRun
from pimsim.studies.statistics import Sample
from pimsim.workload.metrics import ACCURACY, Metric

# where a precision is asked for, at most so many times the chips of one block are drawn
MAX_BLOCKS = 100
# sequences of the second read are those of the first, with indices further on: each has its
# own noise (data sets are smaller than this, `RunConfig.reads` keeps the sum below 2^32)
READ_STRIDE = 1 << 24

# (indices of chips, indices of sequences, number of the read) -> their run
Simulate = Callable[[range, NDArray[np.int64], int], ChipRun]


def draw(
    simulate: Simulate,
    labels: NDArray[np.int64],
    samples: NDArray[np.int64],
    *,
    ideal: float,
    chips: int,
    reads: int = 1,
    until_ci95: float | None = None,
    metric: Metric = ACCURACY,
) -> tuple[ChipRun, Sample]:
    """Draw chips in blocks, run all sequences on each, and stop when precise enough.

    Parameters
    ----------
    simulate
        Runs a block of chips.
    labels : (n_sequences,) or (n_sequences, n_scored) int64
        Right classes.
    samples : (n_sequences,) int64
        Indices that key the noise.
    ideal : float
        Metric of the exact network.
    chips
        Chips in a block.
    reads
        How often a chip reads every sequence, each time with new noise.
    until_ci95
        Half width that the 95 % confidence interval of the mean must not exceed; None
        draws one block.
    metric : Metric

    Returns
    -------
    run : ChipRun
        Predictions (n_chips, n_reads * n_sequences), one read after the other.
    sample : Sample
    """
    blocks: list[ChipRun] = []
    found: list[NDArray[np.float64]] = []
    while True:
        indices = range(len(blocks) * chips, (len(blocks) + 1) * chips)
        each = [simulate(indices, samples + READ_STRIDE * read, read) for read in range(reads)]
        blocks.append(_join(each, axis=1))
        means = [
            metric.of_predictions(run.predictions, run.scored, labels).mean(axis=1) for run in each
        ]
        found.append(np.stack(means, axis=1))
        sample = Sample(ideal, np.concatenate(found), until_ci95, metric)
        if sample.is_precise or len(blocks) == MAX_BLOCKS:
            return _join(blocks, axis=0), sample


def _join(runs: list[ChipRun], axis: int) -> ChipRun:
    """Runs of further chips (axis 0), or of the same chips that read further sequences (1)."""
    if len(runs) == 1:
        return runs[0]
    counts = ActionCounts()
    for run in runs:
        counts.merge(run.counts)
    drawn = runs if axis == 0 else runs[:1]
    scored = [run.scored for run in runs if run.scored is not None]
    return ChipRun(
        predictions=np.concatenate([run.predictions for run in runs], axis=axis),
        counts=counts,
        n_clipped=sum(run.n_clipped for run in drawn),
        n_cells=sum(run.n_cells for run in drawn),
        threads=runs[0].threads,
        kernel=runs[0].kernel,
        scored=np.concatenate(scored, axis=axis) if scored else None,
    )
