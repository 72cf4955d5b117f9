"""Schema of a validation file: a published chip as entered, and its published figures."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pimsim.config.schema import (
    MAX_COUNT,
    Amperes,
    Area,
    Capacitance,
    Count,
    Description,
    Energy,
    Number,
    Power,
    Ratio,
    Seconds,
    Sourced,
    Temperature,
    Voltage,
)
from pimsim.config.source import YamlSource

# units of published figures, in SI
UNITS = {
    "": 1.0,
    "%": 1e-2,
    "mV": 1e-3,
    "ns": 1e-9,
    "fJ": 1e-15,
    "mW": 1e-3,
    "W": 1.0,
    "um2": 1e-12,
    "mm2": 1e-6,
    "pJ": 1e-12,
    "nJ": 1e-9,
    "us": 1e-6,
    "GOPS": 1e9,
    "GOPS/W": 1e9,
    "GOPS/mm2": 1e15,
    "TOPS/W": 1e12,
    "MB/mm2": 8 * 2.0**20 * 1e6,
    "Mcells/mm2": 1e12,
}

# of a weight, an input or a cell
Bits = Annotated[int, Field(strict=True, ge=1, le=64)]


class Basis(StrEnum):
    """Label of a figure: whether it could have come out wrong, and by what."""

    PREDICTED = "predicted"  # by `pimsim run`, with no fitted number of the chip in question
    CALIBRATED = "calibrated"  # a number that was entered was fitted to it
    ARITHMETIC = "arithmetic"  # sums and products of entered numbers: only adding is tested


class Figure(Sourced):
    """A published figure and how near the model must come."""

    quantity: str = Field(description="name of the modelled figure")
    published: Number = Field(description="as published, in `unit`; errors are relative to it")
    unit: Literal[tuple(UNITS)]  # type: ignore[valid-type]
    tolerance: Ratio | None = Field(
        default=None, gt=0, description="largest error, as a fraction of the published value"
    )
    factor: Number | None = Field(
        default=None,
        gt=1,
        description="instead of a tolerance: largest factor between modelled and published",
    )
    basis: Basis
    same_as: str | None = Field(
        default=None,
        description="of a prediction: another figure that stands or falls with it; both count once",
    )
    expected: Literal["pass", "fail"] = Field(
        default="pass",
        description="whether it is within its bound today; a figure that is known to miss is "
        "shown, and does not turn the exit code",
    )
    settings: list[str] = Field(
        default=[], description="of a run: `--set` assignments for this figure alone"
    )

    @field_validator("published")
    @classmethod
    def _not_zero(cls, published: float) -> float:
        if published == 0:
            raise ValueError("is 0; an error relative to it has no value")
        return published

    @model_validator(mode="after")
    def _one_bound(self) -> Figure:
        if (self.tolerance is None) == (self.factor is None):
            raise ValueError("needs a tolerance or a factor, one of both")
        return self


class Item(Sourced):
    """Equal parts of a level."""

    count: Count
    power: Power = Field(ge=0, description="power of one part")
    area: Area = Field(ge=0, description="area of one part")
    shared_by: Count = Field(default=1, description="levels that share each")


class Level(Description):
    """A level: its parts, and its number of copies of the level before."""

    holds: int = Field(
        default=0,
        strict=True,
        ge=0,
        le=MAX_COUNT,
        description="number of copies of the level before",
    )
    items: dict[str, Item]


class BitSerialArrays(Sourced):
    """Crossbars whose columns hold slices of weights, and whose rows take slices of inputs."""

    per_first_level: Count = Field(description="crossbars in the first level")
    rows: Count
    columns: Count
    cell_bits: Bits
    weight_bits: Bits
    input_bits: Bits
    dac_bits: Bits
    cycle: Seconds = Field(gt=0, description="time of one slice of the inputs")

    @model_validator(mode="after")
    def _holds_a_weight(self) -> BitSerialArrays:
        columns = -(-self.weight_bits // self.cell_bits)
        if columns > self.columns:
            raise ValueError(
                f"has {self.columns} columns, and a weight takes {columns}: "
                f"{self.weight_bits} bits in cells of {self.cell_bits}"
            )
        return self


class Hierarchy(Description):
    """A chip from the parts of its levels, the first level first."""

    model: Literal["hierarchy"]
    levels: dict[str, Level] = Field(min_length=1, max_length=8)
    arrays: BitSerialArrays

    @model_validator(mode="after")
    def _has_power_and_area(self) -> Hierarchy:
        first = next(iter(self.levels.values()))
        for figure in ("power", "area"):
            if not any(getattr(item, figure) for item in first.items.values()):
                raise ValueError(f"has a first level without {figure}; shares of it have no value")
        array = first.items.get("array")
        if array is not None and "adc" in first.items and not (array.power and array.area):
            raise ValueError("has an array without power or area, of which the ADC's are multiples")
        return self


class Columns(Sourced):
    """A macro whose columns work at once, each with an ADC of its own."""

    model: Literal["columns"]
    rows: Count
    columns: Count
    array_energy: Energy = Field(ge=0, description="energy of a column, in one operation")
    converter_energy: Energy = Field(ge=0, description="energy of a conversion")

    @model_validator(mode="after")
    def _takes_energy(self) -> Columns:
        if not self.array_energy + self.converter_energy:
            raise ValueError("takes no energy; operations per joule have no value")
        return self


class Lines(Sourced):
    """Lines that are charged and discharged, such as word lines."""

    count: Count = Field(description="lines")
    cells: Count = Field(description="on each")
    capacitance_per_cell: Capacitance = Field(gt=0)
    driver_capacitance: Capacitance = Field(ge=0, description="capacitance of the driver of a line")
    supply: Voltage = Field(gt=0)
    swing: Voltage = Field(gt=0)
    raised: Ratio = Field(gt=0, le=1, description="share of the lines that are, each time")


class Cells(Sourced):
    """Currents that flow through cells."""

    count: Count
    conducting: Ratio = Field(gt=0, le=1, description="share whose word line is up")
    current: Amperes = Field(gt=0, description="mean of those")
    supply: Voltage = Field(gt=0, description="that the current is drawn from")
    pulse: Seconds = Field(gt=0)


class ReadOut(Sourced):
    """Circuit that turns a sum into bits."""

    count: Count = Field(description="outputs")
    energy: Energy = Field(gt=0, description="energy of one")


class Macro(Description):
    """An array with its lines, cells and read-out, in one multiplication by a vector."""

    model: Literal["macro"]
    inputs: Count
    outputs: Count
    lines: Lines
    cells: Cells
    read_out: ReadOut


class PublishedRun(Description):
    """A published chip as `pimsim run` sees it: a model file beside its chip and device."""

    model: Literal["run"]
    file: str = Field(description="model file, or the name of one in hwconfigs/published")
    over: str | None = Field(
        default=None, description="second model file: every figure is the ratio of both"
    )
    from_the_chip: list[str] = Field(
        min_length=1,
        description="what was entered from the chip itself: geometry, node, supply, clock and the "
        "like",
    )
    fitted: list[str] = Field(
        default=[], description="numbers that were fitted to a figure of this chip"
    )


class SampledNoise(Sourced):
    """kT/C at the sense amplifier."""

    model: Literal["sampled_noise"]
    capacitance: Capacitance = Field(gt=0, description="capacitance of one side")
    temperature: Temperature = Field(gt=0)
    volts_per_unit: Voltage = Field(gt=0, description="voltage of a unit of pre-activation")


class ValidationCase(Description):
    """One published chip or figure."""

    schema_: Literal["pimsim.validation/2"] = Field(alias="schema")
    name: str = Field(min_length=1)
    citation: str = Field(min_length=10)
    entered: Annotated[
        Hierarchy | Columns | Macro | SampledNoise | PublishedRun, Field(discriminator="model")
    ]
    figures: list[Figure] = Field(min_length=1)

    @classmethod
    def translate(cls, source: YamlSource) -> None:
        """Bring a file of schema 1 up to date: its predictions were none by the label of today."""
        if source.tree.get("schema") != "pimsim.validation/1":
            return
        source.tree["schema"] = "pimsim.validation/2"
        figures = source.tree.get("figures")
        for figure in figures if isinstance(figures, list) else []:
            if isinstance(figure, dict) and figure.get("basis") == "predicted":
                figure["basis"] = "arithmetic"

    @model_validator(mode="after")
    def _labels(self) -> ValidationCase:
        run = isinstance(self.entered, PublishedRun)
        fitted = isinstance(self.entered, PublishedRun) and bool(self.entered.fitted)
        for figure in self.figures:
            if figure.basis is Basis.PREDICTED and not run:
                raise ValueError(
                    f"calls {figure.quantity} predicted; only what the code path of `pimsim run` "
                    "gives is a prediction (model: run)"
                )
            if figure.basis is Basis.CALIBRATED and run and not fitted:
                raise ValueError(f"calls {figure.quantity} calibrated, and names nothing as fitted")
            if figure.settings and not run:
                raise ValueError(f"has settings for {figure.quantity}, which no run takes")
        return self
