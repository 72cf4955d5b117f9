"""Area of a chip, and what leaks there: components times the area of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pimsim.chip import Chip, Tile
from pimsim.circuits.adc import adc_cost
from pimsim.circuits.digital_mac import MacUnit, encoder_mac, output_mac
from pimsim.circuits.gru_logic import hidden_bit_area
from pimsim.circuits.logic import Logic
from pimsim.circuits.shift_and_add import adder_area, offset_area, sum_bits
from pimsim.config.chip import ChipConfig
from pimsim.mapping import stored_bits
from pimsim.timing.parts import REGISTER, Part
from pimsim.workload.layers import Gru

WIRING = "wiring"


@dataclass(frozen=True)
class AreaItem:
    """One line of an area account.

    Attributes
    ----------
    component, part : str
        As in the account of energy; where it stands.
    count : int
    each : float
        Area of one [m2].
    leakage : float
        Of one [W].
    """

    component: str
    part: str
    count: int
    each: float
    leakage: float = 0.0

    @property
    def area(self) -> float:
        """Of all [m2]."""
        return self.count * self.each


def area_account(chip: Chip, logic: Logic, parts: list[Part]) -> list[AreaItem]:
    """Everything that a chip is made of, wiring last.

    Parameters
    ----------
    chip : Chip
    logic : Logic
        Of the chip's technology.
    parts : list of Part
        The chip's stages, between which there are links and buffers.

    Notes
    -----
    Cells do not leak: their word lines are down.  Logic leaks as the gates that fit into its
    area, which is ours.
    """
    account = [item for item in _components(chip, logic, parts) if item.count]
    covered = sum(item.area for item in account)
    spacing = covered * (1 / chip.config.layout.utilisation - 1)
    return [*account, AreaItem(WIRING, "between components", 1, spacing)]


def leakage(account: list[AreaItem]) -> float:
    """Leakage of a whole chip that is awake [W]."""
    return sum(item.count * item.leakage for item in account)


def _components(chip: Chip, logic: Logic, parts: list[Part]) -> Iterator[AreaItem]:
    for tile in chip.tiles:
        if tile is not None:
            yield from tile_items(chip, tile, logic)
    encoder, output = chip.network.encoder, chip.network.output
    unit, last = chip.config.input_encoder, chip.config.output_unit
    yield from _digital(
        "input_encoder",
        encoder_mac(encoder, unit),
        unit.macs_per_cycle,
        encoder.weights.size,
        logic,
    )
    yield from _digital(
        "output_unit",
        output_mac(output, chip.config),
        last.macs_per_cycle,
        output.weights.size,
        logic,
    )
    link, bit = chip.config.link, logic.flip_flop_area
    leak = logic.leakage_of(bit)
    for part, following in pairwise(parts):
        name = f"{part.name} to {following.name}"
        yield AreaItem("link", name, link.width * link.latency, bit, leak)
        tokens = REGISTER + following.demand.most_held + link.spare_tokens
        yield AreaItem("buffer", name, tokens * part.bits, bit, leak)


def tile_items(chip: Chip, tile: Tile, logic: Logic) -> list[AreaItem]:
    """What a tile is made of."""
    array, config, placed = chip.config.array, chip.config, tile.placement
    driver = config.word_line_driver.area_in_gates * logic.gate_area
    items = [
        AreaItem("array", tile.name, placed.n_arrays * array.rows * array.columns,
                 chip.device.cell.area),
        AreaItem("word_line_driver", tile.name, placed.n_arrays * array.rows, driver,
                 logic.leakage_of(driver)),
    ]  # fmt: skip
    if config.has_converters:
        return [*items, *_converter_items(chip, tile, logic)]
    amplifier = config.amplifier
    pairs = placed.n_side_by_side * (array.columns // 2)
    items += [
        AreaItem("bit_line", tile.name, placed.n_side_by_side * array.columns,
                 config.bit_line.load_area),
        AreaItem("sense_amplifier", tile.name, -(-pairs // amplifier.columns_per_amplifier),
                 amplifier.area, logic.leakage_of(amplifier.area)),
    ]  # fmt: skip
    layer = chip.network.layers[tile.index]
    if isinstance(layer, Gru):
        hidden, bit = layer.gate.n_columns, hidden_bit_area(config.hidden_logic, logic)
        return [*items, AreaItem("gru_logic", tile.name, hidden, bit, logic.leakage_of(bit))]
    return [*items, _register(tile, placed.n_pairs, logic)]


def _register(tile: Tile, bits: int, logic: Logic) -> AreaItem:
    area = logic.flip_flop_area
    return AreaItem("register", tile.name, bits, area, logic.leakage_of(area))


def _converter_items(chip: Chip, tile: Tile, logic: Logic) -> list[AreaItem]:
    """Every array has loads and converters of its own: sums of arrays are added as numbers."""
    config, placed = chip.config, tile.placement
    adc, columns = config.converter, config.array.columns
    converters = placed.n_arrays * -(-(columns // placed.lines_each) // adc.columns_per_adc)
    each = adc_cost(adc.cost, adc.bits).area
    adder = adder_area(accumulator_bits(config, tile), logic)
    if config.has_offset:
        adder += offset_area(count_bits(config), weight_bits(config, tile), logic)
    units = config.activations
    return [
        AreaItem("bit_line", tile.name, placed.n_arrays * columns, config.bit_line.load_area),
        AreaItem("adc", tile.name, converters, each, logic.leakage_of(each)),
        AreaItem("shift_and_add", tile.name, converters, adder, logic.leakage_of(adder)),
        AreaItem("activation_unit", tile.name, units.units, units.area,
                 logic.leakage_of(units.area)),
        _register(tile, tile.n_outputs * config.slicing.activation_bits, logic),
    ]  # fmt: skip


def accumulator_bits(config: ChipConfig, tile: Tile) -> int:
    """Width of a tile's shift-and-add."""
    return sum_bits(
        config.converter.bits,
        weight_bits(config, tile),
        config.slicing.activation_bits,
        tile.placement.n_stacked,
    )


def count_bits(config: ChipConfig) -> int:
    """Bits of a unit column's code, added up over the input bits."""
    return config.converter.bits + config.slicing.activation_bits


def weight_bits(config: ChipConfig, tile: Tile) -> int:
    """Bits of a tile's weights as their cells hold them."""
    return max(stored_bits(part.matrix, has_offset=config.has_offset) for part in tile.matrices)


def _digital(
    name: str, unit: MacUnit, n_units: int, n_weights: int, logic: Logic
) -> Iterator[AreaItem]:
    area = unit.area(logic)
    yield AreaItem(name, "macs", n_units, area, logic.leakage_of(area))
    bits = n_weights * unit.weight_bits
    yield AreaItem(name, "weights", bits, logic.memory_area, logic.memory_leakage)
