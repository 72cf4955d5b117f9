"""Choice of the cell states that carry the levels of a weight."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from pimsim.config.device import States
from pimsim.devices.shape import lognormal_shape, quantile_shape, standardised
from pimsim.errors import MappingError, Place

# largest distance of a state from the even grid, as a fraction of the span, for states that
# count as evenly spaced
MAX_UNEVENNESS = 0.01
MAX_CHOICES = 20_000


@dataclass(frozen=True)
class LevelChoice:
    """Levels of a weight in a cell, as fractions of the cell's top current.

    Attributes
    ----------
    mean, sigma : (n_levels,) float64
        Target current, and standard deviation after programming.
    text : str
        The choice in words, for terminal and report.
    shape : (n_levels, n_deviates) float64 or None
        Distribution of each level (`pimsim.devices.shape`); None where all are normal.
    """

    mean: NDArray[np.float64]
    sigma: NDArray[np.float64]
    text: str
    shape: NDArray[np.float64] | None = None

    @property
    def even(self) -> NDArray[np.float64]:
        """Evenly spaced levels over the same span."""
        return np.linspace(self.mean[0], self.mean[-1], len(self.mean))


def choose_levels(states: States, n_levels: int, place: Place | None = None) -> LevelChoice:
    """Choose evenly spaced levels from a cell's states.

    The widest set of measured states that is evenly spaced to within 1 % of its span is
    taken, unless programming can be re-targeted to evenly spaced currents over a wider span
    (`retarget_from` to `retarget_to`): then the standard deviation is interpolated between
    the measured states.  A cell that cannot be re-targeted gets its least uneven states.

    Raises
    ------
    MappingError
        If more levels are asked for than the cell has states.
    """
    if n_levels > len(states.mean):
        raise MappingError(
            f"holds {len(states.mean)} levels per cell, and the network needs {n_levels}",
            place=place,
            remedy="Take a network with fewer weight levels, or a device with more states",
        )
    top = states.mean[-1].value
    mean = np.array([current.of(top) for current in states.mean])
    sigma = np.array([current.of(top) for current in states.spread])
    ends = [current.of(top) for current in states.retarget_range]
    # a cell that is programmed to targets is not left in a state beyond them
    aimed = [i for i, m in enumerate(mean) if not ends or ends[0] <= m <= ends[1]]
    if len(aimed) >= n_levels:
        chosen = [aimed[i] for i in _most_even(mean[aimed], n_levels)]
    else:
        chosen = _most_even(mean, n_levels)
    unevenness = float(_unevenness(mean[chosen]))
    span = mean[chosen[-1]] - mean[chosen[0]]
    wide_enough = not ends or span >= (1 - MAX_UNEVENNESS) * (ends[1] - ends[0])
    if not ends or (unevenness <= MAX_UNEVENNESS and wide_enough):
        numbers = ", ".join(str(i) for i in chosen)
        text = (
            f"states {numbers} of {len(mean)}, evenly spaced to within {unevenness:.2%} of the span"
        )
        return _with_shape(states, LevelChoice(mean[chosen], sigma[chosen], text), mean)
    low, high = ends
    targets = np.linspace(low, high, n_levels)
    text = (
        f"{n_levels} evenly spaced targets from {low:.3g} to {high:.3g} of the top current, "
        "standard deviation interpolated between the measured states"
    )
    return _with_shape(states, LevelChoice(targets, np.interp(targets, mean, sigma), text), mean)


def _with_shape(states: States, choice: LevelChoice, mean: NDArray[np.float64]) -> LevelChoice:
    """Add the states' distribution to a choice, interpolated between states."""
    if states.distribution == "normal":
        return choice
    if states.quantiles is None or states.probabilities is None:
        tables = [lognormal_shape(m, s) for m, s in zip(choice.mean, choice.sigma, strict=True)]
        return replace(choice, shape=np.array(tables))
    probabilities = np.array(states.probabilities)
    of_states = np.array(
        [
            quantile_shape(probabilities, np.array([q.value for q in row]))
            for row in states.quantiles
        ]
    )
    position = np.interp(choice.mean, mean, np.arange(len(mean)))
    low = np.minimum(position.astype(int), len(mean) - 2)
    fraction = (position - low)[:, None]
    between = (1 - fraction) * of_states[low] + fraction * of_states[low + 1]
    return replace(choice, shape=np.array([standardised(table) for table in between]))


def _unevenness(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest distance of levels (..., n_levels) from an even grid over their span, relative."""
    even = np.linspace(levels[..., 0], levels[..., -1], levels.shape[-1], axis=-1)
    return np.asarray(np.abs(levels - even).max(axis=-1) / (levels[..., -1] - levels[..., 0]))


def _most_even(mean: NDArray[np.float64], n_levels: int) -> list[int]:
    """The widest evenly spaced set of states, else the least uneven one."""
    if comb(len(mean), n_levels) > MAX_CHOICES:
        # too many to try: the states nearest to an even grid over all of them
        grid = np.linspace(mean[0], mean[-1], n_levels)
        nearest = np.unique(np.abs(mean[None, :] - grid[:, None]).argmin(axis=1))
        if len(nearest) == n_levels:
            return [int(i) for i in nearest]
        return list(range(n_levels))
    # in ascending order, so that the first of equal ones is taken
    sets = np.array(list(combinations(range(len(mean)), n_levels)))
    levels = mean[sets]
    uneven, span = _unevenness(levels), levels[:, -1] - levels[:, 0]
    uniform = uneven <= MAX_UNEVENNESS
    best = np.where(uniform, span, -1.0).argmax() if uniform.any() else uneven.argmin()
    return [int(state) for state in sets[best]]
