"""Translation of device and technology files of schema 1: their electrical side is spelled out.

Such files left the voltages of a read, the size of a transistor and the width of a wire open; what
stands for them is assumed, as for a resistive cell of the 16 nm files that come with pimsim.
"""

from __future__ import annotations

from typing import Any

from pimsim.config.source import YamlSource

_READ = {"kind": "resistor", "voltage": "200 mV", "shot_noise": "100 %"}
_CELL = {"fins": 1}
_WIRE = {"width": "32 nm"}
_TRANSISTOR = {"drain_capacitance": "0.05 fF", "on_resistance": "10 kohm", "threshold": "0.35 V"}


def translate_device(source: YamlSource) -> None:
    """Bring a device file of schema 1 to the present schema in place."""
    _add(source, "pimsim.device", {"read": _READ, "cell": _CELL})


def translate_technology(source: YamlSource) -> None:
    """Bring a technology file of schema 1 to the present schema in place."""
    _add(source, "pimsim.technology", {"wire": _WIRE, "transistor": _TRANSISTOR})


def _add(source: YamlSource, schema: str, added: dict[str, dict[str, Any]]) -> None:
    tree = source.tree
    if tree.get("schema") != f"{schema}/1":
        return
    tree["schema"] = f"{schema}/2"
    for block, keys in added.items():
        inside = tree.get(block)
        if isinstance(inside, dict):
            for key, value in keys.items():
                inside.setdefault(key, value)
