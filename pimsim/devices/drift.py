"""Drift of levels after programming: one function per model, chosen by the file's `model`."""

from __future__ import annotations

from functools import singledispatch
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.config.drift import (
    ChargeLossDrift,
    LogarithmicDrift,
    NoDrift,
    PowerLawDrift,
    TabulatedDrift,
)
from pimsim.devices.tabulated import at_age
from pimsim.errors import ConfigError


class Drifted(NamedTuple):
    """Levels at some age, in fractions of the cell's top current.

    `mean` of each level, standard deviation `sigma` that drift adds, and `slope`: the factor
    by which an error of programming has shrunk.
    """

    mean: NDArray[np.float64]
    sigma: NDArray[np.float64]
    slope: NDArray[np.float64]


@singledispatch
def drift(model: object, mean: NDArray[np.float64], age: float, top_current: float) -> Drifted:
    """Mean and standard deviation of levels `age` seconds after programming.

    Parameters
    ----------
    model
        A drift block of a device file.
    mean : (n_levels,) float64
        Level means right after programming [fraction of the top current].
    age
        Time since programming [s]; before the first time that a model knows, and at 0, the
        levels are as programmed, or as a table has them in its first row.
    top_current
        Current of the highest state in the file's own unit (1 for fractions).
    """
    raise ConfigError(f"no drift model for {type(model).__name__}")


@drift.register
def _(model: NoDrift, mean: NDArray[np.float64], age: float, top_current: float) -> Drifted:
    return Drifted(mean, np.zeros_like(mean), np.ones_like(mean))


@drift.register
def _(model: PowerLawDrift, mean: NDArray[np.float64], age: float, top_current: float) -> Drifted:
    # nu is normal, so (t / t0)^-nu is log-normal with these moments; before the
    # reference read at t0 nothing has drifted
    log_time = float(np.log(max(age, model.t0) / model.t0))
    nu = np.interp(mean, model.at, model.nu_mean)
    nu_sigma = np.interp(mean, model.at, model.nu_spread)
    variance = (nu_sigma * log_time) ** 2
    factor = np.exp(-nu * log_time + variance / 2)
    sigma = mean * factor * np.sqrt(np.expm1(variance))
    return _compensated(model.compensated, mean, Drifted(mean * factor, sigma, factor))


@drift.register
def _(
    model: LogarithmicDrift, mean: NDArray[np.float64], age: float, top_current: float
) -> Drifted:
    log_time = float(np.log(max(age, model.t0) / model.t0))
    lost = log_time * np.interp(mean, model.at, model.loss_mean)
    sigma = log_time * np.interp(mean, model.at, model.loss_spread)
    drifted = Drifted(np.maximum(mean - lost, 0.0), sigma, np.ones_like(mean))
    return _compensated(model.compensated, mean, drifted)


@drift.register
def _(model: ChargeLossDrift, mean: NDArray[np.float64], age: float, top_current: float) -> Drifted:
    fresh = model.fresh_current.of(top_current)
    lost = model.loss * np.log1p(age / model.t0) / np.log1p(model.loss_time / model.t0)
    lost = min(float(lost), 1.0)
    moved = Drifted(
        mean + lost * (fresh - mean), np.zeros_like(mean), np.full_like(mean, 1.0 - lost)
    )
    return _compensated(model.compensated, mean, moved)


@drift.register
def _(model: TabulatedDrift, mean: NDArray[np.float64], age: float, top_current: float) -> Drifted:
    def table(rows: list[list[float]]) -> NDArray[np.float64]:
        return at_age(model.times, model.at, rows, mean, age)

    moved = np.maximum(mean + table(model.shift), 0.0)
    kept = np.ones_like(mean) if model.error_factor is None else table(model.error_factor)
    drifted = Drifted(moved, table(model.added_spread), kept)
    return _compensated(model.compensated, mean, drifted)


def _compensated(is_on: bool, mean: NDArray[np.float64], drifted: Drifted) -> Drifted:
    """Scale all currents so that full scale is restored, if compensation is on."""
    span = drifted.mean[-1] - drifted.mean[0]
    if not is_on or span <= 0:
        return drifted
    gain = (mean[-1] - mean[0]) / span
    return Drifted(*(gain * values for values in drifted))
