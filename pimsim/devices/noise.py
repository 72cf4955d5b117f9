"""Slow noise of a cell, lumped into a static error: one function per model."""

from __future__ import annotations

from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from pimsim.config.cell_noise import (
    LowFrequencyNoise,
    NoiseOverTime,
    RelativeNoise,
    TabulatedNoise,
    TabulatedTwoStateNoise,
    TwoStateNoise,
)
from pimsim.devices.tabulated import at_age
from pimsim.errors import ConfigError


@singledispatch
def lumped_sigma(
    model: object, mean: NDArray[np.float64], programmed: NDArray[np.float64], age: float
) -> NDArray[np.float64]:
    """Standard deviation of lumped noise, per level [fraction of the top current].

    Parameters
    ----------
    model
        An `rtn` or `read_noise` block of a device file.
    mean : (n_levels,) float64
        Level means at that age [fraction of the top current].
    programmed : (n_levels,) float64
        Level means right after programming [fraction of the top current].
    age
        Time since programming [s].
    """
    raise ConfigError(f"no noise model for {type(model).__name__}")


@lumped_sigma.register
def _(
    model: RelativeNoise, mean: NDArray[np.float64], programmed: NDArray[np.float64], age: float
) -> NDArray[np.float64]:
    return np.hypot(model.relative * mean, model.absolute)


@lumped_sigma.register
def _(
    model: TabulatedNoise, mean: NDArray[np.float64], programmed: NDArray[np.float64], age: float
) -> NDArray[np.float64]:
    return np.interp(mean, model.at, model.spread)


@lumped_sigma.register
def _(
    model: NoiseOverTime, mean: NDArray[np.float64], programmed: NDArray[np.float64], age: float
) -> NDArray[np.float64]:
    return at_age(model.times, model.at, model.spread, programmed, age)


@lumped_sigma.register
def _(
    model: LowFrequencyNoise, mean: NDArray[np.float64], programmed: NDArray[np.float64], age: float
) -> NDArray[np.float64]:
    # 1/f noise integrated from the inverse age to the inverse read time
    growth = np.sqrt(np.log((age + model.read_time) / (2 * model.read_time)).clip(0))
    positive = np.maximum(programmed, 1e-12)
    sigma: NDArray[np.float64] = (
        mean * np.minimum(model.coefficient / positive**model.exponent, model.limit) * growth
    )
    return sigma


@lumped_sigma.register(TwoStateNoise)
@lumped_sigma.register(TabulatedTwoStateNoise)
def _(
    model: TwoStateNoise | TabulatedTwoStateNoise,
    mean: NDArray[np.float64],
    programmed: NDArray[np.float64],
    age: float,
) -> NDArray[np.float64]:
    # variance of a two-state variable, times E[A^2] of a lognormal A, times the share of traps
    share, amplitude = traps_of(model, programmed)
    square = amplitude**2 * np.exp(2 * model.amplitude_spread**2)
    sigma: NDArray[np.float64] = mean * np.sqrt(
        share * model.occupancy * (1 - model.occupancy) * square
    )
    return sigma


def traps_of(
    model: TwoStateNoise | TabulatedTwoStateNoise, programmed: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of cells with a trap, and median amplitude of the traps, per level.

    Parameters
    ----------
    programmed : (n_levels,) float64
        Level means right after programming [fraction of the top current].
    """
    if isinstance(model, TabulatedTwoStateNoise):
        share = np.interp(programmed, model.at, model.share)
        return share, np.interp(programmed, model.at, model.amplitude)
    return np.full_like(programmed, model.share), np.full_like(programmed, model.amplitude)
