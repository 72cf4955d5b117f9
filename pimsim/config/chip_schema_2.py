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
    "thermometer": {
        "input_bits": 8,
        "features_per_cycle": 20,
        "gates_per_bit": 1,
        "gates_per_input_bit": 1,
        "source": "not stated in the older file; those of the shipped chips",
        "certainty": "assumed",
    },
    "programming_periphery": {
        "area_per_row": "0 um^2",
        "area_per_column": "0 um^2",
        "area_per_array": "0 um^2",
        "source": "none in chip files of schema 2",
        "certainty": "assumed",
    },
    "power": {"weights": "retain", "retention": "33 %", "reload_energy_per_bit": "27 fJ"},
    "array": {"source_line": "mesh"},
    "bit_line": {
        "wire_share": "50 %",
        "wire_layers": 1,
        "pulse": "self_timed",
        "pulse_margin": 1.0,
    },
    "load": {
        "kind": "resistor",
        "capacitance": "0 fF",
        "mismatch": "0 %",
        "area": "0.1 um^2",
        "source": "not stated in the older file; its input range without mismatch",
        "certainty": "assumed",
    },
    "clamp": {
        "kind": "cascode",
        "headroom": "100 mV",
        "slope": 1.3,
        "offset": "0 mV",
        "area": "0 um^2",
        "source": "not stated in the older file; an ideal clamp at the read voltage",
        "certainty": "assumed",
    },
    "limits": {"access": "10 %", "compression": "50 %", "active_rows": "50 %"},
}
# likewise, for a read-out of a kind
ADDED_TO_READ_OUT: dict[str, dict[str, Any]] = {
    "sense_amplifier": {
        "internal_capacitance": "4 fF",
        "offset_per_common_mode": "0 %",
        "cancelling_current": "0 A",
        "node": "16 nm",
    }
}
# keys that now follow from other ones
REMOVED: tuple[KeyPath, ...] = (
    ("word_line_driver", "capacitance_per_cell"),
    ("word_line_driver", "resistance_per_cell"),
    ("bit_line", "capacitance_per_row"),
    ("bit_line", "resistance_per_row"),
    ("bit_line", "load_resistance"),
    ("bit_line", "load_area"),
    ("limits", "mean_current"),
    ("thermal_noise",),
    ("link", "activity"),
    ("power", "sleep_leakage"),
)


def translate_chip_2(source: YamlSource) -> None:
    """Bring a chip file of schema 2 to the present schema in place."""
    tree = source.tree
    if tree.get("schema") != OLD:
        return
    tree["schema"] = NEW
    read_out = tree.get("read_out")
    if isinstance(read_out, dict):
        kind = read_out.get("kind")
        added = ADDED_TO_READ_OUT.get(kind, {}) if isinstance(kind, str) else {}
        for name, number in added.items():
            read_out.setdefault(name, number)
        if "input_range" in read_out:
            # a load followed from nothing: the one that gives this range is taken
            source.copy(("read_out", "input_range"), ("load", "input_range"))
            source.remove(("read_out", "input_range"))
    if isinstance(tree.setdefault("load", {}), dict):
        # what is missing is the read-out, and not its range
        tree["load"].setdefault("input_range", "600 mV")
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
