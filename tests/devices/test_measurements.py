"""What laboratories write: semicolons, resistances, names of cells, targets, overflows."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.devices.measurements import read_measurements
from pimsim.errors import DataError


def read(tmp_path, text, units=None):
    (tmp_path / "cells.csv").write_text(text)
    return read_measurements(tmp_path / "cells.csv", units)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_commas_are_read_where_semicolons_or_tabs_delimit(tmp_path, delimiter):
    text = "level;cell;conductance [uS]\n0;0;5,25\n0;1;5\n1;0;1,5e1\n".replace(";", delimiter)
    data = read(tmp_path, text)
    assert data.columns["conductance"] == pytest.approx([5.25e-6, 5e-6, 15e-6])


def test_two_decimal_marks_in_a_file_are_refused_with_the_line_of_the_second(tmp_path):
    text = "level;time [s];current [uA]\n0;1;5,25\n0;1,5;5\n1;1;5.5\n"
    with pytest.raises(DataError, match=r":4 has current '5\.5', and an earlier decimal mark is"):
        read(tmp_path, text)


def test_resistances_are_read_as_conductances(tmp_path):
    data = read(tmp_path, "level,resistance [kohm]\n0,200\n1,20\n")
    assert data.value == "conductance"
    assert data.columns["conductance"] == pytest.approx([5e-6, 50e-6])
    with pytest.raises(DataError, match=":3 has resistance 0; a resistance above 0 is needed"):
        read(tmp_path, "level,R [ohm]\n0,200\n1,0\n")


def test_cells_have_names(tmp_path):
    data = read(tmp_path, "level,cell,current [uA]\n0,D3,1\n0,D4,2\n1, D3,3\n1,7,4\n1,7.0,5\n")
    assert data.columns["cell"].tolist() == [0, 1, 0, 2, 2]


def test_targets_in_units_are_levels_from_low_to_high_current(tmp_path):
    data = read(tmp_path, "target [uS],conductance [uS]\n20.5,21\n5,6\n20.5,20\n40,39\n")
    assert data.columns["level"].tolist() == [1, 0, 1, 2]
    assert data.targets == pytest.approx([5e-6, 20.5e-6, 40e-6])
    data = read(tmp_path, "target [kohm],conductance [uS]\n10,99\n200,6\n")
    assert data.columns["level"].tolist() == [1, 0]
    with pytest.raises(DataError, match=":3 has level 20.5; a whole number below 256, or a target"):
        read(tmp_path, "target,conductance [uS]\n5,6\n20.5,20\n")
    rows = "\n".join(f"{k},{k}" for k in range(300))
    with pytest.raises(DataError, match="has 300 targets; 256 at most are levels"):
        read(tmp_path, f"target [uS],conductance [uS]\n{rows}\n")


@pytest.mark.parametrize("reading", ["9.9e37", "-9.91e37", "OVLD", "+OL", "Inf", "overflow"])
def test_overflows_are_named_by_their_line(tmp_path, reading):
    with pytest.raises(DataError) as error:
        read(tmp_path, f"level,current [uA]\n0,1\n\n1,{reading}\n")
    assert f"cells.csv:4 has current '{reading}', an overflow of the instrument" in str(error.value)


def test_a_missing_column_lists_those_that_are_there(tmp_path):
    with pytest.raises(DataError, match=r"'resistance' \(its columns: 'level', 'v'"):
        read(tmp_path, "level,v,note\n0,1,2\n")
    with pytest.raises(DataError, match="no column of target levels .its columns: 'current"):
        read(tmp_path, "current [A],x\n0,1\n")


def test_a_unit_of_no_column_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"has no column 'currents', which --unit names.*'current'"):
        read(tmp_path, "level,current [A]\n0,1\n", {"currents": "uA"})


def test_underscores_are_no_digits(tmp_path):
    with pytest.raises(DataError, match=":2 has current '1_0', which is no number"):
        read(tmp_path, "level,current [A]\n0,1_0\n")


def test_numbers_of_many_blocks_are_those_of_one(tmp_path):
    rows = "\n".join(f"{k % 3},c{k % 50},{k * 0.25:.2f}" for k in range(25_000))
    data = read(tmp_path, f"level,cell,current [uA]\n{rows}\n")
    assert np.array_equal(data.columns["cell"], np.arange(25_000) % 50)
    assert data.columns["current"] == pytest.approx(np.arange(25_000) * 0.25e-6)
