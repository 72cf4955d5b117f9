"""Base of every document: frozen models, units, and one plain error for an invalid one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pimsim.errors import ConfigError, Place, shown


class Unit(NamedTuple):
    """Unit of a number, or its kind, for the documentation."""

    text: str


Fraction = Annotated[float, Unit("fraction")]
FractionOfFullScale = Annotated[float, Unit("fraction of full scale")]
RatioOf = Annotated[float, Unit("ratio")]
Joule = Annotated[float, Unit("number [J]")]
SquareMetre = Annotated[float, Unit("number [m2]")]
Second = Annotated[float, Unit("number [s]")]
Hertz = Annotated[float, Unit("number [Hz]")]
PerSecond = Annotated[float, Unit("number [1/s]")]
Watt = Annotated[float, Unit("number [W]")]
Ampere = Annotated[float, Unit("number [A]")]
VoltPerAmpere = Annotated[float, Unit("number [V/A]")]
Volt = Annotated[float, Unit("number [V]")]
Millivolt = Annotated[float, Unit("number [mV]")]
Femtofarad = Annotated[float, Unit("number [fF]")]
Kelvin = Annotated[float, Unit("number [K]")]
PreActivation = Annotated[float, Unit("number [units]")]
Quanta = Annotated[int, Unit("integer [quanta]")]
Percent = Annotated[float, Unit("number [%]")]
Points = Annotated[float, Unit("number [percentage points]")]


class Part(BaseModel):
    """A table of a document: unknown keys are refused, nothing changes after it is made."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


class Origin(Part):
    """Origin of a document: date, command and versions."""

    date_utc: str = Field(description="when, ISO 8601")
    command: list[str] | None = Field(
        description="the command line; null where pimsim was called from Python"
    )
    code: str = Field(
        default="",
        description="SHA-256 of the Python files of pimsim; empty in documents of older versions",
    )
    python: str = Field(description="version of Python")
    machine: str = Field(description="processor architecture")
    packages: dict[str, str] = Field(description="versions of `numpy`, `numba`, `scipy`")


class Document(Part):
    """A whole document: the content of a JSON file of results."""

    def as_dict(self) -> dict[str, Any]:
        """The document as JSON holds it."""
        return self.model_dump(mode="json")


AnyDocument = TypeVar("AnyDocument", bound=Document)


def parse(
    tree: Any,
    model: type[AnyDocument],
    place: Path | str,
    what: str = "document that this pimsim can show",
) -> AnyDocument:
    """Make a document from the content of its JSON file.

    Parameters
    ----------
    what
        What the error says that it is not.

    Raises
    ------
    ConfigError
        For the first key that is wrong, with its path.
    """
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        # an unknown key explains a missing one: tell it first
        first = min(error.errors(), key=lambda entry: entry["type"] != "extra_forbidden")
        raise ConfigError(
            f"is no {what}: {_problem(dict(first))}",
            place=Place(place),
            remedy="Run it again with this version",
        ) from error


def _problem(error: dict[str, Any]) -> str:
    at = error["loc"]
    key = "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in at).lstrip(".")
    if error["type"] == "missing":
        return f"{key} is missing"
    if error["type"] == "extra_forbidden":
        return f"{key} is no key that is known here"
    message = error["msg"][:1].lower() + error["msg"][1:]
    return f"{key or 'it'} is {shown(error['input'])}; {message}"
