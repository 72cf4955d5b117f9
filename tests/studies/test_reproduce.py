"""Reproduced figures: what a point is, what is stored, what is written."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from files import write_model
from rich.console import Console

from pimsim.config import SOURCES, bundled_root
from pimsim.data.catalog import load
from pimsim.errors import DataError
from pimsim.report.pages import page_of
from pimsim.report.reproduction import write_reproduction
from pimsim.report.terminal import print_page
from pimsim.studies import device_figure
from pimsim.studies import reproduce as module
from pimsim.studies.noise_sweep import smooth_point, sweep_point
from pimsim.studies.paper import GROUPS, PAPER
from pimsim.studies.reproduce import (
    Curve,
    DeviceFigure,
    PenaltyTable,
    SweepFigure,
    network_path,
    reproduce,
    reproduction_document,
)
from pimsim.studies.run import run
from pimsim.workload import read_network, run_reference

CLIPS = load("synthetic-speech").limit(24)
SWEEP = SweepFigure(
    title="a sweep",
    source="nowhere",
    data="synthetic-speech",
    sigmas=(0.0, 1.0),
    curves=(Curve("bits", "gru_w7"), Curve("sigmoids", "gru_w7", smooth=True)),
    says=("Nothing.",),
)


def network():
    return read_network(bundled_root() / "models" / "gru_w7.safetensors")


def test_without_noise_a_point_is_the_exact_network():
    exact = (run_reference(network(), CLIPS.features).predictions == CLIPS.labels).mean()
    assert sweep_point(network(), CLIPS, 0.0, 3, seed=1).tolist() == [exact] * 3


def test_noise_costs_accuracy_and_depends_on_the_seed_alone():
    points = [sweep_point(network(), CLIPS, 3.0, 4, seed, threads) for seed, threads in
              ((1, 1), (1, 2), (2, 2))]  # fmt: skip
    assert points[0].tolist() == points[1].tolist() != points[2].tolist()
    assert points[0].mean() < sweep_point(network(), CLIPS, 0.0, 1, seed=1)[0] - 0.2
    smooth = [smooth_point(network(), CLIPS, 3.0, 2, seed) for seed in (1, 1, 2)]
    assert smooth[0].tolist() == smooth[1].tolist() != smooth[2].tolist()


def test_finished_points_are_not_computed_again(tmp_path, monkeypatch):
    first = reproduce("sweep", SWEEP, tmp_path, samples=2, limit=24)
    monkeypatch.setattr(module, "sweep_point", None)
    monkeypatch.setattr(module, "smooth_point", None)
    again = reproduce("sweep", SWEEP, tmp_path, samples=2, limit=24)
    for one, other in zip(first.series, again.series, strict=True):
        np.testing.assert_array_equal(one.accuracy, other.accuracy)
    with pytest.raises(TypeError):  # another number of samples is another point
        reproduce("sweep", SWEEP, tmp_path, samples=3, limit=24)


def test_a_killed_sweep_keeps_its_finished_points(tmp_path, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "smooth_point", interrupted)
    with pytest.raises(KeyboardInterrupt):
        reproduce("sweep", SWEEP, tmp_path, samples=2, limit=24)
    assert len(list((tmp_path / "points").glob("*.json"))) == 2


def test_figure_csv_and_json_say_the_same(tmp_path):
    found = reproduce("sweep", SWEEP, tmp_path, samples=3, limit=24)
    document = reproduction_document(found)
    names = {path.name for path in write_reproduction(document, tmp_path)}
    assert names == {"sweep.svg", "sweep.png", "sweep.csv", "sweep.json"}
    again = json.loads((tmp_path / "sweep.json").read_text())
    rows = list(csv.DictReader((tmp_path / "sweep.csv").open()))
    assert len(rows) == len(again["points"]) == 4
    for row, point in zip(rows, again["points"], strict=True):
        values = np.array(point["per_sample"])
        assert float(row["mean"]) == point["mean"] == pytest.approx(values.mean())
        assert float(row["std"]) == pytest.approx(values.std(ddof=1))
        assert (float(row["min"]), float(row["max"])) == (values.min(), values.max())
    assert again["paper_says"] == ["Nothing."]


def test_a_table_of_penalties_is_relative_to_its_first_row(tmp_path):
    curves = (Curve("one", "gru_w7", paper="1.0"), Curve("same", "gru_w7", paper="0.5"))
    spec = PenaltyTable("a table", "nowhere", "synthetic-speech", curves, ())
    rows = reproduce("table", spec, tmp_path, limit=24).rows
    assert [row["with_tau_relative"] for row in rows] == [1.0, 1.0]
    assert [row["as_sigmoids_relative"] for row in rows] == [1.0, 1.0]
    assert rows[0]["with_tau"] > 0
    assert rows[0]["as_sigmoids"] > 0


def test_devices_are_runs_and_their_chips_are_kept(tmp_path, monkeypatch):
    model = str(write_model(tmp_path))
    spec = DeviceFigure("devices", "nowhere", "synthetic-speech", model,
                        {"reram": "50 %", "cmos_mlc": "49 %"}, ())  # fmt: skip
    found = reproduce("figure", spec, tmp_path, samples=3, limit=24)
    rows = {(row["device"], row["noise"]): row for row in found.rows}
    for device, name in (("reram", "ReRAM"), ("cmos_mlc", "CMOS-MLC")):
        alone = run(model, device=device, chips=3, seed=1, limit=24, contributions=False)
        assert rows[name, "all sources"]["per_sample"] == alone.accuracy.per_chip.tolist()
        switched = run(model, device=device, chips=3, seed=1, limit=24, contributions=False,
                       set=[f"noise.{s}=off" for s in SOURCES if s != "offset"])  # fmt: skip
        assert rows[name, "offset"]["per_sample"] == switched.accuracy.per_chip.tolist()
    # a device without drift has no row for it
    assert ("ReRAM", "drift") not in rows
    assert ("CMOS-MLC", "drift") in rows
    document = reproduction_document(found)
    written = write_reproduction(document, tmp_path)
    assert {path.suffix for path in written} == {".svg", ".png", ".csv", ".json"}
    console = Console(file=io.StringIO(), width=120)
    print_page(page_of(document), console)
    assert "50 %" in console.file.getvalue()
    monkeypatch.setattr(device_figure, "run_prepared", None)
    again = reproduce("figure", spec, tmp_path, samples=3, limit=24)
    assert again.rows == found.rows


def test_data_of_other_classes_and_unknown_networks_are_refused(tmp_path):
    with pytest.raises(DataError, match="other classes"):
        reproduce("sweep", SWEEP, tmp_path, data="mnist-1000")
    with pytest.raises(DataError, match="no bundled network 'nothing'"):
        network_path("nothing")
    found = reproduce("sweep", SWEEP, tmp_path, samples=1, limit=3)
    hostile = ["[1]", "", "{", '{"values": [1e999]}', '{"values": [null]}', '{"values": []}']
    for number, path in enumerate(sorted((tmp_path / "points").glob("*.json"))):
        path.write_text(hostile[number % len(hostile)])
    # a damaged point is computed anew
    assert reproduce("sweep", SWEEP, tmp_path, samples=1, limit=3).rows == found.rows


def test_an_unknown_figure_is_refused_with_the_nearest(tmp_path):
    command = [sys.executable, "-m", "pimsim", "reproduce", "fig3", "--out", str(tmp_path / "x")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no figure that pimsim reproduces" in done.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "name", sorted({c.network for spec in PAPER.values() for c in spec.curves})
)
def test_networks_of_the_paper_come_with_pimsim_and_say_where_they_are_from(name):
    path = network_path(name)
    workload = read_network(path)
    is_float = any(matrix.weights is not None for _, matrix in workload.matrices())
    assert is_float == name.endswith("_float")
    assert is_float or path.stat().st_size < 300_000
    for key in ("recipe", "stages", "data", "accuracy", "git_commit", "date", "seed"):
        assert workload.provenance[key], key


def test_groups_name_figures():
    for names in GROUPS.values():
        assert set(names) <= set(PAPER)
