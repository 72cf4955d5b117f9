"""The costs of decision 16 are those of its script."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from pimsim.workload import read_network

SCRIPT = Path(__file__).parents[2] / "docs" / "front_end_table.py"


def test_the_costs_are_those_of_the_code():
    spec = importlib.util.spec_from_file_location("front_end_table", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = script.PAGE.read_text(encoding="utf-8")
    network = read_network(script.ROOT / "models" / "gru_w7.safetensors")
    assert script.filled(page, "costs", script.cost_table(network)) == page
