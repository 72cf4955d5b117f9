"""A chip as parts in order: what each does in an inference, and what it hands on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pimsim.chip import Chip
from pimsim.circuits.logic import Logic
from pimsim.timing.demand import (
    Demand,
    all_at_once,
    by_window,
    from_images,
    from_nothing,
    step_by_step,
)
from pimsim.timing.phases import Phase, digital_phases, tile_phases
from pimsim.workload import ENCODER, Conv2d, ConvEncoder, MaxPool

# tokens between a component and its link: two, so that each works while the other does
REGISTER = 2


@dataclass(frozen=True)
class Part:
    """One stage of the chip: its operations of one inference, and what it hands on.

    Attributes
    ----------
    name : str
    demand : Demand
    phases : tuple of Phase
    bits : int
        Of a token that it hands on.
    """

    name: str
    demand: Demand
    phases: tuple[Phase, ...]
    bits: int

    @property
    def cycles(self) -> int:
        """Of one operation."""
        return sum(phase.cycles * phase.repeats for phase in self.phases)


def chip_parts(chip: Chip, logic: Logic, n_steps: int, in_real_time: bool = False) -> list[Part]:
    """Stages of a chip in order: encoder, tiles, output unit.

    Parameters
    ----------
    chip : Chip
    logic : Logic
        Of the chip's technology.
    n_steps : int
        Time steps of a sequence; of no meaning for images.
    in_real_time : bool
        Whether the encoder waits for inputs, or always has them at hand.
    """
    config, network = chip.config, chip.network
    encoder = network.encoder
    macs = math.prod(encoder.weights.shape)
    unit = digital_phases("multiply", macs, config.input_encoder.macs_per_cycle)
    # what a neuron hands on
    code = config.slicing.activation_bits if config.has_converters else 1
    width = encoder.weights.shape[-1] * code
    side = 1
    if isinstance(encoder, ConvEncoder):
        side = network.shapes[ENCODER].places[0]
    if not in_real_time:
        inputs = from_nothing(n_steps if network.has_steps else side * side)
    elif network.has_steps:
        inputs = step_by_step(n_steps, emits_all=True)
    else:
        inputs = from_images(side * side)
    parts = [Part("encoder", inputs, unit, width)]
    pools: list[MaxPool] = []
    for index, (layer, tile) in enumerate(zip(network.layers, chip.tiles, strict=True)):
        if isinstance(layer, MaxPool):
            pools.append(layer)
            continue
        assert tile is not None
        if network.has_steps:
            demand = step_by_step(n_steps, emits_all=index < len(network.layers) - 1)
            width = tile.matrices[0].matrix.n_columns * code
        elif isinstance(layer, Conv2d):
            pooled = side
            for pool in pools:
                pooled = (pooled - pool.size) // pool.stride + 1
            side_out = (pooled + 2 * layer.padding - layer.kernel) // layer.stride + 1
            demand = by_window(side, pools, layer, side_out)
            side, pools, width = side_out, [], layer.matrix.n_columns * code
        else:
            demand = all_at_once(parts[-1].demand.emits)
            side, pools, width = 1, [], tile.matrices[0].matrix.n_columns * code
        parts.append(Part(tile.name, demand, tile_phases(tile, config, logic), width))
    macs = network.output.weights.size
    unit = digital_phases("multiply", macs, config.output_unit.macs_per_cycle)
    parts.append(Part("output", all_at_once(parts[-1].demand.emits), unit, 0))
    return parts
