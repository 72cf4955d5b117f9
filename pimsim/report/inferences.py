"""How many inferences a run's totals are of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def n_inferences(report: Mapping[str, Any]) -> int:
    """Inferences of a run's main part: every chip ran every sequence once in each of its reads."""
    run = report["run"]
    return int(run["n_sequences"] * run["n_chips"] * report["accuracy"]["n_reads"])
