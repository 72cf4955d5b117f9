"""Noise blocks of a device file, one class for each model."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pimsim.config.schema import Fractions, Ratio, Seconds, Sourced


class RelativeNoise(Sourced):
    """Root sum of squares of `relative` x level current and `absolute` x top current."""

    model: Literal["relative"]
    # beyond half, a unit such as % has been forgotten
    relative: Ratio = Field(default=0.0, ge=0, le=0.5)
    absolute: Ratio = Field(default=0.0, ge=0, le=0.5)


class TabulatedNoise(Sourced):
    """Measured standard deviation at some currents, interpolated linearly."""

    model: Literal["tabulated"]
    at: Fractions = Field(description="currents of the table, rising")
    spread: Fractions = Field(description="standard deviation at each, of the top current")

    @model_validator(mode="after")
    def _table(self) -> TabulatedNoise:
        if len(self.at) != len(self.spread):
            raise ValueError("needs `at` and `spread` of one length")
        if any(high <= low for low, high in pairwise(self.at)):
            raise ValueError("needs `at` in rising order")
        if not 0 <= min(self.spread) <= max(self.spread) <= 0.5:
            raise ValueError("has a standard deviation outside 0 to 50 % of the top current")
        return self


class NoiseOverTime(Sourced):
    """Measured standard deviation at some times and programmed currents.

    Between them it follows straight lines, in the current and in the logarithm of time; outside
    them the first or last row and column hold.
    """

    model: Literal["tabulated_over_time"]
    times: Annotated[list[Seconds], Field(min_length=1, max_length=64)] = Field(
        description="times since programming of the rows below, rising"
    )
    at: Fractions = Field(description="programmed currents of their columns, rising")
    spread: Annotated[list[Fractions], Field(max_length=64)] = Field(
        description="standard deviation, of the top current, a row for each time"
    )

    @model_validator(mode="after")
    def _table(self) -> NoiseOverTime:
        if len(self.spread) != len(self.times) or {len(row) for row in self.spread} != {
            len(self.at)
        }:
            raise ValueError(
                f"needs `spread` of {len(self.times)} rows with {len(self.at)} values each"
            )
        for name, values in (("times", self.times), ("at", self.at)):
            if any(high <= low for low, high in pairwise(values)):
                raise ValueError(f"needs `{name}` in rising order")
        if self.times[0] <= 0:
            raise ValueError(f"has a time of {self.times[0]:g} s; it must be greater than 0")
        if any(not 0 <= value <= 0.5 for row in self.spread for value in row):
            raise ValueError("has a standard deviation outside 0 to 50 % of the top current")
        return self


class TwoStateNoise(Sourced):
    """Random telegraph noise: some cells hold a trap that takes part of their current in turns.

    A trap takes the share A of its cell's current for a share p of the time; A is lognormal
    over cells. It forgets its state as exp(-t / tau), tau lognormal over cells too.
    """

    model: Literal["two_state"]
    share: Ratio = Field(ge=0, le=1, description="share of the cells that hold an active trap")
    amplitude: Ratio = Field(ge=0, le=1, description="median of A, of the cell's current")
    amplitude_spread: Ratio = Field(
        default=0.0, ge=0, le=3, description="standard deviation of ln A over cells"
    )
    occupancy: Ratio = Field(default=0.5, ge=0, le=1, description="p, of the time")
    switching_time: Seconds = Field(gt=0, description="median of tau")
    switching_spread: Ratio = Field(
        default=0.0, ge=0, le=20, description="standard deviation of ln tau over cells"
    )


class TabulatedTwoStateNoise(Sourced):
    """Random telegraph noise as `two_state`, with share and amplitude by the cell's current."""

    model: Literal["two_state_tabulated"]
    at: Fractions = Field(description="programmed currents of the table, rising")
    share: Fractions = Field(description="share of the cells that hold an active trap, at each")
    amplitude: Fractions = Field(description="median of A at each, of the cell's current")
    amplitude_spread: Ratio = Field(
        default=0.0, ge=0, le=3, description="standard deviation of ln A over cells"
    )
    occupancy: Ratio = Field(default=0.5, ge=0, le=1, description="p, of the time")
    switching_time: Seconds = Field(gt=0, description="median of tau")
    switching_spread: Ratio = Field(
        default=0.0, ge=0, le=20, description="standard deviation of ln tau over cells"
    )

    @model_validator(mode="after")
    def _table(self) -> TabulatedTwoStateNoise:
        if not len(self.at) == len(self.share) == len(self.amplitude):
            raise ValueError("needs at, share and amplitude of one length")
        if any(high <= low for low, high in pairwise(self.at)):
            raise ValueError("needs `at` in rising order")
        if any(not 0 <= value <= 1 for value in (*self.share, *self.amplitude)):
            raise ValueError("has a share or an amplitude outside 0 to 100 %")
        return self


class LowFrequencyNoise(Sourced):
    """Read noise that grows with the time since programming (1/f), as in phase-change cells.

    sigma / I = min(coefficient (I_programmed / top current)^-exponent, limit)
                 x sqrt(ln((t + t_read) / (2 t_read)))
    """

    model: Literal["one_over_f"]
    # beyond these, a unit or a sign has been forgotten
    coefficient: Ratio = Field(ge=0, le=10)
    exponent: Ratio = Field(ge=0, le=5)
    limit: Ratio = Field(ge=0, le=10)
    read_time: Seconds = Field(gt=0)


TelegraphNoise = TwoStateNoise | TabulatedTwoStateNoise
Rtn = Annotated[
    RelativeNoise | TabulatedNoise | TwoStateNoise | TabulatedTwoStateNoise,
    Field(discriminator="model"),
]
ReadNoise = Annotated[
    RelativeNoise | TabulatedNoise | NoiseOverTime | LowFrequencyNoise,
    Field(discriminator="model"),
]
