"""Normalisation of speech before the input layer: by the whole clip, or by running means."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.digital_mac import RANDOM_FLIPS
from pimsim.circuits.logic import LogicCosts
from pimsim.config.chip import Power
from pimsim.workload.inputs.running import FRACTION, RECIPROCAL

NAME = "front_end"
_SUMS = ("chip.front_end", "technology.arithmetic")
_LOGIC = ("chip.front_end", "technology.arithmetic_area", "technology.logic_area")
_FLIPS = ("chip.front_end", "technology.flip_flop")
_CLOCK = ("chip.clock", "technology.clock_tree")
_HELD = ("chip.front_end", "technology.memory_area", "chip.power")
_READ = ("chip.front_end", "technology.memory_read")


@dataclass(frozen=True)
class Frames:
    """Frames of a clip.

    Attributes
    ----------
    n_steps, n_bands : int
    band_bits : int
        Bits of a band: 8 of a pixel, and those of an average of frames behind the point.
    """

    n_steps: int
    n_bands: int
    band_bits: int

    @property
    def level_bits(self) -> int:
        """Bits of the sum over the bands of a frame."""
        return self.band_bits + math.ceil(math.log2(self.n_bands))


@dataclass(frozen=True)
class _Unit:
    """Adders, multipliers by constants, and registers of a unit, and how often each is used.

    Attributes
    ----------
    band_sums : int
        Bits of the adders that a band passes, of which `lanes` bands have their own.
    frame_sums, frame_products : int
        Bits of adders, and of multipliers by constants, that a frame passes.
    registers : dict of name -> (bits, writes)
        Bits of each group of registers, and how often they are written in an inference.
    """

    frames: Frames
    lanes: int
    band_sums: int
    frame_sums: int
    frame_products: int
    registers: dict[str, tuple[int, int]]

    def bill(self, costs: LogicCosts, power: Power) -> Bill:
        """Parts and prices; an operand's bits are random, as those of the input encoder are."""
        steps, bands = self.frames.n_steps, self.frames.n_steps * self.frames.n_bands
        sums = self.lanes * self.band_sums + self.frame_sums
        area = sums * costs.sum_area + self.frame_products * costs.product_area
        written = sum(bits * writes for bits, writes in self.registers.values())
        of_band = self.band_sums * costs.sum_energy
        of_frame = self.frame_sums * costs.sum_energy + self.frame_products * costs.product_energy
        flip = RANDOM_FLIPS * costs.flip_flop_energy
        bit = costs.flip_flop_area
        adders = Part(
            NAME, "adders", 1, area, costs.leakage_of(area), _LOGIC, "block", is_logic=True
        )
        registers = [
            Part(
                NAME, name, bits, bit, costs.leakage_of(bit), _LOGIC, "block",
                flip_flops=1, is_logic=True, asleep=power.retention,
            )
            for name, (bits, _) in self.registers.items()
        ]  # fmt: skip
        return Bill(
            (adders, *registers),
            (
                Price(NAME, "bands", of_band, _SUMS, per_inference=bands),
                Price(NAME, "frames", of_frame, _SUMS, per_inference=steps),
                Price(NAME, "bits_written", flip, _FLIPS, per_inference=written),
                # the clock reaches a register only when it is written
                Price(
                    "clock", "flip_flop_cycles", costs.clock_energy, _CLOCK, per_inference=written
                ),
            ),
        )


def running_bill(
    frames: Frames, lanes: int, costs: LogicCosts, power: Power, delay: int = 0
) -> Bill:
    """Running level and means (`pimsim.workload.Running`).

    Parameters
    ----------
    lanes : int
        Bands that are worked on in a cycle.
    delay : int
        Frames that wait, in a memory whose words hold as many bands as are worked on in a cycle.

    Notes
    -----
    A frame is held until its level is known: its bands come, and their sum is accumulated.  Each
    band then passes three adders: x - m, the new m, and the difference of both with g - L added.
    Once in a frame the sum is multiplied by 1 / n_bands, L decays and is compared, g moves, and
    g - L is taken.
    """
    number = 8 + FRACTION
    band_sums = frames.level_bits + 3 * (number + 1)
    reciprocal = RECIPROCAL - math.floor(math.log2(frames.n_bands))
    steps, passes = frames.n_steps, math.ceil(frames.n_bands / lanes)
    unit = _Unit(
        frames,
        lanes,
        band_sums,
        frame_sums=2 * number + 3 * (number + 1),
        frame_products=frames.level_bits * reciprocal,
        registers={
            "means": (frames.n_bands * number, steps),
            "frame": (frames.n_bands * frames.band_bits, steps),
            "level and its mean": (2 * number, steps),
            "sum": (frames.level_bits, steps * passes),
        },
    )
    known, waiting = unit.bill(costs, power), delay * frames.n_bands
    if not delay:
        return known
    memory, reads = _memory("waiting", waiting, frames, lanes, costs, power)
    return Bill((*known.parts, memory), (*known.prices, reads))


def _memory(
    name: str, bands: int, frames: Frames, lanes: int, costs: LogicCosts, power: Power
) -> tuple[Part, Price]:
    """Memory of so many bands; each band of an inference is written and read once."""
    each = costs.memory_energy(math.ceil(bands / lanes))
    moved = 2 * frames.n_steps * frames.n_bands * frames.band_bits
    return (
        Part(
            NAME, name, bands * frames.band_bits, costs.memory_area, costs.memory_leakage, _HELD,
            "block", asleep=power.retention,
        ),
        # a bit is written at the price of reading it
        Price(NAME, f"{name}_bits", each, _READ, per_inference=moved),
    )  # fmt: skip


def clip_bill(frames: Frames, lanes: int, costs: LogicCosts, power: Power) -> Bill:
    """Level and means of a whole clip, which is held until it has ended.

    Notes
    -----
    Each band is written into a memory, and added to its frame's sum and to its own sum over the
    clip; sums of frames are compared.  When the clip has ended each band is read, and its mean
    and the level are taken off.  Once in a clip each band's sum is multiplied by 1 / n_steps; the
    memory's words hold as many bands as are worked on in a cycle.
    """
    number = 8 + FRACTION
    clip_bits = frames.band_bits + math.ceil(math.log2(max(2, frames.n_steps)))
    steps, bands = frames.n_steps, frames.n_steps * frames.n_bands
    unit = _Unit(
        frames,
        lanes,
        band_sums=frames.level_bits + clip_bits + 2 * (number + 1),
        frame_sums=frames.level_bits,
        frame_products=0,
        registers={
            "means": (frames.n_bands * max(clip_bits, number), steps),
            "level": (frames.level_bits, steps),
            "sum": (frames.level_bits, steps * math.ceil(frames.n_bands / lanes)),
        },
    )
    product = clip_bits * (RECIPROCAL - math.floor(math.log2(max(2, steps))))
    divider = product * costs.product_area
    known = unit.bill(costs, power)
    memory, reads = _memory("clip", bands, frames, lanes, costs, power)
    return Bill(
        (
            *known.parts,
            Part(NAME, "multiplier", 1, divider, costs.leakage_of(divider), _LOGIC, "block",
                 is_logic=True),
            memory,
        ),
        (
            *known.prices,
            Price(NAME, "means", product * costs.product_energy, _SUMS,
                  per_inference=frames.n_bands),
            reads,
        ),
    )  # fmt: skip
