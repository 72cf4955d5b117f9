"""Schema of a device file: one eNVM cell, its states, and their variation and drift.

Fractions are of the top current, that of the highest state in the table; where
the states are given as currents, so is every other current of the file.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pimsim.config.older_hardware import translate_device
from pimsim.config.programming import ProgramAndCheck
from pimsim.config.schema import (
    Amperes,
    Area,
    Current,
    CurrentOrFraction,
    Description,
    Length,
    Ratio,
    Seconds,
    Sourced,
    Temperature,
    Voltage,
)
from pimsim.config.source import YamlSource

Fractions = Annotated[list[Ratio], Field(min_length=2, max_length=256)]


class Read(Sourced):
    """A read of the cell: its voltages, and the current of the highest state of the table."""

    kind: Literal["resistor", "current_source"] = Field(
        description="whether the current follows the voltage of the bit line, or is that of a "
        "saturated transistor"
    )
    voltage: Voltage = Field(
        gt=0,
        description="voltage of the cell at which its currents hold; for a current source, the "
        "lowest at which it is saturated",
    )
    gate_voltage: Voltage | None = Field(
        default=None, gt=0, description="of a current source: word-line voltage of its currents"
    )
    top_current: Amperes = Field(gt=0, description="current of the highest state")
    shot_noise: Ratio = Field(
        ge=0, le=1, description="noise of the current, as a share of full shot noise 2 q I"
    )

    @model_validator(mode="after")
    def _gate(self) -> Read:
        if self.kind == "resistor" and self.gate_voltage is not None:
            raise ValueError("has a gate_voltage, which is a key of current sources")
        return self


class States(Sourced):
    """States that the cell has been measured in, from low to high current."""

    mean: Annotated[list[CurrentOrFraction], Field(min_length=2, max_length=256)] = Field(
        description="mean current of each state, as a current or a fraction of the top current"
    )
    spread: Annotated[list[CurrentOrFraction], Field(min_length=2, max_length=256)] = Field(
        description="standard deviation after programming, same length"
    )
    distribution: Literal["normal", "lognormal", "quantiles"] = Field(
        default="normal", description="distribution of cells around a state's mean"
    )
    probabilities: Annotated[list[Ratio], Field(min_length=3, max_length=64)] | None = Field(
        default=None, description="probabilities of the quantiles below, rising"
    )
    quantiles: Annotated[list[list[CurrentOrFraction]], Field(max_length=256)] | None = Field(
        default=None,
        description="a row for each state; only its shape is used, with `mean` and `spread`",
    )
    retarget_from: CurrentOrFraction | None = Field(
        default=None, description="lowest current that programming can be aimed at"
    )
    retarget_to: CurrentOrFraction | None = Field(
        default=None, description="highest current that programming can be aimed at"
    )

    @property
    def retarget_range(self) -> tuple[Current, ...]:
        """Lowest and highest current that can be programmed, or nothing."""
        if self.retarget_from is None or self.retarget_to is None:
            return ()
        return (self.retarget_from, self.retarget_to)

    @field_validator("spread")
    @classmethod
    def _not_negative(cls, spread: list[Current]) -> list[Current]:
        for index, current in enumerate(spread):
            if current.value < 0:
                raise ValueError(f"[{index}] is {current}; a standard deviation cannot be negative")
        return spread

    @field_validator("mean")
    @classmethod
    def _rising(cls, mean: list[Current]) -> list[Current]:
        values = [current.value for current in mean]
        if any(high <= low for low, high in pairwise(values)):
            raise ValueError("must rise from state to state")
        if values[0] < 0:
            raise ValueError("starts below zero; a current is never negative")
        return mean

    @model_validator(mode="after")
    def _same_length(self) -> States:
        if len(self.mean) != len(self.spread):
            raise ValueError(
                f"has {len(self.mean)} means and {len(self.spread)} standard deviations"
            )
        if (self.retarget_from is None) != (self.retarget_to is None):
            raise ValueError("needs both retarget_from and retarget_to, or neither")
        top = self.mean[-1]
        if top.unit == "fraction" and top.value != 1:
            raise ValueError(f"ends at {top.value:.3g}; the top current is 100 %")
        if max(current.value for current in self.spread) > top.value:
            raise ValueError("has a standard deviation beyond the top current; is a unit missing?")
        if len({c.unit for c in (*self.mean, *self.spread, *self.retarget_range)}) > 1:
            raise ValueError("mixes currents and fractions; use one of them throughout")
        self._check_distribution()
        if self.retarget_range:
            low, high = (current.value for current in self.retarget_range)
            if not self.mean[0].value <= low < high <= top.value:
                raise ValueError("has retarget_from and retarget_to outside its states, or swapped")
        return self

    def _check_distribution(self) -> None:
        if self.distribution == "lognormal" and self.mean[0].value <= 0 < self.spread[0].value:
            raise ValueError("has a lognormal state of mean 0; such a state cannot vary")
        if (self.distribution == "quantiles") != (self.quantiles is not None):
            raise ValueError("needs quantiles with distribution: quantiles, and only then")
        if (self.quantiles is None) != (self.probabilities is None):
            raise ValueError("needs both probabilities and quantiles, or neither")
        if self.quantiles is None or self.probabilities is None:
            return
        p, rows = self.probabilities, self.quantiles
        if not 0 < p[0] <= p[-1] < 1 or any(high <= low for low, high in pairwise(p)):
            raise ValueError("needs probabilities between 0 and 1 in rising order")
        if len(rows) != len(self.mean) or {len(row) for row in rows} != {len(p)}:
            raise ValueError(f"needs {len(self.mean)} rows of {len(p)} quantiles")
        if any(high.value < low.value for row in rows for low, high in pairwise(row)):
            raise ValueError("has quantiles that fall")
        if {current.unit for row in rows for current in row} != {self.mean[0].unit}:
            raise ValueError("mixes currents and fractions; use one of them throughout")


class Cell(Sourced):
    """Size of a cell."""

    area: Area = Field(gt=0, description="area of one cell, its access transistor included")
    width: Length | None = Field(
        default=None,
        gt=0,
        description="along the word line; if omitted, a cell is square. Its height is the rest of "
        "the area",
    )
    fins: int = Field(
        strict=True, ge=1, le=64, description="smallest transistors that its own stands for"
    )

    @property
    def pitch(self) -> tuple[float, float]:
        """Width along the word line and height along the bit line [m]."""
        width = math.sqrt(self.area) if self.width is None else self.width
        return width, self.area / width


_COMPENSATED = "whether one factor on all currents restores full scale"


class NoDrift(Sourced):
    """No drift: levels keep their currents, or no measurement is known."""

    model: Literal["none"]


class PowerLawDrift(Sourced):
    """I(t) = I (t / t0)^-nu, nu normal with mean and standard deviation by level."""

    model: Literal["power_law"]
    t0: Seconds = Field(gt=0, description="time of the reference read after programming")
    at: Fractions = Field(description="currents of the table, fractions of the top current, rising")
    nu_mean: Fractions = Field(description="mean drift exponent at each")
    nu_spread: Fractions = Field(description="standard deviation of the exponent at each")
    compensated: bool = Field(default=True, description=_COMPENSATED)

    @model_validator(mode="after")
    def _table(self) -> PowerLawDrift:
        if not len(self.at) == len(self.nu_mean) == len(self.nu_spread):
            raise ValueError("needs at, nu_mean and nu_spread of one length")
        if sorted(self.at) != self.at:
            raise ValueError("needs `at` in rising order")
        if min(self.nu_spread) < 0:
            raise ValueError(f"has a nu_spread of {min(self.nu_spread)}; it cannot be negative")
        if max(*map(abs, self.nu_mean), *self.nu_spread) > 1:
            raise ValueError("has an exponent beyond 1; measured ones are below 0.2")
        return self


class ChargeLossDrift(Sourced):
    """A programmed cell returns toward its fresh current, linearly in log time.

    I(t) = I + loss (I_fresh - I) ln(1 + t / t0) / ln(1 + t_loss / t0).
    """

    model: Literal["charge_loss"]
    fresh_current: CurrentOrFraction = Field(description="current before any programming")
    loss: Ratio = Field(ge=0, le=1, description="share of the programmed shift lost at `loss_time`")
    loss_time: Seconds = Field(gt=0)
    t0: Seconds = Field(gt=0, description="time at which logarithmic loss sets in")
    temperature: Temperature = Field(gt=0, description="temperature of the measurement")
    compensated: bool = Field(default=False, description=_COMPENSATED)


class TabulatedDrift(Sourced):
    """Measured shift and added standard deviation, at some times and currents.

    Between them both follow straight lines, in the current and in the logarithm of time;
    outside them the first or last row and column hold.
    """

    model: Literal["tabulated"]
    times: Annotated[list[Seconds], Field(min_length=1, max_length=64)] = Field(
        description="times since programming of the rows below, rising"
    )
    at: Fractions = Field(description="currents of their columns, rising")
    shift: Annotated[list[Fractions], Field(max_length=64)] = Field(
        description="change of the mean since programming, a row for each time"
    )
    added_spread: Annotated[list[Fractions], Field(max_length=64)] = Field(
        description="standard deviation added since programming, a row for each time"
    )
    compensated: bool = Field(default=False, description=_COMPENSATED)

    @model_validator(mode="after")
    def _table(self) -> TabulatedDrift:
        for name, table in (("shift", self.shift), ("added_spread", self.added_spread)):
            if len(table) != len(self.times) or {len(row) for row in table} != {len(self.at)}:
                raise ValueError(
                    f"needs {name} of {len(self.times)} rows with {len(self.at)} values each"
                )
        for name, values in (("times", self.times), ("at", self.at)):
            if any(high <= low for low, high in pairwise(values)):
                raise ValueError(f"needs `{name}` in rising order")
        if self.times[0] <= 0:
            raise ValueError(f"has a time of {self.times[0]:g} s; it must be greater than 0")
        if min(map(min, self.added_spread)) < 0:
            raise ValueError("has an added_spread below zero")
        if max(abs(v) for row in (*self.shift, *self.added_spread) for v in row) > 1:
            raise ValueError("moves levels by more than the top current; is a unit missing?")
        return self


Drift = Annotated[
    NoDrift | PowerLawDrift | ChargeLossDrift | TabulatedDrift, Field(discriminator="model")
]


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


class DeviceConfig(Description):
    """A device file: one cell technology."""

    schema_: Literal["pimsim.device/2"] = Field(alias="schema")
    name: str = Field(min_length=1)
    description: str = Field(default="", description="measured cells, and the meaning of this file")
    time_since_programming: Seconds = Field(gt=0, description="age of the stored levels")
    temperature: Temperature = Field(gt=0, description="temperature of the array")
    cell: Cell
    read: Read
    states: States
    drift: Drift
    rtn: Annotated[RelativeNoise | TabulatedNoise | TwoStateNoise, Field(discriminator="model")] = (
        Field(description="random telegraph noise, lumped into one static draw")
    )
    read_noise: Annotated[
        RelativeNoise | TabulatedNoise | LowFrequencyNoise, Field(discriminator="model")
    ] = Field(description="slow read noise, lumped into one static draw")

    programming: ProgramAndCheck | None = Field(
        default=None, description="programming of the levels; for `pimsim device program`"
    )

    @classmethod
    def translate(cls, source: YamlSource) -> None:
        translate_device(source)

    @model_validator(mode="after")
    def _one_kind_of_current(self) -> DeviceConfig:
        if isinstance(self.drift, ChargeLossDrift):
            unit, of_states = self.drift.fresh_current.unit, self.states.mean[0].unit
            if unit != of_states:
                raise ValueError(
                    f"gives drift.fresh_current as {unit} and states as {of_states}; use one kind"
                )
        return self
