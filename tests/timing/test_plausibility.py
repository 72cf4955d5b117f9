"""Chips that cannot be built are refused or doubted, the shipped ones are neither."""

from __future__ import annotations

import pytest
from files import bundled_chip, bundled_device, bundled_logic, bundled_technology, write_model
from networks import random_gru

from pimsim.chip import build_chip
from pimsim.chip.graph import chip_graph
from pimsim.chip.plausibility import check_chip
from pimsim.config import NoiseConfig, bundled_names
from pimsim.errors import MappingError
from pimsim.studies.run import run


def checks_of(device="reram", current=None, **blocks):
    config, cell = bundled_chip(), bundled_device(device)
    changes = {name: getattr(config, name).model_copy(update=new) for name, new in blocks.items()}
    if current is not None:
        read = cell.read.model_copy(update={"top_current": current})
        cell = cell.model_copy(update={"read": read})
    config = config.model_copy(update=changes)
    chip = build_chip(random_gru(hidden=100, bits=100), config, cell, NoiseConfig())
    graph = chip_graph(chip, bundled_logic(), 5)
    return {(c.name, c.tile): c for c in check_chip(graph, bundled_technology())}


@pytest.mark.parametrize(
    ("model", "device"),
    [
        *(("gru", device) for device in bundled_names("device")),
        # 15-level weights take 8 levels per cell
        *(("lenet5", device) for device in ("reram", "pcm", "cmos_mlc")),
    ],
)
def test_shipped_chips_and_devices_pass(model, device):
    data = {"gru": "synthetic-speech", "lenet5": "mnist-1000"}[model]
    result = run(model, device=device, data=data, chips=1, limit=10, contributions=False)
    assert result.checks
    for check in result.checks:
        assert check.passes, check


def test_the_ir_drop_is_that_of_a_line_that_collects_its_current_evenly():
    check = checks_of()["IR drop", "gru0"]
    rows, on_line, ohms, cell = 200, 256, 1.8, 1e-6
    expected = 0.25 * rows * cell * on_line * ohms / 2
    assert check.value == pytest.approx(expected / 0.6)


def test_cells_of_a_hundred_microamperes_cannot_share_a_line():
    # 144 uA of the fresh transistor, 95 uA of the top level
    with pytest.raises(MappingError, match=r"lose \d+% of the input range.*cannot be built"):
        checks_of("cmos_mlc", current=144.4e-6)
    few = checks_of("cmos_mlc", current=14e-6)
    assert not few["IR drop", "gru0"].passes
    assert all(check.passes for check in checks_of("cmos_mlc").values())


def test_an_integration_too_short_for_the_settling_is_refused():
    with pytest.raises(MappingError, match="1 ns to settle, and they need 1.7"):
        checks_of(bit_line={"integration_time": 1e-9})
    long = checks_of(bit_line={"integration_time": 20e-9})
    assert all(check.passes for check in long.values())


def test_a_line_wears_by_its_mean_current():
    slow = checks_of(current=4e-6)["line current", "gru0"]
    # the same pulse in cycles a tenth as long
    quick = checks_of(current=4e-6, clock={"frequency": 500e6})["line current", "gru0"]
    assert quick.value == pytest.approx(5 * slow.value)
    assert slow.passes
    assert not quick.passes


def test_doubts_stand_in_the_report_and_on_the_terminal(tmp_path, capsys):
    from click.testing import CliRunner

    from pimsim.cli.run import run as command

    model = str(write_model(tmp_path))
    shown = CliRunner().invoke(
        command, [model, "--chips", "1", "--no-contributions", "--out", str(tmp_path / "o"),
                  "--set", "chip.limits.ir_drop=0.001 %"]
    )  # fmt: skip
    assert shown.exit_code == 0, shown.output
    assert "Doubtful: IR drop of gru0 is" in shown.output
