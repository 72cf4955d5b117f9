"""Attribution of accuracy, or another metric, to single noise sources, against ties by coin.

A sum of exactly 0 is a coin toss on any chip, and "0 at a tie" one of many equal rules. So a chip
whose ties are tossed, and nothing else, is the reference: any source however small tosses them too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from pimsim.config import NoiseConfig
from pimsim.studies.statistics import Sample

# draws of the reference
TIE_DRAWS = 5
# noise of the reference, of the smallest level step: only sums of 0 are decided by it
TIE_NOISE = 1 / 20

# metric of every sequence, for each draw: (n_draws, n_sequences), numbers or bools
Values = NDArray[Any]


@dataclass(frozen=True)
class PairedChange:
    """Difference of two means of a metric on the same sequences.

    Attributes
    ----------
    change : float
    half_width : float
        Half of the 95 % interval.
    """

    change: float
    half_width: float

    @property
    def is_significant(self) -> bool:
        """Whether no change lies outside of the interval."""
        return abs(self.change) > self.half_width


@dataclass(frozen=True)
class NoiseSource:
    """Metric with a single noise source on; `is_present` is False without numbers for it.

    Attributes
    ----------
    paired : PairedChange or None
        Against ties by coin; None where a source changes nothing, or there is no reference.
    sizes : dict of matrix -> float
        Standard deviation of its error of a sum [units of pre-activation].
    flipped : float or None
        Share of decisions that it flips beyond those of ties, at exact inputs.
    """

    source: str
    sample: Sample
    is_present: bool
    paired: PairedChange | None = None
    sizes: dict[str, float] | None = None
    flipped: float | None = None


@dataclass(frozen=True)
class Ties:
    """The reference: ties by coin, and nothing else.

    Attributes
    ----------
    sample : Sample
    values : (n_draws, n_sequences) float64
    share : dict of matrix -> float
        Share of its sums that are exactly at their threshold.
    steps : dict of matrix -> float
        Level step [units of pre-activation].
    """

    sample: Sample
    values: Values
    share: dict[str, float]
    steps: dict[str, float]

    @property
    def flipped(self) -> float:
        """Share of decisions that tosses flip: half of the ties."""
        return float(np.mean(list(self.share.values()))) / 2


def tie_noise(steps: dict[str, float]) -> NoiseConfig:
    """Noise that decides ties alone."""
    return NoiseConfig.ideal().model_copy(update={"sigma_eval": TIE_NOISE * min(steps.values())})


def paired_change(values: Values, reference: Values) -> PairedChange:
    """Change of the mean from a reference, on the same sequences.

    Parameters
    ----------
    values, reference : (n_draws, n_sequences) float64
        Metric of every drawn chip, such as 1 for a right class, and of every draw of the reference.

    Notes
    -----
    The differences of the sequences, each the mean over draws, have a variance over sequences; the
    means of the draws have one over draws, on either side. The half width of the interval is the
    root of the sum of squares of the three half widths (normal over sequences, Student's t over
    draws).
    """
    difference = values.mean(axis=0) - reference.mean(axis=0)
    n = len(difference)
    squares = [(1.96 * float(difference.std(ddof=1)) / math.sqrt(n)) ** 2] if n > 1 else []
    for side in (values, reference):
        if len(side) > 1:
            t = float(stdtrit(len(side) - 1, 0.975))
            squares.append((t * float(side.mean(axis=1).std(ddof=1)) / math.sqrt(len(side))) ** 2)
    return PairedChange(float(difference.mean()), math.sqrt(sum(squares)))
