"""Levels of a cell that is a transistor, at another gate voltage than they were measured at.

The EKV model of a saturated transistor (Enz, Krummenacher and Vittoz 1995):
I = I_0 ln^2(1 + exp((V_G - V_T) / (2 n U_T))), with U_T = kT/q. Each measured state is a threshold
voltage; a standard deviation of currents is one of thresholds, which weigh more where gm / I is
larger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from pimsim.units import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Transistor:
    """A cell's transistor, saturated.

    Attributes
    ----------
    fresh_current : float
        Current of the fresh cell at `gate` [A].
    gate : float
        Gate voltage of the measured currents [V].
    fresh_threshold : float
        Threshold of the fresh cell [V].
    slope : float
        Slope factor n.
    temperature : float
        [K]
    """

    fresh_current: float
    gate: float
    fresh_threshold: float
    slope: float
    temperature: float = 300.0

    @property
    def _thermal(self) -> float:
        """2 n kT/q [V]."""
        return 2 * self.slope * BOLTZMANN_J_PER_K * self.temperature / ELEMENTARY_CHARGE_C

    @property
    def specific_current(self) -> float:
        """I_0 [A]."""
        x = (self.gate - self.fresh_threshold) / self._thermal
        return float(self.fresh_current / np.logaddexp(0, x) ** 2)

    def current(self, gate: float, threshold: Values) -> Values:
        """Drain current [A]."""
        x = (gate - np.asarray(threshold)) / self._thermal
        return np.asarray(self.specific_current * np.logaddexp(0, x) ** 2)

    def threshold(self, gate: float, current: Values) -> Values:
        """Threshold voltage of a current [V]."""
        root = np.sqrt(np.asarray(current) / self.specific_current)
        return np.asarray(gate - self._thermal * np.log(np.expm1(root)))

    def transconductance(self, gate: float, threshold: Values) -> Values:
        """Change of the current with the threshold, dI / dV_T without its sign [A/V]."""
        x = (gate - np.asarray(threshold)) / self._thermal
        each = 2 * np.logaddexp(0, x) / (1 + np.exp(-x)) / self._thermal
        return np.asarray(self.specific_current * each)

    def gate_for(self, current: float, threshold: float) -> float:
        """Gate voltage at which a cell of this threshold carries a current [V]."""
        return float(
            brentq(lambda gate: float(self.current(gate, np.array(threshold))) - current, -1.0, 2.0)
        )


def sigma_at(
    cell: Transistor, means: Values, sigmas: Values, gate: float, currents: Values
) -> Values:
    """Standard deviation of cells programmed to some currents at another gate voltage [A].

    Parameters
    ----------
    means, sigmas : (n_states,) float64
        Measured currents, rising, and their standard deviations [A].
    gate : float
        [V]
    currents : (n,) float64
        At this gate voltage, between those of the lowest and the highest state [A].

    Notes
    -----
    The standard deviation of thresholds is interpolated between the measured states.
    """
    thresholds = cell.threshold(cell.gate, means)
    of_threshold = sigmas / cell.transconductance(cell.gate, thresholds)
    wanted = cell.threshold(gate, currents)
    sigma = np.interp(wanted, thresholds[::-1], of_threshold[::-1])
    return np.asarray(sigma * cell.transconductance(gate, wanted))


def after_loss(cell: Transistor, gate: float, currents: Values, lost: float) -> Values:
    """Currents after a share of the programmed shift of the threshold is lost [A]."""
    threshold = cell.threshold(gate, currents)
    back = threshold - lost * (threshold - cell.fresh_threshold)
    return cell.current(gate, back)


def warmed(
    cell: Transistor,
    gate: float,
    currents: Values,
    temperature: float,
    threshold_per_kelvin: float = -0.75e-3,
    mobility_exponent: float = 1.5,
) -> Values:
    """Currents at another temperature, from those at the cell's own and a gate voltage [A].

    Parameters
    ----------
    temperature : float
        [K]
    threshold_per_kelvin : float
        Change of every threshold [V/K].
    mobility_exponent : float
        The mobility falls with this power of the temperature.

    Notes
    -----
    The current I_0 goes with the mobility and the square of kT/q, whose own rise flattens the
    exponential; thresholds fall. The last of these is largest near and below the threshold.
    """
    ratio = temperature / cell.temperature
    threshold = cell.threshold(gate, currents)
    moved = threshold + threshold_per_kelvin * (temperature - cell.temperature)
    x = (gate - moved) / (cell._thermal * ratio)
    scale = cell.specific_current * ratio ** (2 - mobility_exponent)
    return np.asarray(scale * np.logaddexp(0, x) ** 2)
