"""Published figures come out of parts; one that does not is told, with exit code 1."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from pimsim.cli.validate import validate as command
from pimsim.config import bundled_names, bundled_root
from pimsim.errors import ConfigError
from pimsim.report.blocks import digits
from pimsim.studies.validate import validate_cases


@pytest.mark.parametrize("name", bundled_names("validation"))
def test_every_bundled_case_is_within_its_tolerances(name):
    findings = validate_cases([name])
    assert findings
    for found in findings:
        known = found.figure.expected == "fail"
        assert found.passes != known, (found.figure.quantity, found.modelled)
        if found.figure.factor is None:
            assert found.figure.tolerance <= (0.02 if found.run is None else 0.1)
        else:
            assert found.figure.factor <= 2


def test_the_sums_of_isaac_by_hand():
    found = {f.figure.quantity: f.modelled for f in validate_cases(["isaac_32nm"])}
    ima = 8 * 2 + 1024 * 0.00390625 + 1024 * 9.765625e-6 + 8 * 0.3 + 4 * 0.05 + 1.24 + 0.23
    tile = 12 * ima + 20.7 + 7 + 42 / 4 + 2 * 0.26 + 0.05 + 0.4 + 1.68
    assert found["tile.power"] == pytest.approx(tile)
    chip = 168 * tile / 1e3 + 10.4
    assert found["chip.power"] == pytest.approx(chip)
    # 8 x 12 x 168 crossbars, 128 inputs and 16 weights of 16 bits each, 16 cycles of 100 ns
    gops = 8 * 12 * 168 * 128 * 16 * 2 / (16 * 100)
    assert found["operations"] == pytest.approx(gops)
    assert found["operations_per_joule"] == pytest.approx(gops / chip)
    assert found["tile.adc.power_share"] == pytest.approx(100 * 12 * 16 / tile)


def changed(tmp_path, pattern: str, replacement: str, name: str = "isaac_32nm"):
    text = (bundled_root() / "hwconfigs/validation" / f"{name}.yaml").read_text()
    text, n = re.subn(pattern, replacement, text, count=1)
    assert n == 1
    (tmp_path / "case.yaml").write_text(text)
    return str(tmp_path / "case.yaml")


def test_a_figure_that_misses_ends_in_exit_code_1(tmp_path):
    path = changed(tmp_path, "power: 2 mW", "power: 3 mW")
    done = CliRunner().invoke(command, [path, "--out", str(tmp_path / "out.json")])
    assert done.exit_code == 1
    assert "MISSED" in done.output
    rows_found = json.loads((tmp_path / "out.json").read_text())["figures"]
    assert {row["quantity"] for row in rows_found if not row["passes"]} >= {"tile.power"}
    all_cases = CliRunner().invoke(command, [], env={"COLUMNS": "80"})
    assert all_cases.exit_code == 0
    # a terminal of 80 columns shows every figure with its unit and its bound
    lines = [line.replace("│", " ").split() for line in all_cases.output.splitlines()]
    for found in validate_cases([]):
        figure = found.figure
        row = next(line for line in lines if line[:1] == [figure.quantity]
                   and digits(found.modelled) in line)  # fmt: skip
        assert figure.unit.split() == row[3 : 3 + len(figure.unit.split())]
        assert row[-1] == (figure.basis if found.passes else "MISSED")
    assert max(map(len, all_cases.output.splitlines())) <= 80


def test_a_figure_that_no_model_gives_is_refused(tmp_path):
    path = changed(tmp_path, "quantity: tile.power\n", "quantity: tile.pwer\n")
    with pytest.raises(ConfigError, match=r"case.yaml:\d+.*'tile.pwer'.*tile.power"):
        validate_cases([path])
    with pytest.raises(ConfigError, match="isaac_32nm"):
        validate_cases(["isac_32nm"])


def test_the_energy_of_a_macro_by_hand():
    found = {f.figure.quantity: f.modelled for f in validate_cases(["neurram_2022_by_hand"])}
    lines = 256 * (48 + 2.1 * 256) * 1e-15 * 1.3 * 2.2
    cells = 256 * 256 * 0.5 * 1.25e-6 * 10e-9
    read_out = 256 * 2.65e-12
    assert found["lines.energy"] == pytest.approx(lines * 1e9)
    assert found["cells.energy"] == pytest.approx(cells * 1e9)
    per_watt = 2 * 128 * 256 / (lines + cells + read_out) / 1e12
    assert found["operations_per_joule"] == pytest.approx(per_watt)


@pytest.mark.parametrize(("published", "passes"), [(0.3, True), (1.0, False), (0.2, False)])
def test_a_factor_bounds_both_sides(tmp_path, published, passes):
    # the model gives 0.429 nJ
    path = changed(tmp_path, "published: 0.589", f"published: {published}", "neurram_2022_by_hand")
    assert validate_cases([path])[0].passes is passes


@pytest.mark.parametrize("bounds", ["", "tolerance: 1 %\n    factor: 2"])
def test_a_figure_has_one_bound(tmp_path, bounds):
    path = changed(tmp_path, "factor: 2", bounds, "neurram_2022_by_hand")
    with pytest.raises(ConfigError, match="a tolerance or a factor"):
        validate_cases([path])
