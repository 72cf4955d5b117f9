"""Pulses that write a cell's levels: how many, how long, and how many the slowest of a group takes.

Solved, not drawn: distributions are exact for each model of `pimsim.config.programming`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pimsim.config.programming import CountedProgramming, ProgramAndCheck, RedrawnProgramming
from pimsim.devices.programming import YIELD, pulses_left
from pimsim.errors import ConfigError

Values = NDArray[np.float64]
# share of cells that may still be waiting where a table of pulses ends
TAIL = 1e-9
_SOLVED: dict[str, list[Values]] = {}


@dataclass(frozen=True)
class Stage:
    """Pulses of one length, each followed by a check.

    Attributes
    ----------
    pulse : float
        Length of a pulse [s].
    left : (n_levels, n_pulses) float64
        Probability that a cell of a level needs more than k pulses, k = 0, 1, ...
    """

    pulse: float
    left: Values

    @property
    def mean(self) -> Values:
        """Mean number of pulses of a cell of each level: the sum of P(N > k) over k."""
        return np.asarray(self.left.sum(axis=1))

    def slowest(self, cells: Values) -> float:
        """Mean number of pulses of the slowest of some cells, (n_levels,) of each level.

        The largest of independent numbers is above k but where none is.
        """
        done = np.prod(np.clip(1 - self.left, 0, 1) ** np.asarray(cells)[:, None], axis=0)
        return float((1 - done).sum())

    def most(self) -> NDArray[np.int64]:
        """Number of pulses that suffices for 99 % of the cells of each level."""
        return np.asarray((self.left > 1 - YIELD).sum(axis=1))


@singledispatch
def stages(model: object, n_levels: int) -> list[Stage]:
    """Stages through which cells of `n_levels` levels are written.

    Raises
    ------
    ConfigError
        If the model has fewer levels.
    """
    raise ConfigError(f"no programming model for {type(model).__name__}")


@stages.register
def _(model: CountedProgramming, n_levels: int) -> list[Stage]:
    return [_alike(model.pulse, 1 / model.mean_pulses, n_levels)]


@stages.register
def _(model: RedrawnProgramming, n_levels: int) -> list[Stage]:
    return [_alike(model.pulse, accepted(model), n_levels)]


@stages.register
def _(model: ProgramAndCheck, n_levels: int) -> list[Stage]:
    """Level L ends at the first threshold, level 0 at the last, the others evenly between."""
    n = len(model.thresholds)
    if n_levels > n:
        raise ConfigError(f"ends {n} levels, and {n_levels} are asked for")
    last = np.round(np.linspace(n - 1, 0, n_levels)).astype(int)
    return [
        Stage(pulse, (last >= index)[:, None] * left[None, :])
        for index, (pulse, left) in enumerate(zip(model.pulses, _solved(model), strict=True))
    ]


def _solved(model: ProgramAndCheck) -> list[Values]:
    """Solving a scheme takes a second, and runs of one study have the same."""
    key = model.model_dump_json()
    if key not in _SOLVED:
        _SOLVED[key] = pulses_left(model)
    return _SOLVED[key]


def _alike(pulse: float, accepted: float, n_levels: int) -> Stage:
    """A stage whose every pulse ends programming with the same probability."""
    n = 1 if accepted >= 1 else math.ceil(math.log(TAIL) / math.log1p(-accepted))
    left = (1 - accepted) ** np.arange(n)
    return Stage(pulse, np.tile(left, (n_levels, 1)))


def accepted(model: RedrawnProgramming) -> float:
    """Probability that a check lets a redrawn cell pass: P(|e + v| < tolerance).

    e is the error that a pulse leaves, v the noise of the check, both normal.
    """
    scatter = math.hypot(model.spread, model.check_noise)
    return float(2 * ndtr(model.tolerance / scatter) - 1)


def spread_after(model: RedrawnProgramming) -> float:
    """Standard deviation of the cells that were let pass [of the top current].

    Notes
    -----
    With the variances a of a pulse, b of a check's noise, and w = e + v, w is a normal number cut
    off at +- tolerance, and e given w is normal around w a / (a + b), of variance a b / (a + b).
    """
    square = model.spread**2 + model.check_noise**2
    a = model.tolerance / math.sqrt(square)
    density = math.exp(-a * a / 2) / math.sqrt(2 * math.pi)
    of_w = square * (1 - 2 * a * density / accepted(model))
    rest = model.spread**2 * model.check_noise**2 / square
    return math.sqrt((model.spread**2 / square) ** 2 * of_w + rest)


def cycles_each(model: object, pulses: float) -> float:
    """Cycles of endurance that a write of so many pulses takes: `Endurance.cycles`."""
    return 1.0 if isinstance(model, ProgramAndCheck) else pulses
