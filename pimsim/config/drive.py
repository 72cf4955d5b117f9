"""Drive of the word lines: pulses for a layer's inputs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, SerializeAsAny

from pimsim.config.kinds import OneOf
from pimsim.config.schema import Block, Signal, Sourced


class DriveBlock(Block):
    """Mode in which inputs are applied to word lines."""

    takes: ClassVar[Signal]
    # whether all rows of an input are driven in a single pulse, or bit after bit
    in_one_pulse: ClassVar[bool] = True
    bit_by_bit: ClassVar[bool] = False


class BinaryDrive(DriveBlock):
    """One pulse, on the word lines of the inputs that are 1."""

    takes = "bits"
    kind: Literal["binary"]


class BitSerialDrive(DriveBlock, Sourced):
    """The bits of a code one after the other, one pulse for each."""

    takes = "codes"
    in_one_pulse = False
    bit_by_bit = True
    kind: Literal["bit_serial"]
    bits: int = Field(strict=True, ge=1, le=8, description="bits of a code, one pulse each")


DRIVE_BLOCKS: dict[str, type[DriveBlock]] = {
    "binary": BinaryDrive,
    "bit_serial": BitSerialDrive,
}
AnyDrive = Annotated[SerializeAsAny[DriveBlock], OneOf(DRIVE_BLOCKS)]
