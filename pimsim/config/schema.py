"""Base of every description: frozen models, quantities, sources, and errors with a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pimsim.config.source import YamlSource
from pimsim.config.trouble import config_error
from pimsim.errors import shown
from pimsim.units import parse_quantity


class Certainty(StrEnum):
    """Quality of a number's source; shown beside the source in every report."""

    MEASURED = "measured"  # fitted to measurements that the source names by their hash
    PAPER = "paper"  # read in the paper's own abstract, text or table
    NOTES = "notes"  # read in a public note or transcription that follows the text
    PUBLIC_MODEL = "public model"  # what a public tool uses, not necessarily measured
    DERIVED = "derived"  # arithmetic on the above or on basic physics
    ASSUMED = "assumed"  # no source at hand


class Description(BaseModel):
    """Base of all schemas: unknown keys are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def translate(cls, source: YamlSource) -> None:
        """Rewrite the keys of older files, in place; most descriptions have no older form."""


class Sourced(Description):
    """A block of numbers that come from one place."""

    source: str = Field(min_length=3, description="source of the numbers of this block")
    certainty: Certainty = Field(description="quality of the source")


# what is passed on from layer to layer
Signal = Literal["bits", "codes"]


class Needs(NamedTuple):
    """Requirement of a block: a property of the block under another key, and the reason."""

    having: str
    because: str


class Block(Description):
    """A block of one of several kinds, each with a class of its own (`OneOf`)."""

    goes_with: ClassVar[Mapping[str, Needs]] = {}

    kind: str


def quantity(unit: str) -> tuple[Any, Any]:
    """Annotation for a quantity: text with a unit in YAML, a float in `unit` in Python."""
    read = BeforeValidator(lambda text: parse_quantity(text, unit))
    return read, Field(json_schema_extra={"unit": unit})


@dataclass(frozen=True)
class Current:
    """A current in amperes, or as a fraction of the device's top current."""

    value: float
    unit: Literal["ampere", "fraction"]

    def of(self, top: float) -> float:
        """Current as a fraction of the top current, which is given in amperes."""
        return self.value / top if self.unit == "ampere" else self.value

    def __str__(self) -> str:
        if self.unit == "ampere":
            return f"{self.value * 1e6:g} uA"
        return f"{self.value * 100:g} %"


def _current(text: Any) -> Any:
    if isinstance(text, Current):
        return text
    try:
        return Current(parse_quantity(text, ""), "fraction")
    except ValueError:
        return Current(parse_quantity(text, "ampere"), "ampere")


def _switch(value: object) -> object:
    return {"on": True, "off": False}.get(value, value) if isinstance(value, str) else value


def _number(value: Any) -> Any:
    """A number without a unit, within the limits of ratios."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"is {shown(value)}; a number is needed")
    parse_quantity(value, "")
    return value


# of things that a chip has: a million of a kind is beyond any, and sums of a million stay exact
MAX_COUNT = 1_000_000
Count = Annotated[int, Field(strict=True, ge=1, le=MAX_COUNT)]
Number = Annotated[float, BeforeValidator(_number)]
Switch = Annotated[bool, BeforeValidator(_switch)]
Ratio = Annotated[float, *quantity("")]
Voltage = Annotated[float, *quantity("volt")]
Amperes = Annotated[float, *quantity("ampere")]
Capacitance = Annotated[float, *quantity("farad")]
Seconds = Annotated[float, *quantity("second")]
Temperature = Annotated[float, *quantity("kelvin")]
Length = Annotated[float, *quantity("meter")]
Resistance = Annotated[float, *quantity("ohm")]
Frequency = Annotated[float, *quantity("hertz")]
Energy = Annotated[float, *quantity("joule")]
Power = Annotated[float, *quantity("watt")]
Area = Annotated[float, *quantity("meter ** 2")]
CapacitancePerLength = Annotated[float, *quantity("farad / meter")]
ResistancePerLength = Annotated[float, *quantity("ohm / meter")]
CurrentOrFraction = Annotated[Current, BeforeValidator(_current)]
Fractions = Annotated[list[Ratio], Field(min_length=2, max_length=256)]

Model = TypeVar("Model", bound=BaseModel)


def validate(source: YamlSource, model: type[Model]) -> Model:
    """Check a YAML tree against a schema; older forms of the file are translated first.

    Raises
    ------
    ConfigError
        For all that is wrong at once, each with file, line, key, value and remedy.
    """
    if issubclass(model, Description):
        model.translate(source)
    try:
        return model.model_validate(source.tree)
    except ValidationError as error:
        raise config_error(source, model, error.errors()) from error
