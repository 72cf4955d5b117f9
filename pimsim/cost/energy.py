"""Energy of a run: counted actions times the energy of each."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.chip import Chip
from pimsim.circuits.adc import adc_cost
from pimsim.circuits.bit_line import drawn_energy
from pimsim.circuits.digital_mac import encoder_mac, output_mac
from pimsim.circuits.gru_logic import selection_energy
from pimsim.circuits.link import bit_energy
from pimsim.circuits.logic import Logic
from pimsim.circuits.shift_and_add import addition_energy, offset_energy
from pimsim.circuits.word_line import raising_energy
from pimsim.config.chip import ChipConfig
from pimsim.cost.area import accumulator_bits, count_bits, weight_bits
from pimsim.simulate import ActionCounts
from pimsim.timing.parts import Part
from pimsim.timing.phases import read_pulse
from pimsim.timing.schedule import Timing


@dataclass(frozen=True)
class Item:
    """One line of an energy account.

    Attributes
    ----------
    component, action : str
    count : float
        How often, in all.
    each : float
        Energy of one [J].
    """

    component: str
    action: str
    count: float
    each: float

    @property
    def energy(self) -> float:
        """Of all [J]."""
        return self.count * self.each


def energy_account(
    chip: Chip,
    logic: Logic,
    counts: ActionCounts,
    parts: list[Part],
    inferences: int,
) -> list[Item]:
    """Energy of everything that was counted.

    Parameters
    ----------
    chip : Chip
    logic : Logic
        Of the chip's technology.
    counts : ActionCounts
        Of all chips and sequences together.
    parts : list of Part
        What each component hands on in one inference.
    inferences : int
        Chips x sequences.

    Notes
    -----
    The array's energy is the charge that the programmed cells of driven rows really draw,
    times the supply of the bit lines: sum of I t V (contract, section 5).
    """
    config = chip.config
    account = [
        Item(
            "word_line_driver",
            "rows_driven",
            counts.get("word_line_driver", "rows_driven"),
            raising_energy(config.word_line_driver, config.array.columns),
        )
    ]
    for tile in chip.tiles:
        for part in () if tile is None else tile.matrices:
            assert tile is not None
            amperes = part.cell.full_scale_current / part.read_out.full_scale_quanta
            each = drawn_energy(amperes, read_pulse(tile, config), config.bit_line.supply)
            account.append(Item("array", part.name, counts.drawn.get(part.name, 0), each))
    actions = _of_numbers(chip, logic) if config.has_converters else _of_bits(config, logic)
    for component, action, each in actions:
        account.append(Item(component, action, counts.get(component, action), each))
    for component, unit in (
        ("input_encoder", encoder_mac(chip.network.encoder, config.input_encoder)),
        ("output_unit", output_mac(chip.network.output, config)),
    ):
        macs = counts.get(component, "macs")
        account.append(Item(component, "macs", macs, unit.energy(logic)))
        # every product reads its weight anew
        account.append(
            Item(component, "weight_bits_read", macs * unit.weight_bits, logic.memory_energy)
        )
    bits = inferences * sum(part.demand.emits * part.bits for part in parts[:-1])
    account.append(Item("link", "bits", bits, bit_energy(config.link, logic)))
    return [item for item in account if item.count]


def _of_bits(config: ChipConfig, logic: Logic) -> list[tuple[str, str, float]]:
    """Component, action and energy of a read-out by sense amplifiers."""
    return [
        ("sense_amplifier", "decisions", config.amplifier.energy_per_decision),
        ("gru_logic", "selections", selection_energy(config.hidden_logic, logic)),
        ("gru_logic", "register_flips", logic.flip_flop_energy),
    ]


def _of_numbers(chip: Chip, logic: Logic) -> list[tuple[str, str, float]]:
    """The same by converters; all tiles have the widest one's accumulators."""
    config = chip.config
    tiles = [tile for tile in chip.tiles if tile is not None]
    width = max(accumulator_bits(config, tile) for tile in tiles)
    stored = max(weight_bits(config, tile) for tile in tiles)
    each = config.activations.energy_per_activation
    # G H + (1 - G) C is two products and a sum of the activations' bits
    bits = config.slicing.activation_bits
    mix = 2 * bits**2 * logic.product_energy + 2 * bits * logic.sum_energy
    return [
        ("adc", "conversions", adc_cost(config.converter.cost, config.converter.bits).energy),
        ("shift_and_add", "sums", addition_energy(width, logic)),
        ("shift_and_add", "offsets",
         offset_energy(width, count_bits(config), stored, logic)),
        ("activation_unit", "activations", each),
        ("activation_unit", "mixes", mix),
        ("input_encoder", "activations", each),
    ]  # fmt: skip


def standing_account(
    config: ChipConfig, timing: Timing, leakage: float, inferences: int
) -> list[Item]:
    """What time costs: leakage while awake and asleep, and waking.

    Parameters
    ----------
    leakage : float
        Of the chip that is awake [W].

    Notes
    -----
    Of leakage, a count is a second.
    """
    power = config.power
    account = [
        Item("leakage", "awake", inferences * timing.awake_s, leakage),
        Item("leakage", "asleep", inferences * timing.asleep_s, leakage * power.sleep_leakage),
        Item("power", "wakes", inferences * timing.wakes, power.energy_per_wake),
    ]
    return [item for item in account if item.count]
