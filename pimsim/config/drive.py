"""Drive of the word lines: pulses for a layer's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SerializeAsAny

from pimsim.config.kinds import OneOf
from pimsim.config.schema import Block, Count, Needs, Number, Resistance, Signal, Sourced


class DriveBlock(Block):
    """Mode in which inputs are applied to word lines."""

    takes: ClassVar[Signal]
    # whether all rows of an input are driven in a single pulse, or bit after bit
    in_one_pulse: ClassVar[bool] = True
    bit_by_bit: ClassVar[bool] = False
    # whether lines keep their inputs from one operation to the next
    held: ClassVar[bool] = False


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
        "read_out": Needs("adds_words", "cells on lines that stay up would draw currents for ever"),
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
    bit_by_bit = True
    kind: Literal["bit_serial"]
    bits: int = Field(strict=True, ge=1, le=8, description="bits of a code, one pulse each")


DRIVE_BLOCKS: dict[str, type[DriveBlock]] = {
    "binary": BinaryDrive,
    "held": HeldDrive,
    "bit_serial": BitSerialDrive,
}
AnyDrive = Annotated[SerializeAsAny[DriveBlock], OneOf(DRIVE_BLOCKS)]
