"""A cell technology as the simulator sees it: level currents and how they stray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pimsim.config.device import DeviceConfig, TwoStateNoise
from pimsim.config.run import NoiseConfig
from pimsim.devices.drift import drift
from pimsim.devices.levels import LevelChoice, choose_levels
from pimsim.devices.noise import static_spread
from pimsim.devices.shape import DEVIATES, WEIGHTS, with_normal
from pimsim.devices.telegraph import Telegraph
from pimsim.errors import Place

PARTS = ("programming", "drift", "rtn", "read_noise")


@dataclass(frozen=True)
class CellModel:
    """Levels of one cell at some age, in fractions of full scale (top level less level 0).

    Attributes
    ----------
    ideal : (n_levels,) float64
        Evenly spaced currents; level 0 need not be zero.
    mean : (n_levels,) float64
        Mean currents with the sources that are on.
    spread : (n_levels,) float64
        Standard deviation of a cell's current: root of the sum of squares of `parts`.
    parts : dict of str -> (n_levels,) float64
        Standard deviation of each source that is on.
    full_scale_current : float
        Current of full scale [A].
    choice : LevelChoice
        Which states of the cell carry the levels.
    age : float
        Time since programming [s].
    shape : (n_levels, n_deviates) float64 or None
        Distribution of the lumped draw (`pimsim.devices.shape`); None where it is normal.
    telegraph : Telegraph or None
        Telegraph noise as a process: then its part is not in the static draw.
    """

    ideal: NDArray[np.float64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    parts: dict[str, NDArray[np.float64]]
    full_scale_current: float
    choice: LevelChoice
    age: float
    shape: NDArray[np.float64] | None = None
    telegraph: Telegraph | None = None

    def current(
        self, levels: NDArray[np.integer[Any]], deviates: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Currents of cells from their levels and standard normal deviates, unclipped."""
        mean: NDArray[np.float64] = self.mean[levels]
        spread: NDArray[np.float64] = self.static_spread[levels]
        if self.shape is None:
            return mean + spread * deviates
        drawn = np.empty(deviates.shape)
        for level, table in enumerate(self.shape):
            there = levels == level
            drawn[there] = np.interp(deviates[there], DEVIATES, table)
        return mean + spread * drawn

    @property
    def static_spread(self) -> NDArray[np.float64]:
        """Standard deviation of the static draw: `spread` less what runs in time."""
        if self.telegraph is None:
            return self.spread
        return np.sqrt(np.maximum(self.spread**2 - self.parts["rtn"] ** 2, 0.0))

    @property
    def highest(self) -> float:
        """A current that no cell exceeds, beyond all deviates that can be drawn."""
        tail = 7.0 if self.shape is None else np.maximum(self.shape[:, -1], 7.0)
        factor = 1.0 if self.telegraph is None else self.telegraph.highest
        return float((self.mean + tail * self.spread).max()) * factor

    @property
    def clipped(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation per level of what is drawn: no current is below zero."""
        if self.shape is not None:
            drawn = np.maximum(self.mean[:, None] + self.spread[:, None] * self.shape, 0.0)
            mean = drawn @ WEIGHTS
            return mean, np.sqrt((drawn - mean[:, None]) ** 2 @ WEIGHTS)
        strays = self.spread > 0
        spread = np.where(strays, self.spread, 1.0)
        z = np.minimum(self.mean / spread, 38.0)  # beyond, nothing is cut off
        density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        above = ndtr(z)
        mean = self.mean * above + spread * density
        square = (self.mean**2 + spread**2) * above + self.mean * spread * density
        deviation = np.sqrt(np.maximum(square - mean**2, 0.0))
        return np.where(strays, mean, self.mean), np.where(strays, deviation, 0.0)

    @property
    def is_exact(self) -> bool:
        """Whether every cell stands exactly on its evenly spaced level."""
        return not self.spread.any() and np.array_equal(self.mean, self.ideal)

    @property
    def is_even(self) -> bool:
        """Whether nothing strays and the levels, wherever they stand, are evenly spaced."""
        steps = np.diff(self.mean)
        return not self.spread.any() and bool(np.ptp(steps) <= 1e-9 * np.abs(steps).max())


def cell_model(
    device: DeviceConfig,
    n_levels: int,
    noise: NoiseConfig,
    age: float | None = None,
    place: Place | None = None,
    read_times: tuple[float, ...] = (),
) -> CellModel:
    """Levels of a device with the noise sources that are on.

    Parameters
    ----------
    n_levels
        Levels per cell: L + 1 for weights of -L..L.
    age
        Time since programming [s]; the device file's where None.
    read_times
        Times of the reads so far [s], the last one at hand: two-state telegraph noise is then
        a process that runs through them, and stays out of the lumped draw.

    Notes
    -----
    The parts are lumped into one static draw per cell and chip, as in Ma et al.,
    section 4 (hardware noise model).
    """
    choice = choose_levels(device.states, n_levels, place)
    age = device.time_since_programming if age is None else age
    span = choice.mean[-1] - choice.mean[0]
    zero = np.zeros(n_levels)
    programmed = choice.mean if noise.programming else choice.even
    parts = {"programming": choice.spread if noise.programming else zero, "drift": zero}
    mean = programmed
    if noise.drift:
        drifted = drift(device.drift, programmed, age, device.states.mean[-1].value)
        mean, parts["drift"] = drifted.mean, drifted.spread
        # what a cell was programmed too high or too low drifts with it
        parts["programming"] = parts["programming"] * drifted.slope
    for name, model in (("rtn", device.rtn), ("read_noise", device.read_noise)):
        on = getattr(noise, name)
        parts[name] = static_spread(model, mean, programmed, age) if on else zero
    telegraph = None
    if read_times and noise.rtn and isinstance(device.rtn, TwoStateNoise):
        telegraph = Telegraph(device.rtn, read_times)
    spread = np.sqrt(sum((part**2 for part in parts.values()), start=zero))
    shape = None
    if choice.shape is not None and parts["programming"].any():
        static = spread if telegraph is None else np.sqrt(spread**2 - parts["rtn"] ** 2)
        share = np.divide(parts["programming"], static, out=zero.copy(), where=static > 0)
        shape = np.array([with_normal(t, s) for t, s in zip(choice.shape, share, strict=True)])
    scaled = {name: np.asarray(part / span) for name, part in parts.items()}
    return CellModel(
        ideal=choice.even / span,
        mean=mean / span,
        spread=np.sqrt(sum((part**2 for part in scaled.values()), start=zero)),
        shape=shape,
        telegraph=telegraph,
        parts=scaled,
        full_scale_current=float(span) * device.read.top_current,
        choice=choice,
        age=age,
    )
