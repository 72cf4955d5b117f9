"""Energy and area of ADCs by published cost models, which differ widely.

No model is scaled to another node: ADCs are limited by noise and matching.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.config.read_out import Adc, AdcCostModel
from pimsim.errors import MappingError


class AdcCost(NamedTuple):
    """Energy of a conversion [J] and area of an ADC [m2]."""

    energy: float
    area: float


# bits -> pJ, um2 at 32 nm: hwcomponents-library, isaac.py, scaled from ISAAC's 8 bits
_ISAAC = {4: (0.79, 361), 5: (0.99, 477), 6: (1.20, 627), 7: (1.42, 845), 8: (1.67, 1200)}
# bits -> pJ at 16 nm, to 1 GS/s: accelergy-adc-plug-in, a fit of Murmann's survey, evaluated;
# no value of 7 bits is at hand, which is on a straight line of the logarithm
_SURVEY = {4: 0.251, 5: 0.254, 6: 0.289, 8: 0.465}
# bits -> um2 at 100 MS/s: the same, and the factor of 8 bits at 1 GS/s, assumed for fewer bits too
_SURVEY_AREA, _SURVEY_FAST = {4: 1114, 8: 1339}, 2031 / 1339
# bits -> fJ at 14 nm and 10 kohm of column: NeuroSIM, SarADC.cpp, LSTP
_NEUROSIM = {4: 36.0, 8: 76.0}
# transistors of NeuroSIM's ADC, first bit and each further one, each a quarter of a gate
_NEUROSIM_TRANSISTORS = (269 + 209, 109 + 73)
_GATE_16NM_UM2 = 0.323
# zigzag-imc, AimcArrayUnit.py, a fit of macros in 22 to 28 nm, at their 0.8 V
_CIM_SUPPLY = 0.8

# a comparator at 65 nm: hwcomponents-library, timely.py; a flash ADC has one for each step
_COMPARATOR = (41.7e-15, 40e-12)

# cost models of the same kind of ADC, for the range that a report shows
MODELS: tuple[AdcCostModel, ...] = ("isaac", "survey", "cim_28nm", "neurosim")


def adc_cost(model: AdcCostModel, bits: int) -> AdcCost:
    """Energy and area of an ADC.

    Raises
    ------
    MappingError
        If the cost model does not cover this number of bits.
    """
    if model == "cim_28nm":
        energy = (100 * bits + 0.001 * 4**bits) * 1e-15 * _CIM_SUPPLY**2
        return AdcCost(energy, 10 ** (1.206 - 0.0369 * bits) * 2**bits * 1e-12)
    if model == "flash":
        energy, area = _COMPARATOR
        return AdcCost((2**bits - 1) * energy, (2**bits - 1) * area)
    if not 4 <= bits <= 8:
        raise MappingError(
            f"the cost of an ADC of {bits} bits is not known to '{model}', which covers 4 to 8",
            remedy="Set chip.read_out.cost=cim_28nm, whose formula takes any number of bits",
        )
    if model == "isaac":
        picojoule, square = _ISAAC[bits]
        return AdcCost(picojoule * 1e-12, square * 1e-12)
    if model == "survey":
        of_bits = _between(_SURVEY_AREA, bits) * _SURVEY_FAST
        return AdcCost(_between(_SURVEY, bits) * 1e-12, of_bits * 1e-12)
    first, further = _NEUROSIM_TRANSISTORS
    area = (first + further * (bits - 1)) * _GATE_16NM_UM2 / 4
    return AdcCost(float(np.interp(bits, [4, 8], [_NEUROSIM[4], _NEUROSIM[8]])) * 1e-15,
                   area * 1e-12)  # fmt: skip


def _between(table: Mapping[int, float], bits: int) -> float:
    """Value of a table; between its entries the logarithm is on a straight line."""
    return math.exp(float(np.interp(bits, list(table), np.log(list(table.values())))))


def top_code(bits: int, *, signed: bool = True) -> int:
    """Largest code; the smallest is its negative, or 0 without a sign."""
    return int(2 ** (bits - signed) - 1)


def full_resolution(largest: int, *, signed: bool = True) -> int:
    """Number of bits for all sums from -largest (0 without a sign) to largest."""
    return max(1, largest).bit_length() + signed


def step_of(bits: int, largest: float, share: float, *, signed: bool = True) -> float:
    """Step of the sum between two codes, at least 1; codes reach to a share of the largest sum.

    An ADC with a code for every sum has a step of 1.
    """
    return max(1.0, share * largest / top_code(bits, signed=signed))


def bill(adc: Adc, where: str, n_adcs: int, costs: LogicCosts) -> Bill:
    """ADCs by the published cost model that the chip file names."""
    cost = adc_cost(adc.cost, adc.bits)
    leakage = costs.leakage_of(cost.area)
    return Bill(
        (Part("adc", where, n_adcs, cost.area, leakage, ("chip.read_out", "chip.array")),),
        (Price("adc", "conversions", cost.energy, ("chip.read_out", "chip.weight_coding")),),
    )
