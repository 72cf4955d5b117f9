"""Share of right classes."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.metrics.base import Metric, Values, of_last_steps


class Accuracy(Metric):
    """Share of sequences, or of their steps, whose largest score is that of the right class."""

    key: ClassVar[str] = "accuracy"
    name: ClassVar[str] = "accuracy"
    short: ClassVar[str] = "accuracy"
    unit: ClassVar[str] = "%"
    difference: ClassVar[str] = "points"
    difference_key: ClassVar[str] = "accuracy_points"
    factor: ClassVar[float] = 100.0
    span: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def of_scores(self, scores: Values, labels: NDArray[np.int64]) -> Values:
        steps, right = of_last_steps(scores, labels)
        return np.asarray((steps.argmax(axis=-1) == right).mean(axis=1))

    def of_predictions(
        self, predictions: NDArray[Any], scored: Values | None, labels: NDArray[np.int64]
    ) -> NDArray[Any]:
        right = labels.reshape(len(labels), -1)
        each = predictions.reshape(len(predictions), len(right), -1)
        found = each[:, :, each.shape[2] - right.shape[1] :] == right
        # a byte for each sequence, where one label is all that there is
        return np.asarray(found[:, :, 0] if right.shape[1] == 1 else found.mean(axis=2))
