"""Fixed-point MAC units of the real-valued layers: input encoder and output layer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.config.chip import InputEncoder, OutputUnit
from pimsim.errors import MappingError
from pimsim.workload.ends import Encoder, Output


def _step_of(values: NDArray[np.floating], bits: int) -> float:
    """Step of the finest power-of-two grid of `bits` bits that spans the values."""
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    return 2.0 ** (math.floor(math.log2(largest)) + 1 - (bits - 1))


def _fixed(values: NDArray[np.floating], step: float, bits: int) -> NDArray[np.float64]:
    """Integers of a two's complement fixed-point grid, saturating; held in float64."""
    top = 2.0 ** (bits - 1)
    return np.clip(np.round(np.asarray(values, np.float64) / step), -top, top - 1)


def fixed_preactivations(
    encoder: Encoder, unit: InputEncoder, inputs: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Sums less thresholds of the input layer as the fixed-point unit computes them.

    Parameters
    ----------
    inputs
        Inputs in the form of `Encoder.preactivations`.

    Returns
    -------
    sums : (..., n_out) float64
        Integers.
    step : float
        Weight of one step of the sums [units of pre-activation].

    Notes
    -----
    Products and sums are integers below 2^53, hence exact; only inputs, weights
    and thresholds are rounded.
    """
    inputs, weights = encoder.rows(inputs), encoder.columns
    needed = unit.input_bits + unit.weight_bits + math.log2(len(weights))
    if needed > 53:
        raise MappingError(
            f"the input encoder's sums of {len(weights)} products take {needed:.0f} bits; "
            "at most 53 are simulated exactly",
            remedy="Lower input_encoder.input_bits or weight_bits of the chip",
        )
    input_step = unit.input_range / 2.0 ** (unit.input_bits - 1)
    weight_step = _step_of(weights, unit.weight_bits)
    sums = _fixed(inputs, input_step, unit.input_bits) @ _fixed(
        weights, weight_step, unit.weight_bits
    )
    step = input_step * weight_step
    return sums - np.round(np.asarray(encoder.thresholds, np.float64) / step), step


def encode_fixed(
    encoder: Encoder, unit: InputEncoder, inputs: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Bits of the input layer as the fixed-point unit computes them."""
    return np.asarray(fixed_preactivations(encoder, unit, inputs)[0] > 0, np.uint8)


def score_fixed(
    output: Output, unit: OutputUnit, bits: NDArray[np.uint8], one: float = 1
) -> NDArray[np.float64]:
    """Scores (..., n_classes) of bits (..., n_in), weights rounded to the unit's bits.

    Where the last layer gives codes instead of bits, `one` is the code of 1, and scores are
    so many times as large.
    """
    step = _step_of(output.weights, unit.weight_bits)
    weights = _fixed(output.weights, step, unit.weight_bits)
    biases = np.round(np.asarray(output.biases, np.float64) / step)
    return (bits.astype(np.float64) @ weights + one * biases) * step


@dataclass(frozen=True)
class MacUnit:
    """One multiplier and adder with its accumulator.

    Attributes
    ----------
    input_bits : int
        1 needs no multiplier.
    weight_bits : int
    terms : int
        Products in a sum, which widen the accumulator.
    """

    input_bits: int
    weight_bits: int
    terms: int

    @property
    def product_bits(self) -> int:
        return self.input_bits * self.weight_bits if self.input_bits > 1 else 0

    @property
    def sum_bits(self) -> int:
        width = self.weight_bits + (self.input_bits if self.input_bits > 1 else 0)
        return width + math.ceil(math.log2(max(1, self.terms)))

    def energy(self, costs: LogicCosts) -> float:
        """Energy of a multiply-accumulate, without reading the weight [J]."""
        return self.product_bits * costs.product_energy + self.sum_bits * costs.sum_energy

    def area(self, costs: LogicCosts) -> float:
        """Area of multiplier, adder and accumulator [m2]."""
        return self.product_bits * costs.product_area + self.sum_bits * (
            costs.sum_area + costs.flip_flop_area
        )


def encoder_mac(encoder: Encoder, unit: InputEncoder) -> MacUnit:
    """MAC unit of the input encoder, which has `macs_per_cycle` of them."""
    terms = math.prod(encoder.weights.shape[:-1])
    return MacUnit(unit.input_bits, unit.weight_bits, terms)


def output_mac(output: Output, unit: OutputUnit, input_bits: int) -> MacUnit:
    """MAC unit of the output unit, which has `macs_per_cycle` of them; inputs are bits or codes."""
    return MacUnit(input_bits, unit.weight_bits, output.weights.shape[0])


def bill(name: str, mac: MacUnit, n_units: int, n_weights: int, costs: LogicCosts) -> Bill:
    """A digital unit of several multiply-accumulators, with a memory of its weights."""
    area = mac.area(costs)
    logic = (f"chip.{name}", "technology.arithmetic", "technology.memory_read")
    silicon = (
        f"chip.{name}",
        "technology.arithmetic_area",
        "technology.flip_flop",
        "technology.memory_area",
    )
    memory = n_weights * mac.weight_bits
    return Bill(
        (
            Part(name, "macs", n_units, area, costs.leakage_of(area), silicon, "block"),
            Part(
                name, "weights", memory, costs.memory_area, costs.memory_leakage, silicon, "block"
            ),
        ),
        (
            Price(name, "macs", mac.energy(costs), logic),
            # every product reads its weight anew
            Price(
                name,
                "weight_bits_read",
                costs.memory_energy,
                logic,
                counted="macs",
                times=mac.weight_bits,
            ),
        ),
    )
