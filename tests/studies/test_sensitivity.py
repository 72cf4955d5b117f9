"""Sensitivity: one parameter at a time, ranked, on the same chips."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from files import write_model

from pimsim.cli.sensitivity import sensitivity as command
from pimsim.errors import ConfigError
from pimsim.report.pages import page_of
from pimsim.studies.options import RunOptions
from pimsim.studies.prepare import prepare
from pimsim.studies.run import run
from pimsim.studies.sensitivity import parameters_of, sensitivity

FEW = {"chips": 3, "limit": 6}
KEYS = ("chip.array.rows", "chip.load.area", "device.states.spread", "chip.limits.ir_drop")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sensitive")


@pytest.fixture(scope="module")
def document(model, folder):
    return sensitivity(model, folder, step=0.2, keys=KEYS, options=RunOptions(**FEW))


def test_a_step_is_a_run_with_one_key_changed(document, model):
    one = next(p for p in document.parameters if p.key == "chip.load.area")
    assert (one.value, one.low.value, one.high.value) == ("8 um^2", "6.4 um^2", "9.6 um^2")
    assert one.certainty == "assumed"
    alone = run(model, set=["chip.load.area=9.6 um^2"], noise_sources=False, **FEW)
    base = run(model, noise_sources=False, **FEW)
    areas = [sum(part.count * part.area for part in found.area) for found in (alone, base)]
    assert one.high.area_percent == pytest.approx(100 * (areas[0] / areas[1] - 1))
    assert one.high.area_percent > 0 > one.low.area_percent
    assert one.high.metric_change == 0


def test_parameters_are_ranked_by_their_largest_change(document):
    sizes = [one.influence for one in document.parameters]
    assert sizes == sorted(sizes, reverse=True)
    assert {one.key for one in document.parameters} == set(KEYS)
    # a limit of plausibility changes no figure
    assert document.parameters[-1].key == "chip.limits.ir_drop"
    assert sizes[-1] == 0


def test_numbers_of_a_list_change_together_and_whole_numbers_by_one(model):
    found = {one.key: one for one in parameters_of(prepare(model), 0.1)}
    spread = found["device.states.spread"]
    assert spread.high.startswith("[")
    assert len(spread.high.split(",")) == len(spread.value.split(","))
    stack = found["chip.array.max_stack"]
    assert (stack.value, stack.low, stack.high) == ("4", "3", "5")
    assert found["chip.array.rows"].high == "282"
    assert not [key for key in found if key.startswith("technology.")]
    assert not [key for key in found if key.endswith((".source", ".kind", "certainty"))]
    technology = parameters_of(prepare(model), 0.1, ["technology"])
    assert len(technology) > 5


def test_a_step_that_is_refused_says_why(model, tmp_path):
    found = sensitivity(model, tmp_path, step=0.9, keys=["chip.layout.utilisation"],
                        options=RunOptions(chips=1, limit=2))  # fmt: skip
    (one,) = found.parameters
    assert "it must be 1 or less" in one.high.error
    assert one.low.error is None
    assert "cannot be run; the first: chip.layout.utilisation" in str(page_of(found).sections)


def test_a_key_that_names_no_number_is_refused(model, tmp_path):
    with pytest.raises(ConfigError, match=r"--key: chip.array.row names no number.*array.rows"):
        parameters_of(prepare(model), 0.1, ["chip.array.row"])


def test_the_command_writes_figure_tables_and_page_and_goes_on(model, folder, document):
    arguments = [model, "--step", "20 %", "--chips", "3", "--limit", "6", "--out", str(folder)]
    for key in KEYS:
        arguments += ["--key", key]
    before = {path: path.stat().st_mtime_ns for path in (folder / "points").iterdir()}
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    assert "4 parameters, each 20 % down and up" in done.output
    # a list of numbers is counted, not listed
    assert "[" not in done.output
    assert "numbers" in (folder / "report.html").read_text()
    # finished runs were read
    assert {path: path.stat().st_mtime_ns for path in (folder / "points").iterdir()} == before
    content = json.loads((folder / "sensitivity.json").read_text())
    assert content["parameters"] == document.as_dict()["parameters"]
    for name in ("sensitivity.svg", "sensitivity.png", "sensitivity.csv", "report.html"):
        assert (folder / name).stat().st_size > 200
    refused = CliRunner().invoke(command, [model, "--step", "200 %", "--out", str(folder)])
    assert "--step is '200 %'; it must lie between 0 and 100 %" in str(refused.exception)
