"""Energy of every single operation of one inference, for traces."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip, Tile, program_tile
from pimsim.circuits.digital_mac import encoder_mac, output_mac
from pimsim.circuits.gru_logic import selection_energy
from pimsim.circuits.link import bit_energy
from pimsim.circuits.logic import Logic
from pimsim.circuits.word_line import raising_energy
from pimsim.timing.parts import Part
from pimsim.timing.phases import read_pulse
from pimsim.timing.trace import operation_bits

Energies = NDArray[np.float64]


def operation_energies(
    chip: Chip,
    logic: Logic,
    parts: list[Part],
    bits: Mapping[str, NDArray[np.uint8]],
    seed: int,
    chip_index: int,
) -> dict[str, Energies]:
    """Energy of each operation by stage, links included (n_operations,) [J].

    Parameters
    ----------
    bits : mapping of name -> (...) uint8
        Decisions of one inference on one chip.
    seed, chip_index
        Of the drawn chip, whose cells' currents count.

    Notes
    -----
    They add up to `pimsim.cost.energy.energy_account` of the same inference.
    """
    config, network = chip.config, chip.network
    times = {part.name: len(part.demand.operations) for part in parts}
    found = {}
    for name, unit, macs in (
        (
            "encoder",
            encoder_mac(network.encoder, config.input_encoder),
            math.prod(network.encoder.weights.shape),
        ),
        ("output", output_mac(network.output, config), network.output.weights.size),
    ):
        each = unit.energy(logic) + unit.weight_bits * logic.memory_energy
        found[name] = np.full(times[name], macs * each)
    for tile in chip.tiles:
        if tile is not None:
            found[tile.name] = _tile_energies(chip, tile, logic, bits, seed, chip_index)
    each_bit = bit_energy(config.link, logic)
    for part, following in pairwise(parts):
        tokens = part.demand.emits
        found[f"{part.name} to {following.name}"] = np.full(tokens, part.bits * each_bit)
    return found


def _tile_energies(
    chip: Chip,
    tile: Tile,
    logic: Logic,
    bits: Mapping[str, NDArray[np.uint8]],
    seed: int,
    chip_index: int,
) -> Energies:
    config, placed = chip.config, tile.placement
    lines = operation_bits(chip, tile, bits)
    drawn = program_tile(tile, seed, chip_index)
    on = lines["word_lines"].astype(np.float64)
    on = np.hstack([on, np.ones((len(on), drawn.n_always_on))])
    row = raising_energy(config.word_line_driver, config.array.columns) * placed.n_side_by_side
    energy = on.sum(axis=1) * row
    for part in tile.matrices:
        quanta = (drawn.plus + drawn.minus)[:, part.columns].sum(axis=1, dtype=np.float64)
        amperes = part.cell.full_scale_current / part.read_out.full_scale_quanta
        energy += on @ quanta * amperes * read_pulse(tile, config) * config.bit_line.supply
    energy += placed.n_pairs * config.amplifier.energy_per_decision
    if "hidden" in lines:
        hidden = lines["hidden"].astype(np.int64)
        flips = np.abs(np.diff(hidden, axis=0, prepend=0)).sum(axis=1)
        energy += hidden.shape[1] * selection_energy(config.hidden_logic, logic)
        energy += flips * logic.flip_flop_energy
    return np.asarray(energy)
