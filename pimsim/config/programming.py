"""Schema of the programming of a device's levels: pulses and checks."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from pimsim.config.schema import Amperes, Frequency, Seconds, Sourced


class ProgramAndCheck(Sourced):
    """Pulses of one length until a current is below a threshold, then those of the next level.

    Pulses move the current in steps, down and sometimes back: a birth-death process
    (`pimsim.devices.programming`).
    """

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
