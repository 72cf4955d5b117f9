"""Schema of a device file: one eNVM cell, its states, and their variation and drift.

Fractions are of the top current, that of the highest state in the table; where
the states are given as currents, so is every other current of the file.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pimsim.config.cell_noise import ReadNoise, Rtn
from pimsim.config.drift import ChargeLossDrift, Drift
from pimsim.config.older_hardware import translate_device
from pimsim.config.programming import Endurance, Programming, Pulse, ReadDisturb
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
from pimsim.config.temperature import TemperatureDependence
from pimsim.config.variation import Variation


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


class DeviceConfig(Description):
    """A device file: one cell technology."""

    schema_: Literal["pimsim.device/2"] = Field(alias="schema")
    name: str = Field(min_length=1)
    description: str = Field(default="", description="measured cells, and the meaning of this file")
    time_since_programming: Seconds = Field(
        ge=0, description="age of the stored levels; 0 s is the programmed state"
    )
    temperature: Temperature = Field(
        gt=0, description="temperature at which the currents of this file hold"
    )
    cell: Cell
    read: Read
    states: States
    drift: Drift
    rtn: Rtn = Field(description="random telegraph noise, lumped into one static draw")
    read_noise: ReadNoise = Field(description="slow read noise, lumped into one static draw")

    temperature_dependence: TemperatureDependence | None = Field(
        default=None,
        description="currents of chips of another temperature; they do not move if omitted",
    )
    programming: Programming | None = Field(
        default=None, description="number and length of the pulses that write a level"
    )
    pulse: Pulse | None = Field(default=None, description="what a pulse and a check take")
    endurance: Endurance | None = Field(default=None, description="writes that a cell bears")
    read_disturb: ReadDisturb | None = Field(default=None, description="reads that it bears")

    variation: Variation | None = Field(
        default=None, description="what cells of an array, and chips of a wafer, have in common"
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
