"""Phases of an operation: what the circuits need, and the whole cycles that they get."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pimsim.chip import Tile
from pimsim.circuits.bit_line import settling_time
from pimsim.circuits.gru_logic import write_delay
from pimsim.circuits.link import transfer_delay
from pimsim.circuits.logic import Logic
from pimsim.circuits.word_line import word_line_delay
from pimsim.config.chip import ChipConfig


@dataclass(frozen=True)
class Phase:
    """Part of an operation of a tile: what the circuit needs, and the cycles that it gets.

    `repeats` counts the columns that share a sense amplifier, decided one after the other, and
    with converters the input bits.
    """

    name: str
    seconds: float
    cycles: int
    repeats: int = 1


def cycles_of(seconds: float, clock: float) -> int:
    """Whole cycles that a delay takes; none for no delay at all."""
    # a delay that is a whole number of periods but for rounding takes just these
    return math.ceil(seconds * clock * (1 - 1e-12))


def integration_time(tile: Tile, config: ChipConfig) -> float:
    """Time that word lines and bit lines get: what the chip file says, else what they need [s]."""
    if config.bit_line.integration_time is not None:
        return config.bit_line.integration_time
    return needed_time(tile, config)


def needed_time(tile: Tile, config: ChipConfig) -> float:
    """Time until word lines are up and bit lines have settled [s]."""
    return word_line_delay(
        config.word_line_driver, config.array.columns, config.bit_line.settling_error
    ) + settling_time(
        config.bit_line,
        tile.placement.rows_on_bit_line,
        config.input_capacitance,
    )


def read_pulse(tile: Tile, config: ChipConfig) -> float:
    """How long the current of a read flows [s].

    Notes
    -----
    Word lines stay up until the last decision of the columns that share an amplifier;
    the pulse is timed by the circuits, not by the clock.
    """
    if config.has_converters:
        # sampled: the line need not wait for the conversions
        return integration_time(tile, config)
    amplifier = config.amplifier
    decisions = amplifier.decision_time * amplifier.columns_per_amplifier
    return integration_time(tile, config) + decisions


def tile_phases(tile: Tile, config: ChipConfig, logic: Logic) -> tuple[Phase, ...]:
    """Offset cancelling, word lines and integration, decision, multiplexer and register.

    With converters, lines are sampled for every bit of the inputs, and the columns that share
    a converter are converted in turn while the next bit is integrated only afterwards.
    """
    if config.has_converters:
        return _converter_phases(tile, config)
    amplifier, clock = config.amplifier, config.clock.frequency
    found = (
        ("cancel", amplifier.cancelling_time, 1),
        ("integrate", integration_time(tile, config), 1),
        ("decide", amplifier.decision_time, amplifier.columns_per_amplifier),
        ("write", write_delay(config.hidden_logic, logic), 1),
    )
    return tuple(Phase(name, s, cycles_of(s, clock), n) for name, s, n in found)


def _converter_phases(tile: Tile, config: ChipConfig) -> tuple[Phase, ...]:
    clock, adc, bits = config.clock.frequency, config.converter, config.slicing.activation_bits
    lookups = -(-tile.n_outputs // config.activations.units)
    settled = integration_time(tile, config)
    return (
        Phase("integrate", settled, cycles_of(settled, clock), bits),
        Phase(
            "convert",
            adc.conversion_time,
            cycles_of(adc.conversion_time, clock),
            bits * adc.columns_per_adc,
        ),
        # lookup and mixing are pipelined to the clock: their cycles are given
        Phase("activate", 0.0, lookups),
    )


def link_phase(config: ChipConfig, logic: Logic) -> Phase:
    """One word over a link."""
    delay = transfer_delay(config.link, logic)
    return Phase("transfer", delay, cycles_of(delay, config.clock.frequency))


def digital_phases(name: str, macs: int, macs_per_cycle: int) -> tuple[Phase, ...]:
    # a digital unit is pipelined to the clock: its cycles are given, not its delay
    return (Phase(name, 0.0, -(-macs // macs_per_cycle)),)
