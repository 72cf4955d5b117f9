"""Network files of formats 1 and 2: a chain of layers, named by kind and place.

The sigmoid's temperature stood among the free remarks of `provenance`.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from pimsim.errors import PimsimError, shown
from pimsim.workload.graph import ENCODER


def as_format_3(
    header: dict[str, Any], tensors: dict[str, NDArray[Any]]
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Header and tensors as a file of format 3 would hold them."""
    header, tensors = dict(header), dict(tensors)
    for key in ("temperature", "nodes"):
        if key in header:
            raise PimsimError(f"has the key '{key}', which formats 1 and 2 do not know")
    nodes: list[dict[str, Any]] = []
    for index, layer in enumerate(header.pop("layers")):
        if not isinstance(layer, dict):
            raise ValueError(f"layers[{index}] is {shown(layer)}, which is no table")
        for key in ("name", "inputs"):
            if key in layer:
                raise PimsimError(
                    f"has the key 'layers[{index}].{key}', which formats 1 and 2 do not know"
                )
        name, below = f"{layer['kind']}{index}", nodes[-1]["name"] if nodes else ENCODER
        nodes.append({"name": name, "inputs": [below], **layer})
        prefix = f"layers.{index}."
        for old in [key for key in tensors if key.startswith(prefix)]:
            tensors[f"{name}.{old.removeprefix(prefix)}"] = tensors.pop(old)
    provenance = dict(header.get("provenance") or {})
    temperature = provenance.get("temperature")
    header |= {"nodes": nodes, "temperature": 1.0 if temperature is None else temperature}
    return header, tensors
