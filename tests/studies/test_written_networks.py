"""Writing a network into a chip: sums over cells by hand, and what a report shares out."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from files import bundled_device, write_model

import pimsim
from pimsim.cli.device import device as command
from pimsim.devices.writing import stages
from pimsim.report.documents import RunDocument
from pimsim.report.pages.run import run_page

RUN = {"chips": 1, "limit": 2, "noise_sources": False}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"), device="reram")


@pytest.fixture(scope="module")
def result(model):
    return pimsim.run(model, **RUN)


def titles(report):
    page = run_page(RunDocument.model_validate(report))
    return {getattr(b, "title", ""): b for section in page.sections for b in section.blocks}, page


def test_pulses_and_energy_are_sums_over_cells(result):
    facts, device = result.report["programming"], bundled_device("reram")
    once, chip = facts["once"], result.simulated.chip
    cells = sum(side.size for part in chip.matrices for side in part.cells.sides)
    assert once["cells"] == cells == sum(layer["cells"] for layer in once["layers"])
    assert once["bits"] == pytest.approx(2 * cells)  # four levels
    each = stages(device.programming, 4)[0].mean[0]
    assert once["pulses"] == pytest.approx(each * cells)
    pulse = device.pulse.voltage * device.pulse.current * device.programming.pulse
    assert once["pulse_energy_j"] == pytest.approx(each * cells * pulse / 0.3)
    # a check reads its cell at 0.2 V for 10 ns, and converts for 0.5 pJ
    levels = np.concatenate([side.ravel() for part in chip.matrices for side in part.cells.sides])
    current = chip.matrices[0].cell.mean * chip.matrices[0].cell.full_scale_current
    checks = each * (current[levels] * 0.2 * 10e-9 + 0.5e-12).sum()
    assert once["check_energy_j"] == pytest.approx(checks)
    assert once["energy_j"] == pytest.approx(once["pulse_energy_j"] + once["check_energy_j"])


def test_a_row_takes_as_long_as_the_slowest_of_its_groups(model, result):
    one = pimsim.run(model, **RUN, set=["chip.programming_periphery.cells_at_once=1"]).report
    device, once = bundled_device("reram"), one["programming"]["once"]
    each = stages(device.programming, 4)[0].mean[0]
    # one cell after the other: no waiting for another
    time = each * once["cells"] * (device.programming.pulse + device.pulse.check_time)
    assert once["time_s"] == pytest.approx(time, rel=1e-6)
    faster = result.report["programming"]["once"]["time_s"]
    assert time / 32 < faster < time / 4


def test_writes_are_shared_among_the_inferences_of_a_lifetime(model, result):
    changed = ["lifetime='1 year'", "writes=12"]
    report = pimsim.run(model, **RUN, set=changed).report
    facts, year = report["programming"], 365.25 * 86_400
    n = year / report["latency"]["interval_s"]
    assert facts["inferences"] == pytest.approx(n)
    assert facts["per_inference_j"] == pytest.approx(12 * facts["once"]["energy_j"] / n)
    usual = result.report["programming"]
    assert usual["lifetime_s"] == pytest.approx(10 * year)
    assert usual["writes"] == 1
    # programming is beside the energy of an inference, not in it
    assert report["energy"]["per_inference_j"] == result.report["energy"]["per_inference_j"]


def test_endurance_and_reads_are_held_against_the_file(model, result):
    facts = result.report["programming"]
    borne = 1e6 / facts["once"]["cycles"]
    assert facts["writes_borne"] == pytest.approx(borne)
    assert facts["reads_tested"] == 1e6
    assert facts["reads"] > facts["reads_tested"]
    worn = pimsim.run(model, **RUN, set=[f"writes={int(borne) + 1}"]).report
    _, page = titles(worn)
    assert any("cells bear" in warning for warning in page.warnings)
    assert not any("cells bear" in warning for warning in titles(result.report)[1].warnings)


def test_the_report_has_tables_of_its_own(result):
    tables, _ = titles(result.report)
    assert tables["Writing over the lifetime"].on_terminal
    layers = tables["A write, layer by layer"]
    assert len(layers.rows) == len(result.report["programming"]["once"]["layers"])


def test_without_data_a_report_says_so(tmp_path):
    report = pimsim.run(write_model(tmp_path, device="ideal"), **RUN).report
    assert report["programming"]["once"] is None
    assert report["programming"]["missing"] == "the device file has no programming and no pulse"
    tables, page = titles(report)
    assert "Writing over the lifetime" not in tables
    assert any("No numbers of writing" in section.text for section in page.sections)


def test_the_command_has_pulses_time_and_energy_of_any_model(tmp_path):
    out = tmp_path / "pulses.svg"
    done = CliRunner().invoke(command, ["program", "reram", "-o", str(out)])
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())  # lines are as wide as the terminal
    for words in ("Writing a cell", "5.072", "standard deviation of 3.04 %", "written"):
        assert words in said
    assert out.stat().st_size > 5_000
