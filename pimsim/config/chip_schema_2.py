"""Translation of chip files of schema `pimsim.chip/2`: circuits that it left out are spelled out.

Each value is one that the shipped chips of that schema would have had; `ADDED` says so in `source`
where a whole block is new.
"""

from __future__ import annotations

import copy
from typing import Any

from pimsim.config.source import KeyPath, YamlSource

OLD, NEW = "pimsim.chip/2", "pimsim.chip/3"

# block -> keys that files of the older schema do not have, with the values that stand for them
ADDED: dict[str, dict[str, Any]] = {
    "input_encoder": {"frames_at_once": 1},
    "programming_periphery": {
        "area_per_row": "0 um^2",
        "area_per_column": "0 um^2",
        "area_per_array": "0 um^2",
        "source": "none in chip files of schema 2",
        "certainty": "assumed",
    },
    "power": {"weights": "retain", "retention": "33 %", "reload_energy_per_bit": "27 fJ"},
}
# keys that now follow from other ones
REMOVED: tuple[KeyPath, ...] = (("link", "activity"), ("power", "sleep_leakage"))


def translate_chip_2(source: YamlSource) -> None:
    """Bring a chip file of schema 2 to the present schema in place."""
    tree = source.tree
    if tree.get("schema") != OLD:
        return
    tree["schema"] = NEW
    for path in REMOVED:
        parent: Any = tree
        for key in path[:-1]:
            parent = parent.get(key) if isinstance(parent, dict) else None
        if isinstance(parent, dict) and path[-1] in parent:
            source.remove(path)
    for block, keys in ADDED.items():
        inside = tree.setdefault(block, {})
        if isinstance(inside, dict):
            for key, value in keys.items():
                inside.setdefault(key, copy.deepcopy(value))
