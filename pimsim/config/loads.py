"""Loads of the bit lines: what turns the current of a line into a voltage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SerializeAsAny, model_validator

from pimsim.config.kinds import OneOf
from pimsim.config.schema import (
    Area,
    Block,
    Capacitance,
    Ratio,
    Resistance,
    Seconds,
    Sourced,
    Voltage,
)


class LoadBlock(Block, Sourced):
    """Load of a bit line.

    Either its size is given, and the input range of the read-out follows from it; or an input
    range is wanted, and each matrix has the load that gives it.
    """

    size: ClassVar[str]

    input_range: Voltage | None = Field(
        default=None,
        gt=0,
        description="wanted differential voltage (+-) at the end of a matrix's range of sums; "
        "each matrix then has the load that gives it",
    )
    capacitance: Capacitance = Field(
        ge=0, description="capacitor added at the input of the read-out, per side"
    )
    mismatch: Ratio = Field(
        ge=0,
        lt=0.5,
        description="standard deviation of the ratio of the two loads of a pair, over pairs",
    )
    area: Area = Field(ge=0, description="area of a load with its capacitor, per bit line")

    @model_validator(mode="after")
    def _one_size(self) -> LoadBlock:
        given = getattr(self, self.size)
        if (given is None) == (self.input_range is None):
            raise ValueError(f"needs either {self.size} or input_range: one follows from the other")
        return self


class ResistorLoad(LoadBlock):
    """A resistor to the supply: the line settles to supply less I R."""

    size = "resistance"

    kind: Literal["resistor"]
    resistance: Resistance | None = Field(default=None, gt=0, description="resistance of the load")


class CapacitorLoad(LoadBlock):
    """A precharged node that the current of the line discharges for a time: I t / C."""

    size = "time"

    kind: Literal["capacitor"]
    time: Seconds | None = Field(default=None, gt=0, description="time of integration")


LOAD_BLOCKS: Mapping[str, type[LoadBlock]] = {
    "resistor": ResistorLoad,
    "capacitor": CapacitorLoad,
}
AnyLoad = Annotated[SerializeAsAny[LoadBlock], OneOf(LOAD_BLOCKS)]
