"""Classes that chips take for others, and sums at thresholds, as a run's document has them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.report.documents.decisions import ClassesFacts, SumsFacts
from pimsim.studies.run import RunResult
from pimsim.workload.metrics import ACCURACY

# more are no table that anyone reads
MAX_CLASSES = 64


def classes_facts(result: RunResult) -> ClassesFacts | None:
    """Right and found classes of all decisions; None where accuracy of a few is not measured."""
    network, exact = result.prepared.network, result.measured.exact
    names = network.classes
    is_counted = network.metric is ACCURACY and network.output.has_scores and exact is not None
    if not is_counted or not 2 <= len(names) <= MAX_CLASSES:
        return None
    assert exact is not None
    labels = np.asarray(result.labels, np.int64)
    each, n = result.measured.predictions_each, len(names)
    ideal = confusion(exact[None], labels, each, n)
    found = confusion(result.chips.predictions, labels, each, n)
    return ClassesFacts(
        names=list(names), ideal=ideal.diagonal().tolist(), confusion=found.tolist()
    )


def confusion(
    predictions: NDArray[Any], labels: NDArray[np.int64], n_each: int, n_classes: int
) -> NDArray[np.int64]:
    """Decisions (n_classes, n_classes) by right and found class.

    Parameters
    ----------
    predictions : (n_chips, n_reads * n_sequences * n_each) integers
        Classes of each sequence: one, or one for every step; one read after the other.
    labels : (n_sequences,) or (n_sequences, n_scored) int64
        Right classes; of the last `n_scored` steps.
    """
    right = labels.reshape(len(labels), -1)
    # (n_chips, n_reads, n_sequences, n_each)
    every = predictions.reshape(len(predictions), -1, len(right), n_each)
    found = every[..., n_each - right.shape[1] :].astype(np.int64)
    pairs = right * n_classes + found
    return np.bincount(pairs.ravel(), minlength=n_classes**2).reshape(n_classes, n_classes)


def sums_facts(result: RunResult) -> list[SumsFacts]:
    """Histograms of the sums of each matrix that amplifiers decide."""
    return [SumsFacts(matrix=name, **sums._asdict()) for name, sums in result.measured.sums.items()]
