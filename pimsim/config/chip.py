"""Schema of a chip file: arrays, read-out and digital units of one accelerator."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pimsim.config.schema import (
    Area,
    Capacitance,
    Description,
    Energy,
    Frequency,
    Length,
    Ratio,
    Resistance,
    Seconds,
    Sourced,
    Temperature,
    Voltage,
)


def _switch(value: object) -> object:
    return {"on": True, "off": False}.get(value, value) if isinstance(value, str) else value


Switch = Annotated[bool, BeforeValidator(_switch)]

# what converters cost, by whose account (pimsim.circuits.adc)
AdcCostModel = Literal["isaac", "survey", "cim_28nm", "neurosim", "flash"]


class Array(Sourced):
    """A crossbar of cells; a weight takes a differential pair, two bit lines, or slices."""

    rows: int = Field(strict=True, ge=1, le=65536, description="word lines of one array")
    columns: int = Field(strict=True, ge=2, le=65536, description="bit lines of one array")
    max_stack: int = Field(
        strict=True,
        ge=1,
        le=64,
        description="arrays that may be joined on one bit line for taller matrices",
    )


class Clock(Sourced):
    """One clock for everything; circuits take whole cycles of it."""

    frequency: Frequency = Field(gt=0)


class BitLine(Sourced):
    """C_BL = capacitance_per_row x rows hanging on the line; a load turns current into voltage."""

    capacitance_per_row: Capacitance = Field(ge=0)
    resistance_per_row: Resistance = Field(ge=0)
    load_resistance: Resistance = Field(gt=0)
    supply: Voltage = Field(gt=0, description="that the cells' currents are drawn from")
    settling_error: Ratio = Field(
        gt=0, lt=1, description="what may be missing of the signal when the amplifier decides"
    )
    integration_time: Seconds | None = Field(
        default=None, gt=0, description="time that lines get; as long as they need where absent"
    )
    load_area: Area = Field(ge=0)


class WordLineDriver(Sourced):
    """A driver raises its word line for every active row of every read."""

    voltage: Voltage = Field(gt=0)
    capacitance_per_cell: Capacitance = Field(ge=0)
    resistance: Resistance = Field(gt=0, description="of the driver's output")
    resistance_per_cell: Resistance = Field(ge=0)
    area_in_gates: float = Field(gt=0, description="area of a driver, in two-input gates")


class SenseAmplifier(Sourced):
    """One-bit read-out of a column pair: 1 if V + n - v_os > 0."""

    input_capacitance: Capacitance = Field(gt=0, description="C_IN per side")
    input_range: Voltage = Field(
        gt=0, description="differential voltage that the pre-activation range is mapped onto (+-)"
    )
    offset_cancelling: Switch = Field(description="whether offsets are cancelled before a decision")
    raw_offset: Voltage = Field(ge=0, description="standard deviation without cancelling")
    residual_offset: Voltage = Field(ge=0, description="standard deviation after cancelling")
    cancelling_time: Seconds = Field(ge=0, description="offset cancelling or precharge")
    decision_time: Seconds = Field(gt=0)
    energy_per_decision: Energy = Field(ge=0)
    area: Area = Field(gt=0)
    columns_per_amplifier: int = Field(
        strict=True, ge=1, description="column pairs that share one, and are decided in turn"
    )


class Adc(Sourced):
    """Turns the sum of a column pair, or single line, into a number: sampled, converted in turn."""

    bits: int = Field(
        strict=True, ge=2, le=14, description="of a code, its sign included where it has one"
    )
    range: Ratio = Field(
        gt=0, le=1, description="largest sum that is not clipped, of the largest possible one"
    )
    columns_per_adc: int = Field(
        strict=True, ge=1, description="column pairs or lines that share one"
    )
    cost: AdcCostModel = Field(description="published model of its energy and area")
    conversion_time: Seconds = Field(gt=0)
    input_capacitance: Capacitance = Field(gt=0, description="of sample and hold, per side")
    input_range: Voltage = Field(gt=0, description="differential voltage of the largest code (+-)")
    noise: float = Field(ge=0, description="of a conversion, beyond that of sampling [LSB]")
    offset: float = Field(ge=0, description="standard deviation over converters [LSB]")
    gain_error: Ratio = Field(ge=0, lt=0.5, description="standard deviation over converters")
    nonlinearity: float = Field(
        ge=0,
        description="largest bow of the characteristic, an odd cubic, standard deviation [LSB]",
    )


class BitSlicing(Sourced):
    """Weights in several cells each, activations bit by bit."""

    cell_bits: int = Field(strict=True, ge=1, le=7, description="of a weight, per cell")
    sign: Literal["differential", "offset"] = Field(
        default="differential",
        description="slices of the magnitude in pairs, or of weight + L in single cells",
    )
    activation_bits: int = Field(strict=True, ge=1, le=8, description="one word-line pulse each")


class ActivationUnit(Sourced):
    """Looks up the sigmoid of a sum and mixes hidden states; with the shift-and-add before it."""

    units: int = Field(strict=True, ge=1, description="lookups in a cycle, of each tile")
    energy_per_activation: Energy = Field(ge=0)
    area: Area = Field(gt=0, description="of one unit")


class ThermalNoise(Sourced):
    """sigma^2 = 2 k T / (C_IN + C_BL) x excess, new at every decision."""

    excess: Ratio = Field(
        ge=1, description="noise power of array and load over the bare kT/C, as a factor"
    )


class GruLogic(Sourced):
    """A 2:1 multiplexer and a register per hidden bit."""

    reset_state: Literal[0] = Field(
        description="hidden bits before the first time step; networks are trained from 0"
    )
    multiplexer_gates: int = Field(strict=True, ge=1, description="gates of one multiplexer")
    gates_in_path: int = Field(
        strict=True, ge=1, description="gates from a decision to the register's input"
    )


class InputEncoder(Sourced):
    """Fixed-point unit of the real-valued input layer."""

    input_bits: int = Field(strict=True, ge=2, le=24, description="two's complement, sign included")
    input_range: Ratio = Field(gt=0, description="inputs saturate at +- this, a power of two")
    weight_bits: int = Field(
        strict=True, ge=2, le=24, description="two's complement, scaled to the largest weight"
    )
    macs_per_cycle: int = Field(strict=True, ge=1)

    @field_validator("input_range")
    @classmethod
    def _power_of_two(cls, value: float) -> float:
        if math.frexp(value)[0] != 0.5:
            raise ValueError(f"is {value:g}; a fixed-point range is a power of two, such as 16")
        return value


class OutputUnit(Sourced):
    """Fixed-point unit of the real-valued output layer."""

    weight_bits: int = Field(strict=True, ge=2, le=24)
    macs_per_cycle: int = Field(strict=True, ge=1)


class Link(Sourced):
    """Carries bits from each component to the next one's buffer."""

    width: int = Field(strict=True, ge=1, description="bits per cycle")
    latency: int = Field(strict=True, ge=0, description="cycles from the last bit to the buffer")
    wire_length: Length = Field(ge=0)
    activity: Ratio = Field(ge=0, le=1, description="share of the bits that change their wire")
    spare_tokens: int = Field(
        strict=True,
        ge=1,
        description="time steps or pixels that a buffer holds beyond what its reader needs at once",
    )


class Power(Sourced):
    """What a chip does between inputs that come in real time."""

    sleep: Switch = Field(description="whether supplies are cut while nothing is at work")
    sleep_leakage: Ratio = Field(ge=0, le=1, description="share of the leakage that remains")
    wake_time: Seconds = Field(ge=0)
    energy_per_wake: Energy = Field(ge=0)


class Layout(Sourced):
    """How much of the chip its components cover."""

    utilisation: Ratio = Field(
        gt=0, le=1, description="area of the components over that of the chip; the rest is wiring"
    )


class Limits(Sourced):
    """Bounds of what can be built; beyond them pimsim warns."""

    ir_drop: Ratio = Field(
        gt=0, description="voltage lost along a bit line, as a share of the input range"
    )
    mean_current: Ratio = Field(
        gt=0, le=1, description="mean current of a cell before anything is run, of full scale"
    )


class ChipConfig(Description):
    """One accelerator."""

    schema_: Literal["pimsim.chip/1"] = Field(alias="schema")
    name: str = Field(min_length=1)
    description: str = ""
    technology: str = Field(description="technology file")
    weights: Literal["levels", "binary"] = Field(
        default="levels", description="which of a model's networks runs on it"
    )
    temperature: Temperature = Field(gt=0)
    clock: Clock
    array: Array
    word_line_driver: WordLineDriver
    bit_line: BitLine
    sense_amplifier: SenseAmplifier | None = None
    adc: Adc | None = None
    bit_slicing: BitSlicing | None = None
    activation_unit: ActivationUnit | None = None
    thermal_noise: ThermalNoise
    gru_logic: GruLogic | None = None
    input_encoder: InputEncoder
    output_unit: OutputUnit
    link: Link
    power: Power
    layout: Layout
    limits: Limits

    @model_validator(mode="after")
    def _one_read_out(self) -> ChipConfig:
        with_bits = (self.sense_amplifier, self.gru_logic)
        with_numbers = (self.adc, self.bit_slicing, self.activation_unit)
        bits, numbers = (
            [block is not None for block in kind] for kind in (with_bits, with_numbers)
        )
        if (all(bits) and not any(numbers)) or (all(numbers) and not any(bits)):
            return self
        raise ValueError(
            "needs sense_amplifier and gru_logic, or adc, bit_slicing and activation_unit: "
            "a chip reads out bits or numbers"
        )

    @property
    def has_converters(self) -> bool:
        """Whether its arrays are read out as numbers, instead of bits."""
        return self.adc is not None

    @property
    def amplifier(self) -> SenseAmplifier:
        """Of a chip that reads out bits."""
        assert self.sense_amplifier is not None
        return self.sense_amplifier

    @property
    def hidden_logic(self) -> GruLogic:
        """Of a chip that reads out bits."""
        assert self.gru_logic is not None
        return self.gru_logic

    @property
    def converter(self) -> Adc:
        """Of a chip that reads out numbers."""
        assert self.adc is not None
        return self.adc

    @property
    def slicing(self) -> BitSlicing:
        """Of a chip that reads out numbers."""
        assert self.bit_slicing is not None
        return self.bit_slicing

    @property
    def has_offset(self) -> bool:
        """Whether weights are held with an offset, in single cells instead of pairs."""
        return self.bit_slicing is not None and self.bit_slicing.sign == "offset"

    @property
    def activations(self) -> ActivationUnit:
        """Of a chip that reads out numbers."""
        assert self.activation_unit is not None
        return self.activation_unit

    @property
    def input_capacitance(self) -> float:
        """What the read-out adds to a bit line, per side [F]."""
        block = self.sense_amplifier or self.adc
        assert block is not None
        return block.input_capacitance

    @property
    def input_range(self) -> float:
        """Differential voltage that the read-out takes (+-) [V]."""
        block = self.sense_amplifier or self.adc
        assert block is not None
        return block.input_range
