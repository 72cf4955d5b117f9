"""JSON Schema of the YAML files, by which editors complete and check keys while one types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from pimsim.config.chip import ChipConfig
from pimsim.config.device import DeviceConfig
from pimsim.config.run import RunConfig
from pimsim.config.technology import TechnologyConfig
from pimsim.units import EXAMPLES

# by the word of the command; recipes are described where torch is (`pimsim.train`)
SCHEMAS: Mapping[str, type[BaseModel]] = {
    "device": DeviceConfig,
    "chip": ChipConfig,
    "technology": TechnologyConfig,
    "model": RunConfig,
}
_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
_QUANTITY = rf"^\s*{_NUMBER}\s*[^\s0-9].*$"
_RATIO = {
    "anyOf": [
        {"type": "number"},
        {"type": "string", "pattern": rf"^\s*{_NUMBER}\s*(%|percent|permille|ppm)?\s*$"},
    ],
    "examples": ["2 %", 0.02],
}
_CURRENT = {
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": rf"^\s*{_NUMBER}.*$"}],
    "examples": ["2 uA", "5 %"],
}
_SWITCH = {"enum": ["on", "off", True, False]}


def json_schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    """JSON Schema of a description: a quantity is a text with its unit, a switch on or off.

    It tells keys, kinds and forms of values; what goes with what, pimsim tells alone.
    """
    tree: dict[str, Any] = _as_written(model.model_json_schema(by_alias=True))
    if "Current" in tree.get("$defs", {}):
        tree["$defs"]["Current"] = dict(_CURRENT)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **tree, "title": title}


def _as_written(node: Any) -> Any:
    """A part of a schema with values in the form that they have in a file."""
    if isinstance(node, list):
        return [_as_written(part) for part in node]
    if not isinstance(node, dict):
        return node
    unit = node.get("unit")
    kept = {key: node[key] for key in ("description", "title") if isinstance(node.get(key), str)}
    if isinstance(unit, str) and node.get("type") == "number":
        if not unit:
            return {**kept, **_RATIO}
        return {**kept, "type": "string", "pattern": _QUANTITY, "examples": [EXAMPLES[unit]]}
    if node.get("type") == "boolean":
        return {**kept, **_SWITCH}
    # defaults are numbers in SI units, which no file holds
    return {key: _as_written(part) for key, part in node.items() if key != "default"}
