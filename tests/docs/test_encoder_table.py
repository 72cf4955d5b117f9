"""The costs of the three encoders in docs/comparison.md are those of the code."""

from __future__ import annotations

import pytest
from docs_scripts import docs_script


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_costs_are_those_of_the_code(place):
    script = docs_script("encoder_table")
    page = script.PAGE.read_text(encoding="utf-8")
    for name, value in script.costs(script.ENCODERS[place]).items():
        line = next(line for line in page.splitlines() if line.startswith(f"| {name} |"))
        assert line.split(" | ")[1 + place].rstrip(" |") == value, name
