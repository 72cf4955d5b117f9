"""Drift blocks of a device file, one class for each model."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pimsim.config.schema import (
    CurrentOrFraction,
    Energy,
    Fractions,
    Ratio,
    Seconds,
    Sourced,
    Temperature,
)
from pimsim.units import ELEMENTARY_CHARGE_C

# no retention of memories is known to have more
MAX_ENERGY_J = 5 * ELEMENTARY_CHARGE_C
_COMPENSATED = "whether one factor on all currents restores full scale"


class ActivatedDrift(Sourced):
    """Drift that a higher temperature hastens, where its activation energy E is known.

    Levels of age t at the temperature T are as those of age t exp(E / k (1 / T_0 - 1 / T)) at T_0.
    """

    temperature: Temperature | None = Field(
        default=None, gt=0, description="T_0, at which the drift was measured"
    )
    activation_energy: Energy | None = Field(
        default=None,
        ge=0,
        le=MAX_ENERGY_J,
        description="E; without it, drift is as measured at any temperature",
    )

    @model_validator(mode="after")
    def _both(self) -> ActivatedDrift:
        if self.activation_energy is not None and self.temperature is None:
            raise ValueError("has an activation_energy, and needs the temperature beside it at "
                             "which it was measured")  # fmt: skip
        return self


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


class ChargeLossDrift(ActivatedDrift):
    """A programmed cell returns toward its fresh current, linearly in log time.

    I(t) = I + loss (I_fresh - I) ln(1 + t / t0) / ln(1 + t_loss / t0).
    """

    model: Literal["charge_loss"]
    fresh_current: CurrentOrFraction = Field(description="current before any programming")
    loss: Ratio = Field(ge=0, le=1, description="share of the programmed shift lost at `loss_time`")
    loss_time: Seconds = Field(gt=0)
    t0: Seconds = Field(gt=0, description="time at which logarithmic loss sets in")
    compensated: bool = Field(default=False, description=_COMPENSATED)


class LogarithmicDrift(ActivatedDrift):
    """I(t) = I - s ln(t / t0), s normal with mean and standard deviation by level.

    A current never falls below zero.
    """

    model: Literal["logarithmic"]
    t0: Seconds = Field(gt=0, description="time of the reference read after programming")
    at: Fractions = Field(description="currents of the table, fractions of the top current, rising")
    loss_mean: Fractions = Field(
        description="mean of s at each, fractions of the top current for a factor e of time"
    )
    loss_spread: Fractions = Field(description="standard deviation of s at each")
    compensated: bool = Field(default=False, description=_COMPENSATED)

    @model_validator(mode="after")
    def _table(self) -> LogarithmicDrift:
        if not len(self.at) == len(self.loss_mean) == len(self.loss_spread):
            raise ValueError("needs at, loss_mean and loss_spread of one length")
        if any(high <= low for low, high in pairwise(self.at)):
            raise ValueError("needs `at` in rising order")
        if min(self.loss_spread) < 0:
            raise ValueError(f"has a loss_spread of {min(self.loss_spread)}; it cannot be negative")
        if max(*map(abs, self.loss_mean), *self.loss_spread) > 1:
            raise ValueError("loses more than the top current in a factor e of time; is a unit "
                             "missing?")  # fmt: skip
        return self


class TabulatedDrift(ActivatedDrift):
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
    error_factor: Annotated[list[Fractions], Field(max_length=64)] | None = Field(
        default=None,
        description="factor on the errors of programming, a row for each time; 1 if omitted",
    )
    compensated: bool = Field(default=False, description=_COMPENSATED)

    @model_validator(mode="after")
    def _table(self) -> TabulatedDrift:
        factors = [] if self.error_factor is None else self.error_factor
        tables = {"shift": self.shift, "added_spread": self.added_spread}
        for name, table in (tables | ({"error_factor": factors} if factors else {})).items():
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
        if any(not 0 <= value <= 1 for row in factors for value in row):
            raise ValueError("has an error_factor outside 0 to 1")
        if max(abs(v) for row in (*self.shift, *self.added_spread) for v in row) > 1:
            raise ValueError("moves levels by more than the top current; is a unit missing?")
        return self


Drift = Annotated[
    NoDrift | PowerLawDrift | LogarithmicDrift | ChargeLossDrift | TabulatedDrift,
    Field(discriminator="model"),
]
