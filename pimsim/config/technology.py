"""Schema of a technology file: wires, transistors and logic of one node."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pimsim.config.older_hardware import translate_technology
from pimsim.config.schema import (
    Amperes,
    Area,
    Capacitance,
    CapacitancePerLength,
    Count,
    Description,
    Energy,
    Length,
    Ratio,
    Resistance,
    ResistancePerLength,
    Seconds,
    Sourced,
    Temperature,
    Voltage,
)
from pimsim.config.source import YamlSource


class Wire(Sourced):
    """A wire of the smallest width."""

    capacitance_per_length: CapacitancePerLength = Field(gt=0)
    resistance_per_length: ResistancePerLength = Field(gt=0)
    width: Length = Field(gt=0, description="smallest width; a space of a line is as wide")
    current_limit: Amperes = Field(gt=0, description="steady current that it carries for years")


class Transistor(Sourced):
    """The smallest transistor."""

    gate_capacitance: Capacitance = Field(gt=0)
    drain_capacitance: Capacitance = Field(gt=0, description="with contact and overlap of the gate")
    on_resistance: Resistance = Field(
        gt=0, description="at a small drain voltage, with its gate at the supply of the logic"
    )
    threshold: Voltage = Field(gt=0, description="threshold voltage")
    off_current: Amperes = Field(ge=0, description="leakage at `leakage.temperature`")


class Anchored(Sourced):
    """Numbers for another node and supply voltage, scaled to those of the file."""

    node: Length = Field(gt=0, description="at which the numbers hold")
    supply: Voltage = Field(gt=0, description="at which the numbers hold")


class Leakage(Sourced):
    """Growth of leakage with temperature."""

    temperature: Temperature = Field(gt=0, description="at which `transistor.off_current` holds")
    doubling: Temperature = Field(
        gt=0, description="warming by which leakage doubles, as a difference of temperatures"
    )


class Gate(Anchored):
    """A two-input NAND gate, the unit of logic."""

    energy_per_switching: Energy = Field(ge=0)
    delay: Seconds = Field(gt=0)


class FlipFlop(Anchored):
    """A register bit."""

    energy_per_flip: Energy = Field(ge=0)
    delay: Seconds = Field(gt=0)


class LogicArea(Anchored):
    """Area of the cells of a library."""

    gate: Area = Field(gt=0, description="a two-input NAND gate")
    flip_flop: Area = Field(gt=0)


class ClockTree(Anchored):
    """Energy of the clock of a flip-flop, in each cycle in which its unit is at work."""

    energy_per_cycle: Energy = Field(
        ge=0, description="energy within a flip-flop, whether or not its bit changes"
    )
    tree: Ratio = Field(
        ge=0, description="energy of wires, buffers and clock gates, as a share of that"
    )


class Arithmetic(Anchored):
    """Fixed-point multipliers and adders, by their bits."""

    energy_per_product_bit: Energy = Field(
        ge=0, description="energy of a multiplier of n x m bits, per n m"
    )
    energy_per_sum_bit: Energy = Field(ge=0, description="energy of an adder, per bit")


class ArithmeticArea(Anchored):
    """Area of fixed-point multipliers and adders."""

    area_per_product_bit: Area = Field(gt=0)
    area_per_sum_bit: Area = Field(gt=0)


class MemoryRead(Anchored):
    """Reading an SRAM of a stated number of words; the bit lines of another one are scaled."""

    energy_per_bit: Energy = Field(gt=0)
    words: Count = Field(description="words of that memory, each as wide as its port")
    sensing: Ratio = Field(
        ge=0,
        le=1,
        description="share of the energy that does not grow with the words: "
        "sense amplifier, output wire",
    )


class MemoryArea(Anchored):
    """SRAM cells."""

    area_per_bit: Area = Field(
        gt=0, description="area of a cell and its share of a small macro's periphery"
    )


class TechnologyConfig(Description):
    """A technology file: one node."""

    schema_: Literal["pimsim.technology/2"] = Field(alias="schema")
    name: str = Field(min_length=1)
    node: Length = Field(gt=0)
    supply: Voltage = Field(gt=0, description="supply of the logic")
    corner: Literal["hp", "lp"] = Field(
        description="transistors of all logic, high performance or low power: energy and delay "
        "are scaled among them, and `transistor.off_current` is theirs"
    )
    wire: Wire
    transistor: Transistor
    leakage: Leakage
    gate: Gate
    flip_flop: FlipFlop
    logic_area: LogicArea
    clock_tree: ClockTree
    arithmetic: Arithmetic
    arithmetic_area: ArithmeticArea
    memory_read: MemoryRead
    memory_area: MemoryArea

    def at(self, supply: float | None) -> TechnologyConfig:
        """The same technology with another supply of its logic [V]; None: its own."""
        return self if supply is None else self.model_copy(update={"supply": supply})

    @classmethod
    def translate(cls, source: YamlSource) -> None:
        translate_technology(source)
