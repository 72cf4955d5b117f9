"""Offset-cancelling sense amplifier: one bit per column pair, 1 if V + n - v_os > 0."""

from __future__ import annotations

import math

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.lines import Lines
from pimsim.circuits.logic import LogicCosts
from pimsim.circuits.scaling import Scaling, nominal_supply, scaling
from pimsim.config.read_out import SenseAmplifier
from pimsim.config.technology import TechnologyConfig
from pimsim.units import BOLTZMANN_J_PER_K


def sampled_noise(capacitance: float, temperature: float, excess: float, sides: int = 2) -> float:
    """Standard deviation of kT/C noise, sampled on some lines [V].

    Parameters
    ----------
    capacitance
        Of one side [F].
    temperature
        [K].
    excess
        Noise power over bare kT/C, at least 1.
    sides
        Lines that are sampled: 2 of a pair, 1 of a line alone.

    Notes
    -----
    2 fF at 300 K give 2.03 mV for a pair; Ma et al., section 4, state 2 mV.
    """
    return math.sqrt(sides * BOLTZMANN_J_PER_K * temperature / capacitance * excess)


def own_noise(amplifier: SenseAmplifier, temperature: float) -> float:
    """Standard deviation of the noise of an amplifier itself, at its input [V].

    Notes
    -----
    sigma^2 = 8 k T gamma x 0.3 / C of a clocked comparator: the noise of its input pair, integrated
    on the nodes inside until the latch takes over (gamma = 1; 0.3 is the overdrive over the voltage
    by which these nodes fall).
    """
    capacitance = amplifier.internal_capacitance
    return math.sqrt(8 * 0.3 * BOLTZMANN_J_PER_K * temperature / capacitance)


def offset_sigma(amplifier: SenseAmplifier) -> float:
    """Standard deviation of the offset over sense amplifiers and chips [V]."""
    return amplifier.residual_offset if amplifier.offset_cancelling else amplifier.raw_offset


def scaled(amplifier: SenseAmplifier, technology: TechnologyConfig) -> Scaling:
    """Factors of its decision's energy and time from its own node to the technology's.

    Both nodes have transistors of the technology's corner.
    """
    return scaling(
        amplifier.node,
        nominal_supply(amplifier.node),
        technology.node,
        technology.supply,
        technology.corner,
    )


def bill(
    amplifier: SenseAmplifier,
    where: str,
    count: int,
    cancelling: float,
    lines: Lines,
    costs: LogicCosts,
) -> Bill:
    """Sense amplifiers of a tile.

    Parameters
    ----------
    cancelling : float
        Time for which the bias of offset cancelling flows for each decision [s].
    """
    of_decision = amplifier.energy_per_decision * scaled(amplifier, lines.logic).energy
    supply = lines.config.bit_line.supply
    bias = amplifier.cancelling_current * supply * cancelling
    rests_on = ("chip.read_out",)
    area = amplifier.area
    return Bill(
        (Part("sense_amplifier", where, count, area, costs.leakage_of(area), rests_on),),
        (
            Price("sense_amplifier", "decisions", of_decision, (*rests_on, "technology.gate")),
            Price(
                "sense_amplifier",
                "cancellings",
                bias,
                ("chip.read_out", "chip.bit_line", "chip.clock"),
                counted="decisions",
            ),
        ),
    )
