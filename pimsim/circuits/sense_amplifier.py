"""Offset-cancelling sense amplifier: one bit per column pair, 1 if V + n - v_os > 0."""

from __future__ import annotations

import math

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.config.read_out import SenseAmplifier
from pimsim.units import BOLTZMANN_J_PER_K


def sampled_noise(capacitance: float, temperature: float, excess: float, sides: int = 2) -> float:
    """Standard deviation of the noise at a decision [V].

    Parameters
    ----------
    capacitance
        C_IN + C_BL of one side [F].
    temperature
        [K].
    excess
        Noise power of array and load over bare kT/C, at least 1.
    sides
        Lines that are sampled: 2 of a pair, 1 of a line alone.

    Notes
    -----
    sigma^2 = 2 k T / C x excess: both sides sample the noise of their own
    capacitance.  2 fF at 300 K give 2.03 mV; Ma et al., section 4, state 2 mV.
    """
    return math.sqrt(sides * BOLTZMANN_J_PER_K * temperature / capacitance * excess)


def offset_sigma(amplifier: SenseAmplifier) -> float:
    """Standard deviation of the offset over sense amplifiers and chips [V]."""
    return amplifier.residual_offset if amplifier.offset_cancelling else amplifier.raw_offset


def bill(amplifier: SenseAmplifier, where: str, n_pairs: int, costs: LogicCosts) -> Bill:
    """Sense amplifiers of some column pairs."""
    count = -(-n_pairs // amplifier.columns_per_amplifier)
    rests_on = ("chip.read_out",)
    area = amplifier.area
    return Bill(
        (Part("sense_amplifier", where, count, area, costs.leakage_of(area), rests_on),),
        (Price("sense_amplifier", "decisions", amplifier.energy_per_decision, rests_on),),
    )
