"""Program-and-verify as a Markov chain: pulses until the current is below a threshold.

A pulse moves the current down in small steps, and some of them back (a birth-death process);
between pulses the cell is read.  Solved, not drawn: distributions are exact for the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.config.programming import ProgramAndCheck

# share of the cells that are programmed within `ProgrammedLevel.max_pulses`
YIELD = 0.99
MAX_PULSES = 1_000_000
# cells that a table of pulses leaves out, and its largest length
LEFT = 1e-6
MAX_TABLE = 100_000
# largest power of a matrix that is cheaper than a matrix exponential
MAX_POWER = 64


@dataclass(frozen=True)
class ProgrammedLevel:
    """Statistics of one level, programmed from the level before.

    Attributes
    ----------
    threshold, pulse : float
        Current that ends programming [A], and length of each pulse [s].
    mean, sigma : float
        Mean and standard deviation after relaxation [A].
    pulses, max_pulses : float
        Mean number of pulses, and the number that suffices for 99 % of the cells.
    time : float
        Mean time of all pulses since the fresh cell [s], without checks.
    current, share : (n_states,) float64
        Distribution of the currents [A] before relaxation.
    """

    threshold: float
    pulse: float
    mean: float
    sigma: float
    pulses: float
    max_pulses: int
    time: float
    current: NDArray[np.float64]
    share: NDArray[np.float64]


def program_levels(model: ProgramAndCheck) -> list[ProgrammedLevel]:
    """Levels of a program-and-check scheme, each programmed from the one before.

    Notes
    -----
    After n steps of current s below I_0, with x = n s, a pulse moves a cell by one step

    - back up at the rate d(x) = D (x / M) exp(-x / M),
    - down at the rate d(x) + B exp(-x / K),

    so that the mean moves by B exp(-x / K), a logarithm of time. A check after each pulse
    ends programming below the threshold. With T the transitions of a pulse among states not
    yet below it and A those that pass it, cells that start as v end as v (1 - T)^-1 A after
    v (1 - T)^-1 1 pulses in the mean. Then each relaxes by a normal shift.
    """
    current, share = _fresh(model)
    generator = _generator(model)[1]
    levels: list[ProgrammedLevel] = []
    time = 0.0
    transitions = _transitions(generator, model.pulses)
    for threshold, pulse, transition in zip(
        model.thresholds, model.pulses, transitions, strict=True
    ):
        waiting = current >= threshold - 1e-6 * model.step
        share, pulses, max_pulses = _until_below(transition, share, waiting)
        time += pulses * pulse
        mean = float(share @ current)
        variance = float(share @ (current - mean) ** 2)
        levels.append(
            ProgrammedLevel(
                threshold=threshold,
                pulse=pulse,
                mean=mean + model.relaxation,
                sigma=float(np.hypot(np.sqrt(variance), model.relaxation_spread)),
                pulses=pulses,
                max_pulses=max_pulses,
                time=time,
                current=current,
                share=share,
            )
        )
    return levels


def pulses_left(model: ProgramAndCheck) -> list[NDArray[np.float64]]:
    """Probability that a cell needs more than k pulses of each level, from the level before.

    One array for each level, k = 0, 1, ..., until a millionth of the cells is left.
    """
    current, share = _fresh(model)
    generator = _generator(model)[1]
    found = []
    for threshold, transition in zip(
        model.thresholds, _transitions(generator, model.pulses), strict=True
    ):
        waiting = current >= threshold - 1e-6 * model.step
        among = transition[np.ix_(waiting, waiting)]
        left = share[waiting]
        shares: list[float] = []
        while left.sum() > LEFT and len(shares) < MAX_TABLE:
            shares.append(float(left.sum()))
            left = left @ among
        found.append(np.array(shares or [0.0]))
        share = _until_below(transition, share, waiting)[0]
    return found


def _fresh(model: ProgramAndCheck) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Currents of the states, and the share of fresh cells in each."""
    current = _generator(model)[0]
    fresh = np.exp(-((current - model.fresh_current) ** 2) / (2 * model.fresh_spread**2))
    return current, fresh / fresh.sum()


def _generator(model: ProgramAndCheck) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Currents of the states, and rates between them [1/s]; the last state has no current."""
    n_states = round(model.origin / model.step) + 1
    x = model.step * np.arange(n_states, dtype=np.float64)
    back = model.death_rate * x / model.death_scale * np.exp(-x / model.death_scale)
    down = model.birth_rate * np.exp(-x / model.birth_scale) + back
    generator = np.diag(down[:-1], 1) + np.diag(back[1:], -1)
    return model.origin - x, generator - np.diag(generator.sum(axis=1))


def _transitions(
    generator: NDArray[np.float64], pulses: list[float]
) -> Iterator[NDArray[np.float64]]:
    """Transition matrix of each pulse; a pulse n times as long is the nth power."""
    from scipy.linalg import expm  # slow to import, and rarely needed

    last, transition = 0.0, np.eye(len(generator))
    for pulse in pulses:
        ratio = pulse / last if last else 0.0
        if 1 <= ratio <= MAX_POWER and abs(ratio - round(ratio)) < 1e-9:
            transition = np.linalg.matrix_power(transition, round(ratio))
        else:
            transition = expm(generator * pulse)
        last = pulse
        yield transition


def _until_below(
    transition: NDArray[np.float64], share: NDArray[np.float64], waiting: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], float, int]:
    """Final distribution, mean number of pulses, and number that suffices for `YIELD`."""
    among, passing = transition[np.ix_(waiting, waiting)], transition[np.ix_(waiting, ~waiting)]
    left = share[waiting]
    visits = np.linalg.solve((np.eye(len(left)) - among).T, left)
    ended = share.copy()
    ended[waiting] = 0.0
    ended[~waiting] += visits @ passing
    max_pulses = 0
    while left.sum() > 1 - YIELD and max_pulses < MAX_PULSES:
        left = left @ among
        max_pulses += 1
    return ended / ended.sum(), float(visits.sum()), max_pulses
