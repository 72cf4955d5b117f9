"""Phases of an operation: the time that a circuit needs, and the whole cycles that it gets."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """A step of an operation.

    Attributes
    ----------
    name : str
    seconds : float
        Time that the circuit needs; 0 for a unit that is pipelined to the clock.
    cycles : int
        Whole cycles that it gets.
    rests_on : tuple of str
        Blocks of the hardware files that the time follows from.
    repeats : int
        Number of repetitions, such as for columns that share a sense amplifier.
    shows : tuple of str
        Signals shown for waveforms: "word_lines" at its beginning, "decisions" or "state" at its
        end.
    """

    name: str
    seconds: float
    cycles: int
    rests_on: tuple[str, ...]
    repeats: int = 1
    shows: tuple[str, ...] = ()


def pipelined(name: str, cycles: int, unit: str) -> Phase:
    """Phase of a digital unit that is pipelined to the clock: its cycles are given."""
    return Phase(name, 0.0, cycles, ("chip.clock", f"chip.{unit}"))


def cycles_of(seconds: float, clock: float) -> int:
    """Number of whole cycles of a delay; 0 for no delay."""
    # a delay that is a whole number of periods but for rounding takes just these
    return math.ceil(seconds * clock * (1 - 1e-12))
