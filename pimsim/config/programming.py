"""Schema of the programming of cells: pulses and checks, their cost, and the circuits of a chip."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pimsim.config.schema import (
    Amperes,
    Area,
    Count,
    Energy,
    Frequency,
    Number,
    Ratio,
    Seconds,
    Sourced,
    Voltage,
)


class ProgramAndCheck(Sourced):
    """Pulses of one length until a current is below a threshold, then those of the next level.

    Pulses move the current in steps, down and sometimes back: a birth-death process
    (`pimsim.devices.programming`).
    """

    model: Literal["birth_death"] = "birth_death"
    origin: Amperes = Field(gt=0, description="I_0, the current at x = 0")
    step: Amperes = Field(gt=0, description="s, the change of the current in one step")
    fresh_current: Amperes = Field(gt=0, description="mean current before any programming")
    fresh_spread: Amperes = Field(
        gt=0, description="standard deviation of the fresh current over cells"
    )
    birth_rate: Frequency = Field(
        gt=0, description="B: rate of steps down less steps back, at x = 0"
    )
    birth_scale: Amperes = Field(gt=0, description="K, decay constant of this rate")
    death_rate: Frequency = Field(ge=0, description="D: e times the largest rate of steps back")
    death_scale: Amperes = Field(gt=0, description="M, the x of the largest rate of steps back")
    thresholds: Annotated[list[Amperes], Field(min_length=1, max_length=255)] = Field(
        description="currents that end the levels, falling"
    )
    pulses: Annotated[list[Seconds], Field(min_length=1, max_length=255)] = Field(
        description="length of a pulse of each level"
    )
    relaxation: Amperes = Field(description="mean shift after programming")
    relaxation_spread: Amperes = Field(ge=0, description="standard deviation of the relaxation")

    @model_validator(mode="after")
    def _scheme(self) -> ProgramAndCheck:
        if len(self.thresholds) != len(self.pulses):
            raise ValueError(f"has {len(self.thresholds)} thresholds and {len(self.pulses)} pulses")
        if any(low >= high for high, low in pairwise((self.origin, *self.thresholds))):
            raise ValueError("needs thresholds that fall, below `origin`")
        if self.thresholds[-1] < self.step:
            raise ValueError("has a threshold below `step`; no state lies below it")
        if min(self.pulses) <= 0:
            raise ValueError("has a pulse of no length")
        if not self.thresholds[0] < self.fresh_current <= self.origin:
            raise ValueError("needs a fresh_current between the first threshold and `origin`")
        if self.origin / self.step > 2000:
            raise ValueError("has more than 2000 steps from `origin` to no current")
        return self


class RedrawnProgramming(Sourced):
    """Every pulse draws the current of the cell anew, until a check finds it near its target.

    Results are normal around the target, and so is the noise of a check.
    """

    model: Literal["redraw"]
    pulse: Seconds = Field(gt=0, description="length of a pulse, or of a pair that sets and resets")
    spread: Ratio = Field(
        gt=0, le=1, description="standard deviation after a pulse, of the top current"
    )
    tolerance: Ratio = Field(
        gt=0, le=1, description="largest distance from the target that a check lets pass"
    )
    check_noise: Ratio = Field(
        ge=0, le=1, description="standard deviation of a check's noise, of the top current"
    )

    @model_validator(mode="after")
    def _ends(self) -> RedrawnProgramming:
        if (self.spread**2 + self.check_noise**2) ** 0.5 > 1000 * self.tolerance:
            raise ValueError("has a tolerance below a thousandth of its scatter; it would not end")
        return self


class CountedProgramming(Sourced):
    """A mean number of pulses, as counted; each is taken to end programming with one probability.

    A mean of m pulses is a probability of 1 / m.
    """

    model: Literal["counted"]
    pulse: Seconds = Field(gt=0, description="length of a pulse, or of a pair that sets and resets")
    mean_pulses: Number = Field(ge=1, le=1e6, description="m, mean over the cells")


Programming = Annotated[
    ProgramAndCheck | RedrawnProgramming | CountedProgramming, Field(discriminator="model")
]


class Pulse(Sourced):
    """Voltage and current of a pulse, and the time of the check that follows it."""

    voltage: Voltage = Field(gt=0, description="across the cell and its access transistor")
    current: Amperes = Field(gt=0, description="of a cell while a pulse lasts")
    check_time: Seconds = Field(ge=0, description="of reading one cell after a pulse")


class Endurance(Sourced):
    """Number of times that a cell can be written."""

    cycles: Annotated[float, Field(ge=1, le=1e15)] = Field(
        description="cycles that a cell bears; a pulse is one, but for `birth_death` programming, "
        "of which all pulses of a write are one"
    )


class ReadDisturb(Sourced):
    """Number of reads for which cells were seen to keep their levels."""

    reads: Annotated[float, Field(ge=1, le=1e18)] = Field(
        description="of a cell, without a change that the source reports"
    )
    voltage: Voltage = Field(gt=0, description="of these reads")


class ProgrammingPeriphery(Sourced):
    """Circuits that write the cells of an array, and rest while it is read."""

    area_per_row: Area = Field(ge=0, description="high-voltage driver of a word line")
    area_per_column: Area = Field(ge=0, description="high-voltage drivers of a bit line")
    area_per_array: Area = Field(
        ge=0, description="read-out for verifying, charge pump and decoders of one array"
    )
    cells_at_once: Count = Field(
        default=1,
        description="cells of a row that a pulse is for; they are checked one after the other",
    )
    rows_at_once: Count = Field(
        default=1, description="rows that are written at once, each of another array"
    )
    efficiency: Ratio = Field(
        default=1.0, gt=0, le=1, description="energy of pulses over that which the supply gives"
    )
    check_energy: Energy = Field(
        default=0.0, ge=0, description="of the read-out for verifying, beside the cell's current"
    )
