"""Blocks of several kinds: the class of a block follows from its `kind` when a file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema


@dataclass(frozen=True, eq=False)
class OneOf:
    """Annotation of a field: its block is of one of these classes, chosen by `kind`.

    The dictionary is read at each validation, so that a kind that is added to it can be used.
    """

    blocks: Mapping[str, type[BaseModel]]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(
        self, source: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        is_optional = "null" in str(handler(source).get("anyOf", ""))
        kinds = [handler(block.__pydantic_core_schema__) for block in self.blocks.values()]
        return {"anyOf": [*kinds, *([{"type": "null"}] if is_optional else [])]}

    def read(self, value: Any) -> Any:
        """Make the block that a mapping describes; return any other value unchanged."""
        if not isinstance(value, Mapping):
            return value
        if "kind" not in value:
            raise refusal("missing", ("kind",), value)
        kind = value["kind"]
        block = self.blocks.get(kind) if isinstance(kind, str) else None
        if block is None:
            unknown = PydanticCustomError(
                "unknown_kind", "known kinds: {names}", {"names": ", ".join(sorted(self.blocks))}
            )
            raise refusal(unknown, ("kind",), kind)
        return block.model_validate(value)


def refusal(
    reason: str | PydanticCustomError, loc: tuple[str, ...], value: object
) -> ValidationError:
    """A validation error at a key below the one that is being read."""
    return ValidationError.from_exception_data(
        "block", [InitErrorDetails(type=reason, loc=loc, input=value)]
    )


def misfit(key: str, value: object, sentence: str) -> ValidationError:
    """Error of a block that does not fit another block; a sentence without its subject."""
    return refusal(
        PydanticCustomError("misfit", "{sentence}", {"sentence": sentence}), (key,), value
    )


def alternatives(field: FieldInfo) -> list[type[BaseModel]]:
    """All models that a field accepts."""
    for mark in field.metadata:
        if isinstance(mark, OneOf):
            return list(mark.blocks.values())
    return _models_in(field.annotation)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models_in(part)]
