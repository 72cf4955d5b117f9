"""Temperature blocks of a device file: how warming changes the currents of its cells."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pimsim.config.schema import Energy, Fractions, Number, Sourced
from pimsim.units import ELEMENTARY_CHARGE_C

# beyond the gaps of oxides' traps, and far beyond that of silicon, 1.1 eV
MAX_ENERGY_J = 3 * ELEMENTARY_CHARGE_C
_COMPENSATED = (
    "whether one factor on all currents restores full scale, as by a read voltage that follows "
    "reference cells"
)


class ActivatedCurrents(Sourced):
    """I(T) = I exp(-E / k (1 / T - 1 / T_0)), with T_0 the `temperature` of the file.

    E is interpolated between the currents of the table.
    """

    model: Literal["arrhenius"]
    at: Fractions = Field(description="currents of the table, fractions of the top current, rising")
    energy: Annotated[list[Energy], Field(min_length=2, max_length=256)] = Field(
        description="activation energy at each; negative where warming lowers a current"
    )
    compensated: bool = Field(default=False, description=_COMPENSATED)

    @model_validator(mode="after")
    def _table(self) -> ActivatedCurrents:
        _check_table(self.at, self.energy, "energy")
        if max(map(abs, self.energy)) > MAX_ENERGY_J:
            raise ValueError("has an energy beyond 3 eV; is it one of conduction?")
        return self


class LinearCurrents(Sourced):
    """I(T) = I (1 + c (T - T_0)), with T_0 the `temperature` of the file; never below 0.

    c is interpolated between the currents of the table.
    """

    model: Literal["linear"]
    at: Fractions = Field(description="currents of the table, fractions of the top current, rising")
    coefficient: Annotated[list[Number], Field(min_length=2, max_length=256)] = Field(
        description="share by which the current rises with a kelvin, at each"
    )
    compensated: bool = Field(default=False, description=_COMPENSATED)

    @model_validator(mode="after")
    def _table(self) -> LinearCurrents:
        _check_table(self.at, self.coefficient, "coefficient")
        if max(map(abs, self.coefficient)) > 0.1:
            raise ValueError("has a coefficient beyond 0.1 for a kelvin; is it one for a percent?")
        return self


def _check_table(at: list[float], values: list[float], name: str) -> None:
    if len(at) != len(values):
        raise ValueError(f"needs at and {name} of one length")
    if any(high <= low for low, high in pairwise(at)):
        raise ValueError("needs `at` in rising order")


TemperatureDependence = Annotated[ActivatedCurrents | LinearCurrents, Field(discriminator="model")]
