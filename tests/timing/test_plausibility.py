"""Chips that cannot be built are refused or doubted, the shipped ones are neither."""

from __future__ import annotations

import pytest
from files import bundled_chip, bundled_device, bundled_logic, write_model
from networks import random_gru

from pimsim.chip import build_chip
from pimsim.chip.graph import chip_graph
from pimsim.chip.plausibility import check_chip
from pimsim.config import NoiseConfig, bundled_names
from pimsim.config.clamp import CLAMP_BLOCKS
from pimsim.errors import MappingError
from pimsim.studies.run import run


def chip_of(device="reram", **blocks):
    config = bundled_chip()
    # sums of random weights spread less far beyond the currents of both sides than trained ones
    blocks = {"load": {"input_range": 0.12}} | blocks
    changes = {
        name: CLAMP_BLOCKS["none"](kind="none")
        if new is None
        else getattr(config, name).model_copy(update=new)
        for name, new in blocks.items()
    }
    config = config.model_copy(update=changes)
    return build_chip(
        random_gru(hidden=100, bits=100), config, bundled_device(device), NoiseConfig()
    )


def checks_of(device="reram", **blocks):
    graph = chip_graph(chip_of(device, **blocks), bundled_logic(), 5)
    return {(c.name, c.tile): c for c in check_chip(graph)}


@pytest.mark.parametrize(
    ("model", "device"),
    [
        *(("gru", device) for device in ("reram", "cmos_mlc", "fefet", "sonos", "ideal")),
        # 15-level weights take 8 levels per cell
        *(("lenet5", device) for device in ("reram", "cmos_mlc")),
    ],
)
def test_shipped_models_can_be_built(model, device):
    data = {"gru": "synthetic-speech", "lenet5": "mnist-1000"}[model]
    result = run(model, device=device, data=data, chips=1, limit=10, contributions=False)
    assert result.checks
    for check in result.checks:
        assert check.passes, check


# adc_4b_16nm and analog_kws_14nm need networks of few levels, and have none yet; unipolar_16nm
# one of one sign
@pytest.mark.parametrize(
    "chip", sorted(set(bundled_names("chip")) - {"adc_4b_16nm", "analog_kws_14nm", "unipolar_16nm"})
)
def test_shipped_chips_can_be_built(chip):
    result = run("gru", chip=chip, data="synthetic-speech", chips=1, limit=5, contributions=False)
    assert all(check.passes for check in result.checks), result.checks


def test_cells_that_conduct_well_lose_their_voltage_on_the_wires():
    """A line of 256 cells, two layers of wire half a pitch wide, fed at one end and at both."""
    found = checks_of("reram_neurram")
    check = found["IR drop", "gru0"]
    chip = chip_of("reram_neurram")
    chains = [chain for _, chain in chip.tiles[0].read_out.chains(chip.tiles[0])]
    wire = 19.7e6 * 32e-9 / (2 * 0.5)  # of a square of the pitch, ohm
    expected = max(chain.currents.mean for chain in chains) * 256 * wire * (1 / 2 + 1 / 8) / 0.2
    assert check.value == pytest.approx(expected)
    assert not check.passes
    with pytest.raises(MappingError, match=r"lose \d+ mV of their read voltage of 100 mV"):
        checks_of("reram_hfo2")


def test_cells_of_a_hundred_microamperes_leave_no_voltage():
    with pytest.raises(MappingError, match=r"leaves .* V of a supply of 0.8 V .* they need"):
        checks_of("cmos_mlc_measured", load={"input_range": 0.22})
    assert all(check.passes for check in checks_of("cmos_mlc").values())


def test_a_supply_that_leaves_cells_no_voltage_is_refused():
    with pytest.raises(MappingError, match=r"of a supply of 0.3 V .* they need 0.3 V"):
        checks_of(bit_line={"supply": 0.3}, load={"input_range": 0.05})
    high = checks_of(load={"input_range": 0.22})["headroom", "gru0"]
    assert not high.passes


def test_access_transistors_must_be_on():
    with pytest.raises(MappingError, match=r"word lines of gru0 to 0.3 V.*inf kohm in series"):
        checks_of(word_line_driver={"voltage": 0.3})
    weak = checks_of(word_line_driver={"voltage": 0.5})["access transistor", "gru0"]
    assert weak.value == pytest.approx(10e3 * 0.45 / 0.15 / 200e3)
    assert not weak.passes
    with pytest.raises(MappingError, match="drivers of 0.3 V.*gate voltage of 0.362 V"):
        checks_of("cmos_mlc", word_line_driver={"voltage": 0.3})


def test_resistive_cells_without_a_clamp_lose_gain():
    found = checks_of(clamp=None)["compression", "gru0"]
    assert 0 < found.value < 1
    assert found.limit == 0.5


def test_an_integration_too_short_for_the_settling_is_refused():
    with pytest.raises(MappingError, match="1 ns to settle, and they need 2"):
        checks_of(bit_line={"integration_time": 1e-9})
    long = checks_of(bit_line={"integration_time": 20e-9})
    assert all(check.passes for check in long.values())


def test_a_line_wears_by_its_mean_current():
    slow = checks_of()["line current", "gru0"]
    # the same pulse in cycles a quarter as long: 10 ns and 2 x 5 ns
    quick = checks_of(clock={"frequency": 200e6})["line current", "gru0"]
    assert quick.value > 1.3 * slow.value
    assert slow.passes


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
