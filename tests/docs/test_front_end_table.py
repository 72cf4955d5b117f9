"""The costs of decision 16 are those of its script."""

from __future__ import annotations

import pytest
from docs_scripts import docs_script

from pimsim.workload import read_network


@pytest.mark.slow
def test_the_costs_are_those_of_the_code():
    script = docs_script("front_end_table")
    page = script.PAGE.read_text(encoding="utf-8")
    network = read_network(script.ROOT / "models" / "gru_w7.safetensors")
    assert script.filled(page, "costs", script.cost_table(network)) == page
