"""Drive of the word lines: pulses for a layer's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SerializeAsAny

from pimsim.config.kinds import OneOf
from pimsim.config.schema import (
    Block,
    Count,
    Needs,
    Number,
    Resistance,
    Seconds,
    Signal,
    Sourced,
)

# published cost models of DACs (pimsim.circuits.dac)
DacCostModel = Literal["isaac", "capacitive"]


class DriveBlock(Block):
    """Mode in which inputs are applied to word lines."""

    takes: ClassVar[Signal]
    # whether all rows of an input are on or off in a single pulse
    in_one_pulse: ClassVar[bool] = True
    # whether a number is the sum of its pulses, each with a weight of its own
    adds_pulses: ClassVar[bool] = False
    # whether a code goes out as one number, not bit by bit: as the level of a line, or as a word
    whole_codes: ClassVar[bool] = False
    # whether lines keep their inputs from one operation to the next
    held: ClassVar[bool] = False
    # whether codes go to digital multipliers
    to_multipliers: ClassVar[bool] = False

    @property
    def delay(self) -> float:
        """Time that DACs take before the driver of a line follows [s]."""
        return 0.0


class BinaryDrive(DriveBlock):
    """One pulse, on the word lines of the inputs that are 1."""

    takes = "bits"
    kind: Literal["binary"]


class HeldDrive(DriveBlock, Sourced):
    """A latch for each input, whose line changes only when its bit does."""

    takes = "bits"
    held = True
    in_one_pulse = False
    goes_with: ClassVar[Mapping[str, Needs]] = {
        "read_out": Needs("is_static", "cells on lines that stay up would draw currents for ever"),
    }
    kind: Literal["held"]
    resistance: Resistance = Field(gt=0, description="output resistance of a driver")
    area_in_gates: Number = Field(
        gt=0, description="area of a driver without its latch, in two-input gates"
    )
    load_transistors: Count = Field(
        description="smallest transistors whose gates a bit of a weight has "
        "on the line of its input",
    )


class BitSerialDrive(DriveBlock, Sourced):
    """The bits of a code one after the other, one pulse for each."""

    takes = "codes"
    in_one_pulse = False
    adds_pulses = True
    kind: Literal["bit_serial"]
    bits: int = Field(strict=True, ge=1, le=8, description="bits of a code, one pulse each")


class MultiLevelDrive(DriveBlock, Sourced):
    """A DAC for each row: a code is the level of its line, in a single pulse."""

    takes = "codes"
    in_one_pulse = False
    adds_pulses = True
    whole_codes = True
    kind: Literal["multi_level"]
    bits: int = Field(strict=True, ge=1, le=8, description="bits of a code, and of a DAC")
    signed_codes: Literal["offset", "two_pass", "difference"] = Field(
        default="offset",
        description="how codes around a zero point are applied: as they are, the zero point's "
        "share of each sum being subtracted digitally; or parts above and below it one after the "
        "other, in two pulses whose codes are subtracted (`two_pass`), or whose samples are "
        "subtracted before one conversion (`difference`)",
    )
    cost: DacCostModel = Field(description="published model of energy and area of a DAC")
    settling_time: Seconds = Field(
        ge=0, description="time of a DAC by itself, to within half a step"
    )
    nonlinearity: Number = Field(
        ge=0,
        description="peak of a DAC's bow in the middle of its range, standard deviation over DACs "
        "[steps]",
    )

    @property
    def delay(self) -> float:
        return self.settling_time


class BroadcastDrive(DriveBlock, Sourced):
    """A bus over each array, on which codes follow each other as words, to all its multipliers."""

    takes = "codes"
    in_one_pulse = False
    whole_codes = True
    to_multipliers = True
    kind: Literal["broadcast"]
    bits: int = Field(strict=True, ge=1, le=8, description="bits of a code, and wires of the bus")
    area_in_gates: Number = Field(
        gt=0, description="area of a wire's driver without its register, in two-input gates"
    )
    load_transistors: Count = Field(
        description="smallest transistors whose gates a multiplier has on a wire of the bus"
    )


DRIVE_BLOCKS: dict[str, type[DriveBlock]] = {
    "binary": BinaryDrive,
    "held": HeldDrive,
    "bit_serial": BitSerialDrive,
    "multi_level": MultiLevelDrive,
    "broadcast": BroadcastDrive,
}
AnyDrive = Annotated[SerializeAsAny[DriveBlock], OneOf(DRIVE_BLOCKS)]
