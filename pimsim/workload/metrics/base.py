"""The verbs of a metric."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


class Metric:
    """A number for every sequence, whose mean over the sequences is reported.

    Attributes
    ----------
    key : str
        The word that network files, and keys of documents, use for it.
    name : str
        In the middle of a sentence.
    short : str
        At the head of a column.
    unit, difference : str
        Unit of a value, and of a difference of two, as they are shown.
    difference_key : str
        Key of such a difference in documents.
    factor : float
        What a value is multiplied by to be shown in that unit.
    digits : int
        Digits behind the point where it is shown.
    is_more_better : bool
    needs_scores : bool
        Whether classes alone do not tell it.
    span : (float, float)
        Smallest and largest value that there can be.
    """

    key: ClassVar[str]
    name: ClassVar[str]
    short: ClassVar[str]
    unit: ClassVar[str]
    difference: ClassVar[str]
    difference_key: ClassVar[str]
    factor: ClassVar[float] = 1.0
    digits: ClassVar[int] = 2
    is_more_better: ClassVar[bool] = True
    needs_scores: ClassVar[bool] = False
    span: ClassVar[tuple[float, float]] = (0.0, math.inf)

    def of_scores(self, scores: Values, labels: NDArray[np.int64]) -> Values:
        """Values (n,) of sequences.

        Parameters
        ----------
        scores : (n, [n_steps,] n_classes) float64
            As they were trained, with the right scale (`Output.trained`).
        labels : (n,) or (n, n_scored) int64
            Right classes; of the last `n_scored` steps, each of which counts alike.
        """
        raise NotImplementedError

    def of_predictions(
        self, predictions: NDArray[Any], scored: Values | None, labels: NDArray[np.int64]
    ) -> NDArray[Any]:
        """Values (n_chips, n) of the sequences that several chips ran, numbers or bools.

        Parameters
        ----------
        predictions : (n_chips, n * n_each) integers
            Classes of each sequence: one, or one for every step.
        scored : (n_chips, n) float64 or None
            `of_scores` of each chip, where the metric needs scores.
        labels : as in `of_scores`
        """
        raise NotImplementedError

    def reached(self, values: Values, target: float) -> NDArray[np.bool_]:
        """Whether values are at least as good as a target."""
        return values >= target if self.is_more_better else values <= target

    def best(self, values: list[float]) -> float:
        """The best of some values."""
        return max(values) if self.is_more_better else min(values)

    def number(self, value: float | None) -> str:
        """A value in its unit, without the unit; `-` for None."""
        return "-" if value is None else f"{self.factor * value:.{self.digits}f}"

    def text(self, value: float | None) -> str:
        """A value with its unit; `-` for None."""
        return "-" if value is None else f"{self.number(value)} {self.unit}"

    def short_text(self, value: float) -> str:
        """A value that was asked for, with its unit: without digits that say nothing."""
        return f"{self.factor * value:g} {self.unit}"

    def signed(self, value: float) -> str:
        """A difference of two values in their unit, with its sign, without the unit."""
        return f"{self.factor * value:+.{self.digits}f}"

    def clipped(self, interval: tuple[float, float]) -> tuple[float, float]:
        """An interval without values that there cannot be."""
        return max(self.span[0], interval[0]), min(self.span[1], interval[1])

    @property
    def title(self) -> str:
        """Its name at the beginning of a heading."""
        return self.name[0].upper() + self.name[1:]

    @property
    def axis(self) -> str:
        """Words beside an axis."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    @property
    def extremes(self) -> tuple[str, str]:
        """Words for the worst and the best of several values, as they stand in a table."""
        return ("lowest", "highest") if self.is_more_better else ("highest", "lowest")


def of_last_steps(scores: Values, labels: NDArray[np.int64]) -> tuple[Values, NDArray[np.int64]]:
    """Scores (n, n_scored, n_classes) and labels (n, n_scored) of the steps that are scored."""
    each = labels.reshape(len(labels), -1)
    steps = scores.reshape(len(scores), -1, scores.shape[-1])
    return steps[:, steps.shape[1] - each.shape[1] :], each
