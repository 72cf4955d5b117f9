"""Cell model: mean current and standard deviation of every level at some age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pimsim.config.cell_noise import TelegraphNoise
from pimsim.config.device import DeviceConfig
from pimsim.config.run import NoiseConfig
from pimsim.devices.drift import drift
from pimsim.devices.levels import LevelChoice, choose_levels
from pimsim.devices.noise import lumped_sigma
from pimsim.devices.shape import DEVIATES, WEIGHTS, with_normal
from pimsim.devices.telegraph import Telegraph
from pimsim.devices.temperature import pace_of_drift, warming
from pimsim.errors import Place
from pimsim.streams import MAX_NORMAL

SOURCES = ("programming", "drift", "rtn", "read_noise")
Levels = NDArray[np.float64]


@dataclass(frozen=True)
class LevelStatistics:
    """Mean current of every level, and the standard deviation from each noise source.

    Attributes
    ----------
    mean : (n_levels,) float64
        Mean current with the sources that are on.
    sigmas : dict of str -> (n_levels,) float64
        Standard deviation from each of `SOURCES`; 0 where it is off.
    in_time : bool
        Telegraph noise is a process in time: its share is not in the static part.
    """

    mean: Levels
    sigmas: dict[str, Levels]
    in_time: bool = False

    @property
    def sigma(self) -> Levels:
        """Standard deviation of a cell's current: root of the sum of squares of `sigmas`."""
        squares = (sigma**2 for sigma in self.sigmas.values())
        return np.sqrt(sum(squares, start=np.zeros_like(self.mean)))

    @property
    def static_sigma(self) -> Levels:
        """Standard deviation of the part that is constant in time."""
        if not self.in_time:
            return self.sigma
        return np.sqrt(np.maximum(self.sigma**2 - self.sigmas["rtn"] ** 2, 0.0))

    def over(self, unit: float) -> LevelStatistics:
        """The same statistics in another unit."""
        sigmas = {name: np.asarray(sigma / unit) for name, sigma in self.sigmas.items()}
        return LevelStatistics(self.mean / unit, sigmas, self.in_time)

    def warmed(self, factor: Levels) -> LevelStatistics:
        """The same statistics with a factor on the currents of each level; errors go with them."""
        sigmas = {name: np.asarray(sigma * factor) for name, sigma in self.sigmas.items()}
        return LevelStatistics(self.mean * factor, sigmas, self.in_time)


@dataclass(frozen=True)
class CellModel:
    """Levels of one cell at some age, in fractions of full scale (top level less level 0).

    Attributes
    ----------
    ideal : (n_levels,) float64
        Evenly spaced currents; level 0 need not be zero.
    statistics : LevelStatistics
        Mean currents and standard deviations.
    full_scale_current : float
        Current of full scale [A].
    choice : LevelChoice
        The states of the cell that carry the levels.
    age : float
        Time since programming [s].
    shape : (n_levels, n_deviates) float64 or None
        Distribution of the static error (`pimsim.devices.shape`); None where it is normal.
    telegraph : Telegraph or None
        Telegraph noise as a process in time; None where it is lumped into the static error.
    warming : (n_levels,) float64 or None
        Factor that the chip's temperature has put on each level's current; None where it is 1.
    highest_gain : float
        Bound of the factor by which places of an array and of a wafer change a current.
    """

    ideal: Levels
    statistics: LevelStatistics
    full_scale_current: float
    choice: LevelChoice
    age: float
    shape: Levels | None = None
    telegraph: Telegraph | None = None
    warming: Levels | None = None
    highest_gain: float = 1.0

    @property
    def intended(self) -> Levels:
        """Evenly spaced currents, at the temperature of the chip."""
        return self.ideal if self.warming is None else self.ideal * self.warming

    @property
    def mean(self) -> Levels:
        """Mean current of each level."""
        return self.statistics.mean

    @property
    def sigma(self) -> Levels:
        """Standard deviation of a cell's current, per level."""
        return self.statistics.sigma

    @property
    def sigmas(self) -> dict[str, Levels]:
        """Standard deviation from each noise source, per level."""
        return self.statistics.sigmas

    def current(
        self, levels: NDArray[np.integer[Any]], deviates: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Currents of cells from their levels and standard normal deviates, unclipped."""
        mean: NDArray[np.float64] = self.mean[levels]
        sigma: NDArray[np.float64] = self.static_sigma[levels]
        if self.shape is None:
            return mean + sigma * deviates
        drawn = np.empty(deviates.shape)
        for level, table in enumerate(self.shape):
            selected = levels == level
            drawn[selected] = np.interp(deviates[selected], DEVIATES, table)
        return mean + sigma * drawn

    @property
    def static_sigma(self) -> Levels:
        """Standard deviation of the static error of a cell, per level."""
        return self.statistics.static_sigma

    @property
    def highest(self) -> float:
        """Upper bound on the current of any cell."""
        tail = MAX_NORMAL if self.shape is None else np.maximum(self.shape[:, -1], MAX_NORMAL)
        factor = 1.0 if self.telegraph is None else self.telegraph.highest
        factor *= self.highest_gain
        return float((self.mean + tail * self.sigma).max()) * factor

    @property
    def clipped(self) -> tuple[Levels, Levels]:
        """Mean and standard deviation per level after negative currents are set to zero."""
        if self.shape is not None:
            drawn = np.maximum(self.mean[:, None] + self.sigma[:, None] * self.shape, 0.0)
            mean = drawn @ WEIGHTS
            return mean, np.sqrt((drawn - mean[:, None]) ** 2 @ WEIGHTS)
        varies = self.sigma > 0
        sigma = np.where(varies, self.sigma, 1.0)
        z = np.minimum(self.mean / sigma, 38.0)  # beyond, nothing is cut off
        density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        above = ndtr(z)
        mean = self.mean * above + sigma * density
        square = (self.mean**2 + sigma**2) * above + self.mean * sigma * density
        clipped_sigma = np.sqrt(np.maximum(square - mean**2, 0.0))
        return np.where(varies, mean, self.mean), np.where(varies, clipped_sigma, 0.0)

    @property
    def is_exact(self) -> bool:
        """Whether every cell has exactly the current of its evenly spaced level."""
        return not self.varies and np.array_equal(self.mean, self.ideal)

    @property
    def varies(self) -> bool:
        """Whether cells of one level differ: some noise source is on."""
        return bool(self.sigma.any())

    @property
    def has_uniform_steps(self) -> bool:
        """Whether no cell varies and the levels are evenly spaced, whatever their span."""
        steps = np.diff(self.mean)
        return not self.varies and bool(np.ptp(steps) <= 1e-9 * np.abs(steps).max())


def cell_model(
    device: DeviceConfig,
    n_levels: int,
    noise: NoiseConfig,
    age: float | None = None,
    place: Place | None = None,
    read_times: tuple[float, ...] = (),
    temperature: float | None = None,
) -> CellModel:
    """Build the cell model of a device for the noise sources that are on.

    Parameters
    ----------
    n_levels
        Levels per cell: L + 1 for weights of -L..L.
    age
        Time since programming [s]; None takes it from the device file.
    read_times
        Times of all reads up to the present one [s]. If given, two-state telegraph noise is
        a process through these reads, and not in the static error.
    temperature
        Of the chip [K]; None takes that of the device file.

    Notes
    -----
    The sources are lumped into one static error per cell and chip, as in Ma et al.,
    section 4 (hardware noise model).
    """
    choice = choose_levels(device.states, n_levels, place)
    age = device.time_since_programming if age is None else age
    telegraph = None
    if read_times and noise.rtn and isinstance(device.rtn, TelegraphNoise):
        telegraph = Telegraph(device.rtn, read_times)
    pace = pace_of_drift(device.drift, temperature)
    statistics = _level_statistics(device, choice, noise, age, pace, telegraph is not None)
    factor = _warming(device, choice, noise, temperature)
    statistics = statistics if factor is None else statistics.warmed(factor)
    span = choice.mean[-1] - choice.mean[0]
    return CellModel(
        ideal=choice.even / span,
        statistics=statistics.over(span),
        full_scale_current=float(span) * device.read.top_current,
        choice=choice,
        age=age,
        shape=_static_shape(choice, statistics),
        telegraph=telegraph,
        warming=factor,
        highest_gain=_highest_gain(device, noise),
    )


def _highest_gain(device: DeviceConfig, noise: NoiseConfig) -> float:
    """Bound of `pimsim.chip.variation.gains`."""
    variation = device.variation
    if variation is None or not noise.variation:
        return 1.0
    ends = (abs(variation.wafer_bow) + abs(variation.wafer_tilt)) / 2
    return (1 + MAX_NORMAL * variation.gradient) * (1 + ends)


def _warming(
    device: DeviceConfig, choice: LevelChoice, noise: NoiseConfig, temperature: float | None
) -> Levels | None:
    """Factor of the temperature on each level's current; None where no current moves."""
    if temperature is None or temperature == device.temperature or not noise.temperature:
        return None
    if device.temperature_dependence is None:
        return None
    levels = choice.mean if noise.programming else choice.even
    return warming(device.temperature_dependence, levels, device.temperature, temperature)


def _level_statistics(
    device: DeviceConfig,
    choice: LevelChoice,
    noise: NoiseConfig,
    age: float,
    pace: float,
    in_time: bool,
) -> LevelStatistics:
    """Statistics of the levels, in fractions of the top current."""
    programmed = choice.mean if noise.programming else choice.even
    sigma = choice.sigma if noise.programming else np.zeros_like(choice.mean)
    models = {
        name: getattr(device, name) for name in ("drift", "rtn", "read_noise")
        if getattr(noise, name)
    }  # fmt: skip
    mean, sigmas = aged(models, programmed, sigma, age, device.states.mean[-1].value, pace)
    return LevelStatistics(mean, sigmas, in_time)


def aged(
    models: Mapping[str, Any],
    programmed: Levels,
    sigma: Levels,
    age: float,
    top_current: float,
    pace: float = 1.0,
) -> tuple[Levels, dict[str, Levels]]:
    """Means of levels at some age, and their standard deviation from each of `SOURCES`.

    Parameters
    ----------
    models
        Blocks of a device file by their keys: `drift`, `rtn`, `read_noise`; those left out are off.
    programmed, sigma : (n_levels,) float64
        Means and standard deviations right after programming [fraction of the top current].
    pace
        Factor on the age for drift, of a temperature other than that of its measurement.
    """
    mean = programmed
    sigmas = {"programming": sigma, "drift": np.zeros_like(sigma)}
    # at 0 a level is as it was programmed, whatever the first row of a table says
    if "drift" in models and age > 0:
        drifted = drift(models["drift"], programmed, age * pace, top_current)
        mean, sigmas["drift"] = drifted.mean, drifted.sigma
        # an error of programming drifts with the current that it belongs to
        sigmas["programming"] = sigma * drifted.slope
    for name in ("rtn", "read_noise"):
        is_on = name in models
        noise = lumped_sigma(models[name], mean, programmed, age) if is_on else np.zeros_like(mean)
        sigmas[name] = noise
    return mean, sigmas


def _static_shape(choice: LevelChoice, statistics: LevelStatistics) -> Levels | None:
    """Distribution of the static error: that of programming, widened by normal sources."""
    programming = statistics.sigmas["programming"]
    if choice.shape is None or not programming.any():
        return None
    static = statistics.static_sigma
    share = np.divide(programming, static, out=np.zeros_like(static), where=static > 0)
    return np.array([with_normal(t, s) for t, s in zip(choice.shape, share, strict=True)])
