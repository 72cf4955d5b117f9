"""Cells at another temperature than the device file's: their currents, and the pace of drift."""

from __future__ import annotations

import math
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from pimsim.config.temperature import ActivatedCurrents, LinearCurrents
from pimsim.errors import ConfigError
from pimsim.units import BOLTZMANN_J_PER_K

Levels = NDArray[np.float64]
# no exponential beyond it: a factor of 1e26 says that a law is used far from where it holds
_MAX_EXPONENT = 60.0


@singledispatch
def warming(model: object, current: Levels, measured: float, temperature: float) -> Levels:
    """Factor on the current of each level, from the temperature of its file to another.

    Parameters
    ----------
    model
        A `temperature_dependence` block of a device file, or None: no current moves.
    current : (n_levels,) float64
        At the file's temperature, rising [fraction of the top current].
    measured, temperature : float
        Of the file, and of the array [K].
    """
    raise ConfigError(f"no model of temperature for {type(model).__name__}")


@warming.register
def _(model: None, current: Levels, measured: float, temperature: float) -> Levels:
    return np.ones_like(current)


@warming.register
def _(model: ActivatedCurrents, current: Levels, measured: float, temperature: float) -> Levels:
    energy = np.interp(current, model.at, model.energy)
    exponent = energy / BOLTZMANN_J_PER_K * (1 / measured - 1 / temperature)
    factor = np.exp(np.clip(exponent, -_MAX_EXPONENT, _MAX_EXPONENT))
    return _restored(model.compensated, current, factor)


@warming.register
def _(model: LinearCurrents, current: Levels, measured: float, temperature: float) -> Levels:
    coefficient = np.interp(current, model.at, model.coefficient)
    factor = np.maximum(1 + coefficient * (temperature - measured), 0.0)
    return _restored(model.compensated, current, factor)


def _restored(is_on: bool, current: Levels, factor: Levels) -> Levels:
    """Factors with which full scale is as at the file's temperature, if compensation is on."""
    warmed = current * factor
    span = warmed[-1] - warmed[0]
    if not is_on or span <= 0:
        return factor
    return np.asarray(factor * ((current[-1] - current[0]) / span))


def acceleration(energy: float, measured: float, temperature: float) -> float:
    """Pace of a thermally activated change over that at another temperature.

    Parameters
    ----------
    energy : float
        Activation energy E [J].
    measured, temperature : float
        At which the change was measured, and at which it goes on [K].

    Notes
    -----
    Arrhenius: exp(E / k (1 / T_measured - 1 / T)).
    """
    exponent = energy / BOLTZMANN_J_PER_K * (1 / measured - 1 / temperature)
    return math.exp(min(max(exponent, -_MAX_EXPONENT), _MAX_EXPONENT))


def pace_of_drift(model: object, temperature: float | None) -> float:
    """Factor on the age of levels for a drift block, at a temperature of the array [K].

    It is 1 for a drift whose activation energy is not known, and for the file's own temperature.
    """
    energy = getattr(model, "activation_energy", None)
    measured = getattr(model, "temperature", None)
    if temperature is None or energy is None or measured is None:
        return 1.0
    return acceleration(energy, measured, temperature)
