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
_ASSUMED = {"source": "not stated in the older file", "certainty": "assumed"}
_LOGIC = {
    "leakage": {"temperature": "300 K", "doubling": "11 K", **_ASSUMED},
    "clock_tree": {"node": "16 nm", "supply": "0.8 V", "energy_per_cycle": "0.5 fJ",
                   "tree": "100 %", **_ASSUMED},
}  # fmt: skip
_MEMORY: dict[str, Any] = {"words": 2048, "sensing": "19 %"}


def translate_device(source: YamlSource) -> None:
    """Bring a device file of schema 1 to the present schema in place.

    `programming` had one model, and no name for it.
    """
    _add(source, "pimsim.device", {"read": _READ, "cell": _CELL})
    programming = source.tree.get("programming") if isinstance(source.tree, dict) else None
    if isinstance(programming, dict):
        programming.setdefault("model", "birth_death")


def translate_technology(source: YamlSource) -> None:
    """Bring a technology file of schema 1 to the present schema in place."""
    tree = source.tree
    if tree.get("schema") == "pimsim.technology/1":
        tree.setdefault("corner", "hp")  # whose polynomials scaled such files
        for block, keys in _LOGIC.items():
            tree.setdefault(block, dict(keys))
        _gather_areas(source)
    added: dict[str, dict[str, Any]] = {
        "wire": _WIRE,
        "transistor": _TRANSISTOR,
        "memory_read": _MEMORY,
    }
    _add(source, "pimsim.technology", added)


def _gather_areas(source: YamlSource) -> None:
    """Bring the areas of gate and flip-flop, which stood with their energies, into a block."""
    blocks = {name: source.tree.get(name) for name in ("gate", "flip_flop")}
    areas: dict[str, Any] = {}
    for name, block in blocks.items():
        if not isinstance(block, dict) or "area" not in block:
            return  # what is missing is told when the file is checked
        areas |= {key: block[key] for key in ("node", "supply") if key in block}
        areas[name] = block["area"]
    for name in blocks:
        source.remove((name, "area"))
    source.tree.setdefault("logic_area", {**areas, **_ASSUMED})


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
