"""Comparators with fixed limits: numbers of a few bits to thermometer bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.circuits.bill import Action, Bill, Part, Price, total
from pimsim.circuits.clock import clocked
from pimsim.circuits.digital_mac import RANDOM_FLIPS
from pimsim.circuits.logic import LogicCosts
from pimsim.config.chip import Thermometer

# name of the unit in reports
NAME = "thermometer"


@dataclass(frozen=True)
class Comparators:
    """Digital comparators, of which each has its limit built into its gates.

    Features arrive a few at a time and are registered. Gates pass each on to the comparators of its
    own channel alone, so that others stand still, and their bits are clocked into a register that
    holds a whole frame.

    Attributes
    ----------
    block : Thermometer
    n_bits, n_channels : int
        Comparators, and channels that any of them looks at.
    """

    block: Thermometer
    n_bits: int
    n_channels: int

    @property
    def words(self) -> int:
        """Cycles in which the features of a frame arrive."""
        return -(-self.n_channels // self.block.features_per_cycle)

    @property
    def lanes(self) -> int:
        """Features that arrive at once."""
        return min(self.n_channels, self.block.features_per_cycle)

    def delay(self, costs: LogicCosts) -> float:
        """Time from a register through gates that ripple from bit to bit to the next one [s]."""
        gates = 1 + self.block.input_bits
        return gates * costs.gate_delay + costs.flip_flop_delay

    def actions(self, frames: int, flips: int) -> list[Action]:
        """Actions for some frames; `flips` bits of the register changed."""
        return [
            Action(NAME, "features", frames * self.n_channels),
            Action(NAME, "comparisons", frames * self.n_bits),
            Action(NAME, "register_flips", flips),
        ]

    def bill(self, costs: LogicCosts, frames: int, cycles: int) -> Bill:
        """Comparators, gates before them, registers of features and of bits, and their clock.

        Parameters
        ----------
        frames : int
            Frames of an inference; each clocks the bits once, as their features come.
        cycles : int
            Cycles of a frame.
        """
        block = self.block
        block_of = f"chip.{NAME}"
        silicon, gate = (block_of, "technology.logic_area"), (block_of, "technology.gate")
        flip_flop = (block_of, "technology.flip_flop")

        def logic(where: str, count: int, each: float, flip_flops: int = 0) -> Part:
            return Part(
                NAME, where, count, each, costs.leakage_of(each), silicon, "block",
                flip_flops=flip_flops, is_logic=True,
            )  # fmt: skip

        of_gates = block.gates_per_bit * block.input_bits
        of_lane = block.gates_per_input_bit * block.input_bits
        arriving = block.input_bits * RANDOM_FLIPS * costs.flip_flop_energy
        parts = (
            logic("comparators", self.n_bits, of_gates * costs.gate_area),
            logic("gates of channels", self.n_channels, of_lane * costs.gate_area),
        )
        prices = (
            Price(NAME, "features", arriving + of_lane * costs.gate_energy, (*gate, flip_flop[1])),
            Price(NAME, "comparisons", of_gates * costs.gate_energy, gate),
            Price(NAME, "register_flips", costs.flip_flop_energy, flip_flop),
        )
        # a ring of flip-flops tells which channels have their turn
        bit = costs.flip_flop_area
        arrival = logic("features", self.lanes * block.input_bits, bit, 1)
        turns = logic("turns", self.words, bit, 1)
        register = logic("bits", self.n_bits, bit, 1)
        return total(
            [
                Bill(parts, prices),
                clocked(Bill((arrival, turns)), frames * cycles, costs),
                clocked(Bill((register,)), frames, costs),
            ]
        )


def rounded(inputs: NDArray[np.float64], step: float, bits: int) -> NDArray[np.float64]:
    """Inputs as the numbers of few bits that comparators see: rounded up, and saturated.

    Rounded up, a number is above a limit that is such a number just where the input is: comparators
    with such limits make no error, and any other one acts as the next lower number.
    """
    top = 2.0 ** (bits - 1)
    return np.asarray(np.clip(np.ceil(inputs / step), -top, top - 1) * step)
