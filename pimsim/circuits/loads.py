"""Loads of a bit line: from its current to a voltage; a class for each kind, with the same verbs.

Everywhere, z is the transimpedance of the load [V/A]: its resistance, or t / C of an integrator.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from pimsim.config.loads import CapacitorLoad, LoadBlock, ResistorLoad
from pimsim.units import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C


class Compression(NamedTuple):
    """Effect of a swinging line on resistive cells without a clamp.

    Attributes
    ----------
    current : float
        Mean current over that of cells at the full voltage of the line.
    gain : float
        Voltage for a small change of current, over that without compression.
    """

    current: float
    gain: float


class Load:
    """A load of every bit line."""

    def __init__(self, block: LoadBlock) -> None:
        self.block = block

    def transimpedance(self, capacitance: float) -> float:
        """Transimpedance of the given size [V/A]; `capacitance` is that of the node [F]."""
        raise NotImplementedError

    def settling(self, z: float, capacitance: float) -> float:
        """Time constant by which the node follows the current [s]."""
        raise NotImplementedError

    def at_an_edge(self, z: float, capacitance: float, period: float) -> float:
        """Transimpedance where the clock ends what the load does; `period` is the clock's [s]."""
        return z

    def settled(self, error: float) -> float:
        """Share of its final voltage at which the node is read."""
        return 1.0

    def integration(self, z: float, capacitance: float) -> float:
        """Time for which the node takes in the current before it is read [s]."""
        return 0.0

    def flow(self, z: float, capacitance: float, read: float) -> float:
        """Time for which the supply delivers the current of a line in a read of `read` [s]."""
        raise NotImplementedError

    def noise(
        self, z: float, capacitance: float, current: float, temperature: float, shot: float
    ) -> float:
        """Variance of the node's voltage at a decision, one side [V^2].

        Parameters
        ----------
        current : float
            Current of the line [A].
        shot : float
            Noise of this current over full shot noise, 2 q I.
        """
        raise NotImplementedError

    def compression(self, x: float) -> Compression:
        """Compression at x = z G of cells of conductance G."""
        raise NotImplementedError


class Resistor(Load):
    """A resistor: V = I R once it has settled."""

    block: ResistorLoad

    def transimpedance(self, capacitance: float) -> float:
        assert self.block.resistance is not None
        return self.block.resistance

    def settling(self, z: float, capacitance: float) -> float:
        return z * capacitance

    def settled(self, error: float) -> float:
        return 1 - error

    def flow(self, z: float, capacitance: float, read: float) -> float:
        # afterwards the node returns to the supply, which takes the charge I R C
        return read + z * capacitance

    def noise(
        self, z: float, capacitance: float, current: float, temperature: float, shot: float
    ) -> float:
        # 4 k T / R and 2 q I, through the node's bandwidth of 1 / (4 R C)
        thermal = BOLTZMANN_J_PER_K * temperature / capacitance
        return thermal + shot * ELEMENTARY_CHARGE_C * current * z / (2 * capacitance)

    def compression(self, x: float) -> Compression:
        return Compression(1 / (1 + x), 1 / (1 + x) ** 2)


class Integrator(Load):
    """The node's own capacitance, precharged: V = I t / C."""

    block: CapacitorLoad

    def transimpedance(self, capacitance: float) -> float:
        assert self.block.time is not None
        return self.block.time / capacitance

    def settling(self, z: float, capacitance: float) -> float:
        return 0.0

    def at_an_edge(self, z: float, capacitance: float, period: float) -> float:
        return math.ceil(z * capacitance / period * (1 - 1e-12)) * period / capacitance

    def integration(self, z: float, capacitance: float) -> float:
        return z * capacitance

    def flow(self, z: float, capacitance: float, read: float) -> float:
        return z * capacitance

    def noise(
        self, z: float, capacitance: float, current: float, temperature: float, shot: float
    ) -> float:
        # k T / C of the precharge, and the shot noise of the charge q = I t
        time = z * capacitance
        thermal = BOLTZMANN_J_PER_K * temperature / capacitance
        return thermal + shot * ELEMENTARY_CHARGE_C * current * time / capacitance**2

    def compression(self, x: float) -> Compression:
        return Compression(-math.expm1(-x) / x if x else 1.0, math.exp(-x))


LOADS: dict[str, type[Load]] = {"resistor": Resistor, "capacitor": Integrator}
