"""Read-out of the arrays: circuits that turn currents or words into bits or codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SerializeAsAny, model_validator

from pimsim.config.kinds import OneOf, misfit
from pimsim.config.schema import (
    Amperes,
    Area,
    Block,
    Capacitance,
    Count,
    Energy,
    Length,
    Needs,
    Number,
    Ratio,
    Seconds,
    Signal,
    Sourced,
    Switch,
    Voltage,
)

# published cost models of ADCs (pimsim.circuits.adc)
AdcCostModel = Literal["isaac", "survey", "cim_28nm", "neurosim", "flash"]


class ReadOutBlock(Block, Sourced):
    """Circuit that makes bits or codes of what the cells hold."""

    gives: ClassVar[Signal]
    # whether cells draw currents through bit lines, whose blocks the chip file then describes
    reads_currents: ClassVar[bool] = True
    # whether it adds words of bits, and whether by gates that work whenever an input changes
    adds_words: ClassVar[bool] = False
    is_static: ClassVar[bool] = False
    # whether a matrix may be spread over arrays whose sums are added as numbers
    adds_arrays: ClassVar[bool] = False


class CurrentReadOut(ReadOutBlock):
    """Circuit that reads the currents of bit lines."""

    input_capacitance: Capacitance = Field(
        gt=0, description="capacitance that the read-out adds to a bit line, per side"
    )


class SenseAmplifier(CurrentReadOut):
    """One-bit read-out of a column pair: 1 if V + n - v_os > 0."""

    gives = "bits"
    goes_with: ClassVar[Mapping[str, Needs]] = {
        "drive": Needs(
            "in_one_pulse", "it decides once, so all active rows must meet in one current"
        ),
        "weight_coding": Needs(
            "in_one_line", "it decides once, so the whole weight must be in one current"
        ),
    }

    kind: Literal["sense_amplifier"]
    internal_capacitance: Capacitance = Field(
        gt=0,
        description="capacitance of the nodes inside, whose noise sigma^2 = 2.4 k T / C is its own",
    )
    offset_cancelling: Switch = Field(description="whether offsets are cancelled before a decision")
    raw_offset: Voltage = Field(ge=0, description="standard deviation without cancelling")
    residual_offset: Voltage = Field(ge=0, description="standard deviation after cancelling")
    offset_per_common_mode: Ratio = Field(
        ge=0,
        description="standard deviation of the change of its offset with the common mode at its "
        "input, volts per volt",
    )
    cancelling_current: Amperes = Field(
        ge=0, description="bias that flows while the offset is cancelled"
    )
    cancelling_time: Seconds = Field(ge=0, description="offset cancelling or precharge")
    decision_time: Seconds = Field(gt=0, description="time of one decision")
    energy_per_decision: Energy = Field(ge=0, description="energy of one decision")
    node: Length = Field(
        gt=0,
        description="node at which decision time and energy hold, at its nominal supply; they are "
        "scaled to that of the technology. Area, offset, capacitance stay: matching sets them",
    )
    area: Area = Field(gt=0, description="area of one amplifier")
    columns_per_amplifier: Count = Field(
        description="column pairs that share one amplifier, decided in turn"
    )


class Converting(CurrentReadOut):
    """Converts the sum of a column pair, or of a single line, into a code."""

    adds_arrays = True

    bits: int = Field(
        strict=True, ge=2, le=14, description="bits of a code, including the sign of a pair's code"
    )
    range: (
        Literal["calibrated", "fitted", "network"] | Annotated[Ratio, Field(gt=0, le=1)] | None
    ) = Field(
        default=None,
        description="largest sum that is not clipped, relative to the largest possible; "
        "`calibrated`: what the lines of each matrix reach, by their weights; `fitted`: the same, "
        "and where it has fewer levels than there are codes, loads are so much larger that a level "
        "is several codes, a power of two, which logic rounds to whole levels; `network`: what "
        "each matrix was trained for, where a conversion is that of a whole sum; others as "
        "`calibrated`",
    )
    full_scale: Number | None = Field(
        default=None,
        gt=0,
        description="instead of `range`, one for all matrices: largest sum that is not clipped, in "
        "currents of a cell that is fully on",
    )
    columns_per_adc: Count = Field(description="column pairs, or single lines, that share one ADC")
    cost: AdcCostModel = Field(description="published model of energy and area")
    conversion_time: Seconds | None = Field(
        default=None,
        gt=0,
        description="time of one conversion; by the cost model if omitted (`cim_28nm`, `flash`)",
    )
    noise: Number = Field(ge=0, description="noise of a conversion besides kT/C [LSB]")
    noise_point: Literal["before", "after"] = Field(
        default="before",
        description="whether that noise is part of what is rounded, or is added to the code, which "
        "is not rounded again",
    )
    offset: Number = Field(ge=0, description="standard deviation over ADCs [LSB]")
    gain_error: Ratio = Field(ge=0, lt=0.5, description="standard deviation over ADCs")
    nonlinearity: Number = Field(
        ge=0,
        description="peak of the cubic nonlinearity, standard deviation over ADCs [LSB]",
    )

    @model_validator(mode="after")
    def _one_range(self) -> Converting:
        if (self.range is None) == (self.full_scale is None):
            raise ValueError("needs a range or a full_scale, one of both")
        if self.range == "fitted" and self.noise > 0 and self.noise_point == "after":
            raise ValueError("has a fitted range, whose codes are rounded again after their noise")
        return self


class Adc(Converting):
    """ADCs whose codes are shifted and added, for inputs of several bits."""

    gives = "codes"
    goes_with: ClassVar[Mapping[str, Needs]] = {
        "drive": Needs("adds_pulses", "its codes are numbers, which shift-and-add takes"),
    }

    kind: Literal["adc"]


class PartialSums(Converting):
    """ADCs of a few bits below each array, adders of their codes, and a comparator: bits."""

    gives = "bits"
    goes_with: ClassVar[Mapping[str, Needs]] = {
        "drive": Needs("in_one_pulse", "its ADCs convert once, so all active rows must meet"),
        "weight_coding": Needs(
            "in_one_line", "it adds one code of each array, so the whole weight must be in it"
        ),
    }

    kind: Literal["partial_sums"]


class AdderTree(ReadOutBlock):
    """A gate for each bit of a weight, a tree of adders for each word column, and a comparator."""

    gives = "bits"
    reads_currents = False
    adds_words = True
    is_static = True
    adds_arrays = True
    goes_with: ClassVar[Mapping[str, Needs]] = {
        "drive": Needs(
            "held", "its gates are static, and its comparator takes sums of one bit for each input"
        ),
        "weight_coding": Needs("in_words", "it adds words of bits"),
    }

    kind: Literal["adder_tree"]
    multiplier_gates: Number = Field(
        gt=0, description="energy and area of the gate of a weight's bit, in two-input gates"
    )
    adder_energy_in_gates: Number = Field(
        gt=0, description="energy of a full adder whose gates all switch, in two-input gates"
    )
    adder_area_in_gates: Number = Field(gt=0, description="area of a full adder")
    sum_delay_in_gates: Number = Field(
        gt=0, description="delay of a full adder from an input to its sum"
    )
    carry_delay_in_gates: Number = Field(
        gt=0, description="delay of a full adder from carry to carry"
    )


class Multipliers(ReadOutBlock):
    """Multiply-accumulators beside each array, which read a row of words and take one code a cycle.

    Their widths are those of the drive's codes and of the words of weights.
    """

    gives = "codes"
    reads_currents = False
    adds_words = True
    adds_arrays = True
    goes_with: ClassVar[Mapping[str, Needs]] = {
        "drive": Needs("to_multipliers", "its multipliers take whole codes, one after the other"),
        "weight_coding": Needs("in_words", "it multiplies words of bits"),
    }

    kind: Literal["multipliers"]
    words_per_multiplier: int = Field(
        strict=True, ge=1, description="words of a row that share a multiplier, one after the other"
    )


READ_OUT_BLOCKS: dict[str, type[ReadOutBlock]] = {
    "sense_amplifier": SenseAmplifier,
    "adc": Adc,
    "partial_sums": PartialSums,
    "adder_tree": AdderTree,
    "multipliers": Multipliers,
}
AnyReadOut = Annotated[SerializeAsAny[ReadOutBlock], OneOf(READ_OUT_BLOCKS)]
MaybeReadOut = Annotated[SerializeAsAny[ReadOutBlock] | None, OneOf(READ_OUT_BLOCKS)]


def check_tall_layers(tall: ReadOutBlock, read_out: ReadOutBlock) -> None:
    """Check that one read-out can take the layers that are too tall for another one.

    Raises
    ------
    ValidationError
        If no layer is too tall, or if sums of arrays cannot be added by it.
    """
    if read_out.adds_arrays:
        raise misfit(
            "tall_layers",
            None,
            f"is there, and read_out '{read_out.kind}' adds the sums of arrays itself, so that no "
            "layer is too tall for it: remove it",
        )
    if tall.adds_arrays and tall.gives == read_out.gives:
        return
    able = [
        kind
        for kind, block in READ_OUT_BLOCKS.items()
        if block.adds_arrays
        and block.gives == read_out.gives
        and block.reads_currents == read_out.reads_currents
    ]
    raise misfit(
        "tall_layers",
        tall.kind,
        f"is of kind '{tall.kind}'; layers that are too tall for read_out '{read_out.kind}' need "
        f"one that adds the sums of arrays and gives {read_out.gives}: {' or '.join(able)}",
    )
