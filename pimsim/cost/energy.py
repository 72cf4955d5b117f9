"""Energy of a run: counted actions times the energy of each."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.chip import Chip, Tile
from pimsim.circuits.bit_line import settling_time
from pimsim.circuits.word_line import raising_energy, word_line_delay
from pimsim.config.chip import ChipConfig
from pimsim.simulate import ActionCounts
from pimsim.timing.schedule import Part


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


def pulse(tile: Tile, config: ChipConfig) -> float:
    """How long the current of a read flows [s].

    Notes
    -----
    Word lines stay up until the last decision of the columns that share an amplifier;
    the pulse is timed by the circuits, not by the clock.
    """
    amplifier = config.sense_amplifier
    up = word_line_delay(
        config.word_line_driver, config.array.columns, config.bit_line.settling_error
    )
    settled = settling_time(
        config.bit_line, tile.placement.rows_on_bit_line, amplifier.input_capacitance
    )
    return up + settled + amplifier.decision_time * amplifier.columns_per_amplifier


def energy_account(
    chip: Chip, counts: ActionCounts, parts: list[Part], inferences: int
) -> list[Item]:
    """Energy of everything that was counted.

    Parameters
    ----------
    chip : Chip
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
            each = amperes * pulse(tile, config) * config.bit_line.supply
            account.append(Item("array", part.name, counts.drawn.get(part.name, 0), each))
    for component, action, each in (
        ("sense_amplifier", "decisions", config.sense_amplifier.energy_per_decision),
        ("gru_logic", "selections", config.gru_logic.energy_per_selection),
        ("gru_logic", "register_flips", config.gru_logic.energy_per_flip),
        ("input_encoder", "macs", config.input_encoder.energy_per_mac),
        ("output_unit", "macs", config.output_unit.energy_per_mac),
    ):
        account.append(Item(component, action, counts.get(component, action), each))
    bits = inferences * sum(part.demand.emits * part.bits for part in parts[:-1])
    account.append(Item("link", "bits", bits, config.link.energy_per_bit))
    return [item for item in account if item.count]
