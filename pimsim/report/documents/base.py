"""Base of every document: frozen models, units, and one plain error for an invalid one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pimsim.config.trouble import in_words
from pimsim.errors import ConfigError, Place, printable, shown, unprintable

# of any number in SI units, and of a seed: what is added or multiplied stays finite
MAX_NUMBER = 1e30
MAX_DEPTH = 24


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
Metre = Annotated[float, Unit("number [m]")]
LevelSteps = Annotated[float, Unit("number [level steps]")]
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

    Numbers, texts and depth of the whole tree are bounded first, so that nothing that is made of a
    document meets what no document of pimsim holds.

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
        problem = _unsound(tree, ())
        if not problem:
            return model.model_validate(tree)
    except ValidationError as error:
        # an unknown key explains a missing one: tell it first
        first = min(error.errors(), key=lambda entry: entry["type"] != "extra_forbidden")
        problem = _problem(dict(first))
    raise ConfigError(
        f"is no {what}: {problem}",
        place=Place(place),
        remedy="Run it again with this version",
    )


def _unsound(tree: Any, at: tuple[str | int, ...]) -> str:
    """What in a tree no document holds; empty if there is nothing."""
    if len(at) > MAX_DEPTH:
        return f"{_key(at[:3])}... is nested more than {MAX_DEPTH} levels deep"
    if isinstance(tree, str):
        found = unprintable(tree)
        return f"{_key(at)} holds {found}, which is no letter" if found else ""
    if isinstance(tree, (int, float)) and not abs(tree) <= MAX_NUMBER:
        return f"{_key(at)} is {shown(tree)}; numbers to {MAX_NUMBER:g} are taken"
    if isinstance(tree, dict):
        for key, value in tree.items():
            if problem := _unsound(key, (*at, "a key")) or _unsound(value, (*at, key)):
                return problem
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            if problem := _unsound(value, (*at, index)):
                return problem
    return ""


def _key(at: tuple[str | int, ...]) -> str:
    key = "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in at).lstrip(".")
    return printable(key) or "it"


def _problem(error: dict[str, Any]) -> str:
    key = _key(error["loc"])
    if error["type"] == "missing":
        return f"{key} is missing"
    if error["type"] == "extra_forbidden":
        return f"{key} is no key that is known here"
    return f"{key} is {shown(error['input'])}; {in_words(error)}"
