"""Bits per character: how badly the next symbol is foretold."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.metrics.base import Metric, Values, of_last_steps

# bits are rounded to this, so that the last digits in which two machines' logarithms may differ
# change nothing, and their sums are exact
_GRID = 2.0**-20


class BitsPerCharacter(Metric):
    """Mean of -log2 p over the steps, where p is the share of the true symbol.

    Shares are softmax of the scores: p_k = exp(s_k) / sum exp(s_j).
    """

    key: ClassVar[str] = "bits_per_character"
    name: ClassVar[str] = "bits per character"
    short: ClassVar[str] = "bits/character"
    unit: ClassVar[str] = "bits"
    difference: ClassVar[str] = "bits"
    difference_key: ClassVar[str] = "bits_per_character"
    digits: ClassVar[int] = 4
    is_more_better: ClassVar[bool] = False
    needs_scores: ClassVar[bool] = True

    def of_scores(self, scores: Values, labels: NDArray[np.int64]) -> Values:
        steps, right = of_last_steps(scores, labels)
        exponents = (steps - steps.max(axis=-1, keepdims=True)) * math.log2(math.e)
        own = np.take_along_axis(exponents, right[..., None], axis=-1)[..., 0]
        bits = np.log2(np.exp2(exponents).sum(axis=-1)) - own
        return np.asarray((np.round(bits / _GRID) * _GRID).mean(axis=1))

    def of_predictions(
        self, predictions: NDArray[Any], scored: Values | None, labels: NDArray[np.int64]
    ) -> NDArray[Any]:
        assert scored is not None
        return scored

    @property
    def axis(self) -> str:
        return self.name
