"""Documents whose names would be markup, if a page let them."""

from __future__ import annotations

import copy
from typing import Any

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> & \"'` $\\frac$ {{ 7 * 7 }}"


def with_name(report: dict[str, Any], device: str) -> dict[str, Any]:
    changed = copy.deepcopy(report)
    changed["run"]["device"] = device
    return changed


def with_hostile_names(tree: Any) -> Any:
    """Every name of the user's in a document replaced by one that would be markup."""
    if isinstance(tree, list):
        return [with_hostile_names(entry) for entry in tree]
    if not isinstance(tree, dict):
        return tree
    names = {"device", "chip", "network", "model", "data", "case", "from", "stage", "quantity",
             "data_description", "name", "levels"}  # fmt: skip
    return {
        key: HOSTILE if key in names and isinstance(value, str) else with_hostile_names(value)
        for key, value in tree.items()
    }
