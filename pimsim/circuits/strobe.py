"""Strobes: digital signals that begin a phase of a read in many circuits at once."""

from __future__ import annotations

import math

from pimsim.circuits.lines import Lines
from pimsim.circuits.logic import LogicCosts

# best load of a stage over its own size (Sutherland, Sproull, Harris, Logical Effort; `fopt` of
# CACTI, const.h)
FAN_OUT = 4
# a row is gated by its strobe
_GATED = 1
# two stages of a level shifter, pulled up one after the other (NeuroSIM, LevelShifter.cpp)
_SHIFTER = 2
# of an inverter, the p-type transistor is twice as wide as the n-type, as usual
_BOTH_TYPES = 3
# each stage is a fourth of the next one: 1 + 1/4 + 1/16 ... = 4/3
_WITH_STAGES_AHEAD = FAN_OUT / (FAN_OUT - 1)


def stages(load: float) -> int:
    """Stages of gates, each four times as large as the one before, up to a load of so many."""
    return max(0, math.ceil(math.log(load, FAN_OUT) - 1e-9))


def strobe_delay(n: int, costs: LogicCosts) -> float:
    """Delay of a strobe through the tree of gates that hands it to `n` circuits [s]."""
    return stages(n) * costs.gate_delay


def strobe_energy(lines: Lines, n: int, costs: LogicCosts) -> float:
    """Energy of a strobe that reaches `n` circuits, up and down [J]: C V^2.

    A smallest gate stands before each circuit, and the tree ahead of them adds a third to it.
    """
    capacitance = n * _smallest_gate(lines) * _WITH_STAGES_AHEAD
    return capacitance * costs.supply**2


def driver_width(lines: Lines) -> float:
    """Width of a word line's driver, in smallest transistors."""
    return lines.technology.transistor.on_resistance / lines.config.word_line_driver.resistance


def driver_capacitance(lines: Lines) -> float:
    """Capacitance of gates and drains of a word line's driver and of the stages ahead of it [F]."""
    return driver_width(lines) * _smallest_gate(lines) * _WITH_STAGES_AHEAD


def _smallest_gate(lines: Lines) -> float:
    """Capacitance of gate and drain of an inverter of smallest transistors [F]."""
    transistor = lines.technology.transistor
    return _BOTH_TYPES * (transistor.gate_capacitance + transistor.drain_capacitance)


def start_delay(lines: Lines, n_rows: int, costs: LogicCosts) -> float:
    """Delay from the edge that takes an input in to the driver of its word line [s].

    The input's register, the strobe's way to all rows, the gate of a row, stages up to the size of
    its driver, and a level shifter where word lines go beyond the supply of the logic.
    """
    gates = stages(n_rows) + _GATED + stages(driver_width(lines))
    if lines.word_line_voltage > costs.supply * (1 + 1e-9):
        gates += _SHIFTER
    return costs.flip_flop_delay + gates * costs.gate_delay
