"""Energy and area of ADCs by published cost models, which differ widely.

No model is scaled to another node: ADCs are limited by noise and matching.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.circuits.scaling import nominal_supply, scaling
from pimsim.config.read_out import AdcCostModel, Converting
from pimsim.config.technology import TechnologyConfig
from pimsim.errors import MappingError


class AdcCost(NamedTuple):
    """Energy of a conversion [J] and area of an ADC [m2]."""

    energy: float
    area: float


# bits -> pJ, um2 at 32 nm: hwcomponents-library, isaac.py, scaled from ISAAC's 8 bits
_ISAAC = {4: (0.79, 361), 5: (0.99, 477), 6: (1.20, 627), 7: (1.42, 845), 8: (1.67, 1200)}
# accelergy-adc-plug-in, adc_data/model.yaml (commit 6851cb8), a fit of Murmann's survey: Schreier's
# figure of merit by effective bits, in dB; factors on the energy (node in nm, bits) and on the area
# (node, rate in Hz, energy in pJ) as sums of logarithms. Below 10 GS/s the rate costs no energy.
_SURVEY_MERIT = (128.3068287398817, 3.2205114803350)
_SURVEY_ENERGY = (26.0496215686518 - 1.4702022133784405, 1.8800369206815004, -2.8291256050594527)
_SURVEY_AREA = (1.3461916439910742, 0.9932794744745022, 0.18071538424508238, 0.29912426192653485)
_SURVEY_NM = 16
# bits -> fJ at 14 nm and 10 kohm of column: NeuroSIM, SarADC.cpp, LSTP
_NEUROSIM = {4: 36.0, 8: 76.0}
# transistors of NeuroSIM's ADC, first bit and each further one, each a quarter of a gate
_NEUROSIM_TRANSISTORS = (269 + 209, 109 + 73)
_GATE_16NM_UM2 = 0.323
# zigzag-imc, AimcArrayUnit.py, a fit of macros in 22 to 28 nm: time of a bit, and what it takes
# longer for each row that is on [s]. In its three macros 1,024 of 1,024, 16 of 512 and 8 of 64
# rows are on at once (aimc_validation.py, `input_channel` and `rows`)
_CIM_BIT, _CIM_BIT_PER_ROW = 0.640e-9, 0.00653e-9
# supply at which its energy is stated where a chip is not known [V]
_CIM_SUPPLY = 0.8
# decision of a comparator at 28 nm: MNSIM, ADC.py, choice 8 [s, m]
_DECISION, _DECISION_NODE = 1e-9, 28e-9

# a comparator at 65 nm: hwcomponents-library, timely.py; a flash ADC has one for each step
_COMPARATOR = (41.7e-15, 40e-12)

# capacitors of sample and hold: CiMLoop, misc.py, 22 nm; not scaled [F/m2]
CAPACITOR_DENSITY = 2.3e-15 / 1e-12

# cost models of the same kind of ADC, for the range that a report shows
MODELS: tuple[AdcCostModel, ...] = ("isaac", "survey", "cim_28nm", "neurosim")


def _survey_cost(bits: int, rate: float) -> AdcCost:
    """The fit of the survey at a conversion rate [1/s], with all bits effective."""
    merit, per_bit = _SURVEY_MERIT
    decibel = 6.02 * bits + 1.76 - merit - per_bit * bits
    start, of_node, of_bits = _SURVEY_ENERGY
    exponent = start + of_node * math.log(_SURVEY_NM) + of_bits * math.log(bits)
    picojoule = 10 ** (decibel / 10) / 2 * math.exp(exponent)
    start, of_node, of_rate, of_energy = _SURVEY_AREA
    exponent = start + of_node * math.log(_SURVEY_NM)
    exponent += of_rate * math.log(rate) + of_energy * math.log(picojoule)
    return AdcCost(picojoule * 1e-12, math.exp(exponent) * 1e-12)


def conversion_time(
    adc: Converting, n_rows: int, technology: TechnologyConfig, costs: LogicCosts
) -> float:
    """Time of a conversion by the cost model [s].

    Parameters
    ----------
    n_rows : int
        Rows of a bit line that may be on at once.
    technology : TechnologyConfig
        At the supply of the chip.

    Raises
    ------
    MappingError
        If the cost model states no time.

    Notes
    -----
    The fit of macros is bits x (0.640 + 0.00653 rows) ns, whatever the node.  A flash ADC decides
    once; a gate for each bit makes a number of its comparators, and a register keeps it.
    """
    if adc.cost == "cim_28nm":
        return adc.bits * (_CIM_BIT + n_rows * _CIM_BIT_PER_ROW)
    if adc.cost == "flash":
        supply = nominal_supply(_DECISION_NODE)
        scale = scaling(
            _DECISION_NODE, supply, technology.node, technology.supply, technology.corner
        )
        return _DECISION * scale.delay + adc.bits * costs.gate_delay + costs.flip_flop_delay
    raise MappingError(
        f"the cost model '{adc.cost}' of ADCs states no time of a conversion",
        remedy="Give chip.read_out.conversion_time",
    )


def adc_cost(
    model: AdcCostModel, bits: int, rate: float = 1e9, supply: float = _CIM_SUPPLY
) -> AdcCost:
    """Energy and area of an ADC.

    Parameters
    ----------
    rate : float
        Conversions per second.  Only the survey's model has an area that follows it, as
        rate^0.18; the others state one ADC each.
    supply : float
        Of the chip [V].  Only the fit of macros has an energy that follows it, as its square.

    Raises
    ------
    MappingError
        If the cost model does not cover this number of bits.
    """
    if model == "cim_28nm":
        energy = (100 * bits + 0.001 * 4**bits) * 1e-15 * supply**2
        return AdcCost(energy, 10 ** (1.206 - 0.0369 * bits) * 2**bits * 1e-12)
    if model == "flash":
        energy, area = _COMPARATOR
        return AdcCost((2**bits - 1) * energy, (2**bits - 1) * area)
    if not 4 <= bits <= 8:
        raise MappingError(
            f"the cost of an ADC of {bits} bits is not known to '{model}', which covers 4 to 8",
            remedy="Set the ADC's cost (chip.read_out.cost or chip.tall_layers.cost) to cim_28nm, "
            "whose formula takes any number of bits",
        )
    if model == "isaac":
        picojoule, square = _ISAAC[bits]
        return AdcCost(picojoule * 1e-12, square * 1e-12)
    if model == "survey":
        return _survey_cost(bits, rate)
    first, further = _NEUROSIM_TRANSISTORS
    area = (first + further * (bits - 1)) * _GATE_16NM_UM2 / 4
    return AdcCost(float(np.interp(bits, [4, 8], [_NEUROSIM[4], _NEUROSIM[8]])) * 1e-15,
                   area * 1e-12)  # fmt: skip


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


def bill(
    adc: Converting, where: str, n_adcs: int, n_held: int, costs: LogicCosts, conversion: float
) -> Bill:
    """ADCs by the published cost model that the chip file names, with their samples.

    Parameters
    ----------
    n_held : int
        Bit lines whose voltage is sampled and held, each on a capacitor as large as the ADC's
        input capacitance; its other plate takes a second sample that is subtracted.
    conversion : float
        Time of one conversion [s].
    """
    cost = adc_cost(adc.cost, adc.bits, 1 / conversion, costs.supply)
    leakage = costs.leakage_of(cost.area)
    held = adc.input_capacitance / CAPACITOR_DENSITY
    return Bill(
        (
            Part("adc", where, n_adcs, cost.area, leakage, ("chip.read_out", "chip.array")),
            Part("sample_and_hold", where, n_held, held, 0.0, ("chip.read_out", "chip.array")),
        ),
        (Price("adc", "conversions", cost.energy, ("chip.read_out", "chip.weight_coding")),),
    )
