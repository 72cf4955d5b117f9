"""Clamps of a bit line: a class for each kind, with the same verbs."""

from __future__ import annotations

import math

from pimsim.config.clamp import ClampBlock, HoldingClamp, Regulated
from pimsim.units import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C


class Clamp:
    """A clamp between every bit line and its load.

    Attributes
    ----------
    holds : bool
        Whether the bit line keeps the read voltage.
    headroom : float
        Voltage that it needs for itself [V].
    """

    holds = False
    headroom = 0.0
    area = 0.0

    def __init__(self, block: ClampBlock) -> None:
        self.block = block

    def settling(self, line_capacitance: float, current: float, temperature: float) -> float:
        """Time constant of the bit line behind it [s]."""
        return 0.0

    def mismatch(self, read_voltage: float) -> float:
        """Standard deviation of the ratio of the currents of a pair of equal resistive lines."""
        return 0.0

    def bias_energy(self, supply: float, time: float) -> float:
        """Energy of its own bias in a read of `time`, per bit line [J]."""
        return 0.0


class CascodeClamp(Clamp):
    """A transistor in weak inversion, whose source has the impedance 1 / gm = n kT/q / I."""

    holds = True
    block: HoldingClamp
    gain = 0.0

    @property
    def headroom(self) -> float:  # type: ignore[override]
        return self.block.headroom

    @property
    def area(self) -> float:  # type: ignore[override]
        return self.block.area

    def settling(self, line_capacitance: float, current: float, temperature: float) -> float:
        thermal = BOLTZMANN_J_PER_K * temperature / ELEMENTARY_CHARGE_C
        return line_capacitance * self.block.slope * thermal / current / (1 + self.gain)

    def mismatch(self, read_voltage: float) -> float:
        return math.sqrt(2) * self.block.offset / read_voltage


class RegulatedClamp(CascodeClamp):
    """A cascode in a loop: an impedance lower by the loop's gain, for a bias current."""

    block: Regulated

    @property
    def gain(self) -> float:  # type: ignore[override]
        return self.block.gain

    def bias_energy(self, supply: float, time: float) -> float:
        return self.block.current * supply * time


CLAMPS: dict[str, type[Clamp]] = {
    "none": Clamp,
    "cascode": CascodeClamp,
    "regulated": RegulatedClamp,
}
