"""Cases side by side: figures are those of their runs, chance is judged over equal chips."""

from __future__ import annotations

import copy
import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from files import write_model
from networks import random_gru
from scipy import stats

from pimsim.cli.compare import compare as command
from pimsim.errors import ConfigError
from pimsim.report.documents import RunDocument, parse
from pimsim.studies.compare import describe_comparison, read_report, significance


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A model on three devices: the folder of the comparison, and what the terminal said."""
    folder = tmp_path_factory.mktemp("compare")
    model = str(write_model(folder))
    arguments = [model, "--device", "reram", "--device", "pcm", "--device", "cmos_mlc"]
    done = CliRunner().invoke(
        command, [*arguments, "--chips", "4", "--limit", "24", "--out", str(folder / "out")]
    )
    assert done.exit_code == 0, done.output
    return folder / "out", done.output


def reports_of(folder):
    paths = sorted(path for path in folder.iterdir() if path.is_dir())
    return [read_report(path) for path in paths]


def test_every_case_is_its_run(compared):
    folder, said = compared
    document = json.loads((folder / "comparison.json").read_text())
    reports = reports_of(folder)
    assert [case["case"] for case in document["cases"]] == ["ReRAM", "PCM", "CMOS-MLC"]
    for case, report in zip(document["cases"], reports, strict=True):
        assert case["accuracy"] == report.as_dict()["accuracy"]
        assert case["energy_per_inference_j"] == report.energy.per_inference_j
        assert case["area_by_component_m2"] == report.area.by_component_m2
        assert case["interval_s"] == report.latency.interval_s
        assert f"{100 * report.accuracy.mean:.2f} %" in said
    for entry, report in zip(document["differences"], reports[1:], strict=True):
        base = reports[0]
        assert entry["from"] == "ReRAM"
        assert entry["is_paired"]
        ratio = report.area.total_m2 / base.area.total_m2
        assert entry["area_percent"] == pytest.approx(100 * (ratio - 1))
        points = 100 * (report.accuracy.mean - base.accuracy.mean)
        assert entry["accuracy_points"] == pytest.approx(points)
    with (folder / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["accuracy_mean"]) for row in rows] == [r.accuracy.mean for r in reports]
    for kind in ("svg", "png"):
        assert (folder / f"comparison.{kind}").stat().st_size > 10_000


def test_finished_runs_are_read_instead_of_run_again(compared, tmp_path):
    folder, _ = compared
    runs = sorted(str(path) for path in folder.iterdir() if path.is_dir())
    done = CliRunner().invoke(command, [*runs[:2], "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    first = json.loads((folder / "comparison.json").read_text())
    again = json.loads((tmp_path / "comparison.json").read_text())
    assert again["cases"] == first["cases"][:2]
    assert not list(tmp_path.glob("*/report.json"))


def with_accuracies(report, values, seed=1):
    changed = report.as_dict()
    changed["accuracy"]["per_chip"] = list(values)
    changed["run"]["seed"] = seed
    return parse(changed, RunDocument, "report")


def test_chance_is_judged_over_the_same_chips_where_they_are_the_same(compared):
    report = reports_of(compared[0])[0]
    generator = np.random.default_rng(0)
    chips = generator.normal(0.9, 0.01, 30)
    better = chips + generator.normal(0.002, 0.001, 30)
    one, other = with_accuracies(report, better), with_accuracies(report, chips)
    p_value, is_paired = significance(one, other)
    assert is_paired
    assert p_value == pytest.approx(stats.ttest_rel(better, chips).pvalue)
    assert p_value < 1e-6
    # other chips: the same difference drowns in their spread
    p_value, is_paired = significance(one, with_accuracies(report, chips, seed=2))
    assert not is_paired
    assert p_value > 0.05
    assert significance(other, other) == (1.0, True)
    assert significance(with_accuracies(report, [0.9]), other) == (None, False)


def test_runs_of_other_sequences_are_not_compared(compared):
    reports = reports_of(compared[0])
    other = reports[1].as_dict()
    other["provenance"]["data"]["sha256"] = "0" * 64
    with pytest.raises(ConfigError, match="ran on other sequences"):
        describe_comparison([reports[0], other])


def test_cases_of_one_name_are_numbered(compared):
    report = reports_of(compared[0])[0]
    labels = [case["case"] for case in describe_comparison([report, report])["cases"]]
    assert labels == ["ReRAM #1", "ReRAM #2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("nonsense", "is no JSON"), ("{}", "no report that this pimsim"), (None, "read")],
)
def test_what_is_no_report_is_refused(tmp_path, text, message):
    if text is not None:
        (tmp_path / "report.json").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_report(tmp_path)


def test_networks_are_told_apart_by_name(tmp_path):
    model = write_model(tmp_path)
    (tmp_path / "other").mkdir()
    write_model(tmp_path / "other", network=replace(random_gru(seed=4), name="another"))
    other = next((tmp_path / "other").glob("*.safetensors"))
    own = next(tmp_path.glob("*.safetensors"))
    arguments = [str(model), "--network", own.name, "--network", str(other), "--chips", "1",
                 "--limit", "6", "--out", str(tmp_path / "out")]  # fmt: skip
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    document = json.loads((tmp_path / "out/comparison.json").read_text())
    assert [case["case"] for case in document["cases"]] == [random_gru().name, "another"]


@pytest.mark.parametrize("energy", [0.0, 5e-324])
def test_a_first_case_without_energy_has_no_multiples(energy, compared):
    report = json.loads((compared[0] / "1-gru-reram" / "report.json").read_text())
    nothing = copy.deepcopy(report)
    nothing["energy"]["per_inference_j"] = energy
    assert describe_comparison([report, nothing])["differences"]
    with pytest.raises(ConfigError, match="to which others have no ratio"):
        describe_comparison([nothing, report])
