"""A cell technology as the simulator sees it: level currents and how they stray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.config.device import DeviceConfig
from pimsim.config.run import NoiseConfig
from pimsim.devices.drift import drift
from pimsim.devices.levels import LevelChoice, choose_levels
from pimsim.devices.noise import static_spread
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
        Standard deviation of the lumped static draw: root of the sum of squares of `parts`.
    parts : dict of str -> (n_levels,) float64
        Standard deviation of each source that is on.
    full_scale_current : float
        Current of full scale [A].
    choice : LevelChoice
        Which states of the cell carry the levels.
    age : float
        Time since programming [s].
    """

    ideal: NDArray[np.float64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    parts: dict[str, NDArray[np.float64]]
    full_scale_current: float
    choice: LevelChoice
    age: float

    @property
    def is_exact(self) -> bool:
        """Whether every cell stands exactly on its evenly spaced level."""
        return not self.spread.any() and np.array_equal(self.mean, self.ideal)


def cell_model(
    device: DeviceConfig,
    n_levels: int,
    noise: NoiseConfig,
    age: float | None = None,
    place: Place | None = None,
) -> CellModel:
    """Levels of a device with the noise sources that are on.

    Parameters
    ----------
    n_levels
        Levels per cell: L + 1 for weights of -L..L.
    age
        Time since programming [s]; the device file's where None.

    Notes
    -----
    The parts are lumped into one static draw per cell and chip, as in Ma et al.,
    section 4 (hardware noise model).
    """
    choice = choose_levels(device.states, n_levels, place)
    age = device.time_since_programming if age is None else age
    unit, top = device.states.mean[-1]
    span = choice.mean[-1] - choice.mean[0]
    zero = np.zeros(n_levels)
    mean = choice.mean if noise.programming else choice.even
    parts = {"programming": choice.spread if noise.programming else zero, "drift": zero}
    if noise.drift:
        mean, parts["drift"] = drift(device.drift, mean, age, top if unit == "ampere" else 1.0)
    parts["rtn"] = static_spread(device.rtn, mean, age) if noise.rtn else zero
    parts["read_noise"] = static_spread(device.read_noise, mean, age) if noise.read_noise else zero
    scaled = {name: np.asarray(part / span) for name, part in parts.items()}
    return CellModel(
        ideal=choice.even / span,
        mean=mean / span,
        spread=np.sqrt(sum((part**2 for part in scaled.values()), start=zero)),
        parts=scaled,
        full_scale_current=float(span) * device.read.top_current,
        choice=choice,
        age=age,
    )
