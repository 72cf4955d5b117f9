"""The table of the read-out's theory is what its script gives."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "read_out_table.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("read_out_table", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_that_of_the_code(script):
    page = script.PAGE.read_text(encoding="utf-8")
    assert script.filled(page, script.table()) == page


def test_no_row_changes_the_energy_alone(script):
    page = script.PAGE.read_text(encoding="utf-8")
    inside = page.partition("<!-- read-out table -->")[2].partition("<!-- end -->")[0]
    rows = [line.strip("| ").split(" | ") for line in inside.strip().splitlines()[2:]]
    base, others = rows[0], rows[1:]
    for row in others:
        others_than_energy = [i for i in range(1, len(row)) if i != 5 and row[i] != base[i]]
        assert others_than_energy, row
