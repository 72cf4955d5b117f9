"""Fixed-point MAC units of the real-valued layers: input encoder and output layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.circuits.bill import Action, Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.config.chip import InputEncoder, OutputUnit, Power
from pimsim.errors import MappingError
from pimsim.workload.ends import Encoder, Output

# part of a unit that holds its weights
WEIGHTS = "weights"
# half of an accumulator's or operand register's bits flip at each step: operands are taken as
# random, as the published energies of multipliers and adders take them
RANDOM_FLIPS = 0.5


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
        """Energy of a multiply-accumulate with its accumulator, operands at hand [J]."""
        each = costs.sum_energy + RANDOM_FLIPS * costs.flip_flop_energy
        return self.product_bits * costs.product_energy + self.sum_bits * each

    def area(self, costs: LogicCosts) -> float:
        """Area of multiplier, adder and accumulator [m2]."""
        return self.product_bits * costs.product_area + self.sum_bits * (
            costs.sum_area + costs.flip_flop_area
        )


@dataclass(frozen=True)
class MacArray:
    """Multiply-accumulators that share what they read: weights over frames, inputs over outputs.

    Attributes
    ----------
    name : str
    mac : MacUnit
    n_inputs, n_outputs : int
        Of the layer's matrix.
    outputs_at_once, frames_at_once : int
        Multiply-accumulators: the product of both.
    holds_inputs : bool
        Whether it has a memory of its own for the frames that are worked on and those that come.
    """

    name: str
    mac: MacUnit
    n_inputs: int
    n_outputs: int
    outputs_at_once: int
    frames_at_once: int = 1
    holds_inputs: bool = False

    @property
    def n_weights(self) -> int:
        return self.n_inputs * self.n_outputs

    @property
    def cycles(self) -> int:
        """Cycles for a group of frames; each reads a word of the weights' memory."""
        return -(-self.n_weights // self.outputs_at_once)

    @property
    def input_words(self) -> int:
        """Words of the inputs' memory, each with an input of all frames of a group: two groups."""
        return 2 * self.n_inputs

    def actions(self, frames: Any, groups: Any) -> list[Action]:
        """Actions for some frames, in numbers or in arrays with one number for each operation."""
        passes = -(-self.n_outputs // self.outputs_at_once)
        found = [
            Action(self.name, "macs", frames * self.n_weights),
            Action(self.name, "weight_bits_read", groups * self.n_weights * self.mac.weight_bits),
        ]
        if self.holds_inputs:
            read = frames * passes * self.n_inputs * self.mac.input_bits
            found.append(Action(self.name, "input_bits_read", read))
        return found

    def bill(self, costs: LogicCosts, power: Power, *, gathers: bool = False) -> Bill:
        """Multiply-accumulators, registers of their operands, and memories.

        Parameters
        ----------
        gathers : bool
            Whether frames of a group come one by one, and the chip may sleep between them.
        """
        name, mac = self.name, self.mac
        energy = (f"chip.{name}", "technology.arithmetic", "technology.flip_flop")
        silicon = (f"chip.{name}", "technology.arithmetic_area", "technology.logic_area")
        reading = (f"chip.{name}", "technology.memory_read", "technology.flip_flop")
        held = (f"chip.{name}", "technology.memory_area", "chip.power")
        n_macs = self.outputs_at_once * self.frames_at_once
        operands = self.outputs_at_once * mac.weight_bits
        operands += self.frames_at_once * mac.input_bits if self.holds_inputs else 0
        bit, area = costs.flip_flop_area, mac.area(costs)
        kept = power.retention if power.weights == "retain" else 0.0

        def memory(where: str, bits: int, asleep: float) -> Part:
            return Part(
                name, where, bits, costs.memory_area, costs.memory_leakage, held, "block",
                asleep=asleep, is_volatile=where == WEIGHTS,
            )  # fmt: skip

        def logic(where: str, count: int, each: float, flip_flops: int) -> Part:
            return Part(
                name, where, count, each, costs.leakage_of(each), silicon, "block",
                flip_flops=flip_flops, is_logic=True,
            )  # fmt: skip

        def read(action: str, words: int) -> Price:
            each = costs.memory_energy(words) + RANDOM_FLIPS * costs.flip_flop_energy
            return Price(name, action, each, reading)

        parts = [
            logic("macs", n_macs, area, mac.sum_bits),
            logic("operands", operands, bit, 1),
            memory(WEIGHTS, self.n_weights * mac.weight_bits, kept),
        ]
        prices = [
            Price(name, "macs", mac.energy(costs), energy),
            read("weight_bits_read", self.cycles),
        ]
        if self.holds_inputs:
            bits = self.input_words * self.frames_at_once * mac.input_bits
            parts.append(memory("inputs", bits, power.retention if gathers else 0.0))
            prices.append(read("input_bits_read", self.input_words))
        return Bill(tuple(parts), tuple(prices))


def encoder_macs(encoder: Encoder, unit: InputEncoder) -> MacArray:
    """Multiply-accumulators of the input encoder."""
    n_inputs = math.prod(encoder.weights.shape[:-1])
    return MacArray(
        "input_encoder",
        MacUnit(unit.input_bits, unit.weight_bits, n_inputs),
        n_inputs,
        encoder.weights.shape[-1],
        unit.outputs_at_once,
        unit.frames_at_once,
        holds_inputs=True,
    )


def output_macs(output: Output, unit: OutputUnit, input_bits: int) -> MacArray:
    """Multiply-accumulators of the output unit; inputs are bits or codes of the link's buffer."""
    n_inputs, n_outputs = output.weights.shape
    mac = MacUnit(input_bits, unit.weight_bits, n_inputs)
    return MacArray("output_unit", mac, n_inputs, n_outputs, unit.macs_per_cycle)
