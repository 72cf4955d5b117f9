"""Offset-cancelling sense amplifier: one bit per column pair, 1 if V + n - v_os > 0."""

from __future__ import annotations

import math

from pimsim.config.chip import SenseAmplifier
from pimsim.units import BOLTZMANN_J_PER_K


def sampled_noise(capacitance: float, temperature: float, excess: float) -> float:
    """Standard deviation of the differential noise at a decision [V].

    Parameters
    ----------
    capacitance
        C_IN + C_BL of one side [F].
    temperature
        [K].
    excess
        Noise power of array and load over bare kT/C, at least 1.

    Notes
    -----
    sigma^2 = 2 k T / C x excess: both sides sample the noise of their own
    capacitance.  2 fF at 300 K give 2.03 mV; Ma et al., section 4, state 2 mV.
    """
    return math.sqrt(2 * BOLTZMANN_J_PER_K * temperature / capacitance * excess)


def offset_spread(amplifier: SenseAmplifier) -> float:
    """Standard deviation of the offset over sense amplifiers and chips [V]."""
    return amplifier.residual_offset if amplifier.offset_cancelling else amplifier.raw_offset
