"""The table of the read-out's theory is what its script gives."""

from __future__ import annotations

SCRIPT = "read_out_table"


def test_the_table_is_that_of_the_code(script):
    page = script.PAGE.read_text(encoding="utf-8")
    assert script.filled(page, "read-outs", script.rows()) == page


def test_no_row_changes_the_energy_alone(script):
    page = script.PAGE.read_text(encoding="utf-8")
    inside = page.partition("<!-- table of read-outs -->")[2].partition("<!-- end of table -->")[0]
    rows = [line.strip("| ").split(" | ") for line in inside.strip().splitlines()[2:]]
    base, others = rows[0], rows[1:]
    for row in others:
        others_than_energy = [i for i in range(1, len(row)) if i != 5 and row[i] != base[i]]
        assert others_than_energy, row
