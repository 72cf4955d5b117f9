"""Published figures come out of parts; one that does not is told, with exit code 1."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from pimsim.cli.validate import validate as command
from pimsim.config import bundled_names, bundled_root
from pimsim.errors import ConfigError
from pimsim.studies.validate import validate_cases


@pytest.mark.parametrize("name", bundled_names("validation"))
def test_every_bundled_case_is_within_its_tolerances(name):
    findings = validate_cases([name])
    assert findings
    for found in findings:
        assert found.passes, (found.figure.quantity, found.modelled)
        assert found.figure.tolerance <= 0.02


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
    assert CliRunner().invoke(command, []).exit_code == 0


def test_a_figure_that_no_model_gives_is_refused(tmp_path):
    path = changed(tmp_path, "quantity: tile.power\n", "quantity: tile.pwer\n")
    with pytest.raises(ConfigError, match=r"case.yaml:\d+.*'tile.pwer'.*tile.power"):
        validate_cases([path])
    with pytest.raises(ConfigError, match="isaac_32nm"):
        validate_cases(["isac_32nm"])
