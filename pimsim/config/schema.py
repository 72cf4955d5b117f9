"""Base of every description: frozen models, quantities, sources, and errors with a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from pimsim.config.kinds import OneOf
from pimsim.config.source import KeyPath, YamlSource
from pimsim.errors import ConfigError, nearest, shown
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
        For the first thing that is wrong, with file, line, key, value and remedy.
    """
    if issubclass(model, Description):
        model.translate(source)
    try:
        return model.model_validate(source.tree)
    except ValidationError as error:
        # an unknown key explains a missing one: tell it first
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        raise _as_config_error(source, model, dict(first)) from error


def alternatives(field: FieldInfo) -> list[type[BaseModel]]:
    """All models that a field accepts."""
    for mark in field.metadata:
        if isinstance(mark, OneOf):
            return list(mark.blocks.values())
    return _models_in(field.annotation)


def _as_config_error(
    source: YamlSource, model: type[BaseModel], error: dict[str, Any]
) -> ConfigError:
    at = _without_tags(tuple(error["loc"]), source.tree)
    place = source.place(at)
    match error["type"]:
        case "extra_forbidden":
            known = _known_keys(model, at[:-1], source.tree)
            remedy = nearest(str(at[-1]), known) if known else ""
            return ConfigError("is no key that is known here", place=place, remedy=remedy)
        case "missing":
            key = source.as_written(at)[-1]
            return ConfigError("is missing", place=place, remedy=f"Add '{key}:' there")
        case "value_error":
            return ConfigError(str(error["ctx"]["error"]), place=place)
        case "misfit":
            return ConfigError(error["msg"], place=place)
        case "unknown_kind":
            remedy = f"Known kinds: {error['ctx']['names']}"
            return ConfigError(
                f"is {shown(error['input'])}, which is no known kind", place=place, remedy=remedy
            )
    if error["type"] == "model_type":
        return ConfigError(f"is {shown(error['input'])}; it needs keys of its own", place=place)
    message = error["msg"][:1].lower() + error["msg"][1:]
    return ConfigError(f"is {shown(error['input'])}; {message}", place=place)


def _without_tags(loc: KeyPath, tree: Any) -> KeyPath:
    """Path of a pydantic error without the tags of unions, which are not keys of the file."""
    kept: list[str | int] = []
    node = tree
    for step in loc:
        if (
            isinstance(node, dict)
            and step in (node.get("model"), node.get("kind"))
            and step not in node
        ):
            continue
        kept.append(step)
        inside = isinstance(node, dict) and step in node
        if inside or (isinstance(node, list) and isinstance(step, int) and step < len(node)):
            node = node[step]
        else:
            node = None
    return tuple(kept)


def _known_keys(model: type[BaseModel], at: KeyPath, tree: Any) -> list[str]:
    """Keys allowed at a path; those of all alternatives where the schema has several."""
    here, node = [model], tree
    for key in at:
        if isinstance(key, int):
            # an entry of a list: the models are those of the list's key
            node = node[key] if isinstance(node, list) and key < len(node) else None
            kind = node.get("kind") if isinstance(node, dict) else None
            here = [m for m in here if kind is None or _is_kind(m, kind)] or here
            continue
        fields = [candidate.model_fields.get(str(key)) for candidate in here]
        node = node.get(key) if isinstance(node, dict) else None
        kind = node.get("kind") if isinstance(node, dict) else None
        here = [m for info in fields if info is not None for m in _models_at(info, kind)]
    return sorted(
        {info.alias or name for candidate in here for name, info in candidate.model_fields.items()}
    )


def _models_at(field: FieldInfo, kind: object) -> list[type[BaseModel]]:
    """Model of the chosen kind, where a block can be of several kinds."""
    for mark in field.metadata:
        if isinstance(mark, OneOf) and isinstance(kind, str) and kind in mark.blocks:
            return [mark.blocks[kind]]
    return alternatives(field)


def _is_kind(model: type[BaseModel], kind: object) -> bool:
    """Whether a model is that of a block of a kind; one without kinds is."""
    field = model.model_fields.get("kind")
    return field is None or kind in getattr(field.annotation, "__args__", (kind,))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models_in(part)]
