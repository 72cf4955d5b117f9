"""Clamps of the bit lines: what holds a line at the read voltage of its cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, SerializeAsAny

from pimsim.config.kinds import OneOf
from pimsim.config.schema import Amperes, Area, Block, Ratio, Sourced, Voltage


class ClampBlock(Block):
    """Circuit between a bit line and its load."""


class NoClamp(ClampBlock):
    """None: the bit line swings with its load, and the current of resistive cells falls with it."""

    kind: Literal["none"]


class HoldingClamp(ClampBlock, Sourced):
    """A transistor whose source holds the bit line."""

    headroom: Voltage = Field(gt=0, description="voltage across it that keeps it saturated")
    slope: Ratio = Field(
        ge=1, le=3, description="slope factor n of its weak inversion: gm = I / (n kT/q)"
    )
    offset: Voltage = Field(
        ge=0, description="standard deviation of the held voltage, over bit lines"
    )
    area: Area = Field(ge=0, description="area of the clamp of a bit line")


class Cascode(HoldingClamp):
    """A transistor with a fixed gate voltage."""

    kind: Literal["cascode"]


class Regulated(HoldingClamp):
    """A cascode whose gate is driven by an amplifier that senses the bit line."""

    kind: Literal["regulated"]
    gain: Ratio = Field(gt=0, description="gain of the amplifier")
    current: Amperes = Field(ge=0, description="bias of the amplifier, while lines are read")


CLAMP_BLOCKS: Mapping[str, type[ClampBlock]] = {
    "none": NoClamp,
    "cascode": Cascode,
    "regulated": Regulated,
}
AnyClamp = Annotated[SerializeAsAny[ClampBlock], OneOf(CLAMP_BLOCKS)]
