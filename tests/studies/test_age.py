"""Accuracy against age: the points are runs at that age, compensated or not."""

from __future__ import annotations

import csv
import json
import re

import pytest
from click.testing import CliRunner
from files import write_model

from pimsim.cli.device import device as command
from pimsim.config import bundled_root
from pimsim.errors import ConfigError, MappingError
from pimsim.studies.age import age
from pimsim.studies.options import RunOptions
from pimsim.studies.run import run

FEW = {"chips": 2, "limit": 12}


def test_points_are_runs_at_their_age(tmp_path):
    model = str(write_model(tmp_path, device="pcm"))
    rows = age(model, tmp_path / "o", devices=["pcm", "reram"], ages=["1 day", "1 year"],
               options=RunOptions(**FEW))  # fmt: skip
    assert [(r["device"], r["compensation"], r["age"]) for r in rows] == [
        ("PCM", "on", "1 day"), ("PCM", "on", "1 year"), ("PCM", "off", "1 day"),
        ("PCM", "off", "1 year"), ("ReRAM", "none", "1 day"), ("ReRAM", "none", "1 year"),
    ]  # fmt: skip
    alone = run(model, time_since_programming="1 year", contributions=False, **FEW,
                set=["device.drift.compensated=false"])  # fmt: skip
    assert rows[3]["accuracy"] == alone.accuracy.mean
    assert rows[4]["accuracy"] == rows[5]["accuracy"]


def test_a_device_that_the_network_does_not_fit_is_refused(tmp_path):
    model = str(write_model(tmp_path))
    text = (bundled_root() / "hwconfigs/devices/ideal.yaml").read_text()
    few, n = re.subn(r"(?m)^  (mean|spread):.*$", r"  \1: [0 %, 100 %]", text)
    assert n == 2
    (tmp_path / "two.yaml").write_text(few)
    devices = ["ideal", str(tmp_path / "two.yaml")]
    with pytest.raises(MappingError, match=r"two\.yaml:\d+: states holds 2 levels per cell"):
        age(model, tmp_path / "o", devices=devices, ages=["1 day"], options=RunOptions(**FEW))


def test_the_command_writes_figure_and_tables(tmp_path):
    model = str(write_model(tmp_path, device="cmos_mlc_measured"))
    arguments = ["age", model, "--ages", "1 s, 10 years", "--chips", "1", "--limit", "6"]
    done = CliRunner().invoke(command, [*arguments, "--out", str(tmp_path / "o")])
    assert done.exit_code == 0, done.output
    assert "10 years" in done.output
    assert "not compensated" in done.output
    content = json.loads((tmp_path / "o/age.json").read_text())
    assert len(content["points"]) == 4
    with (tmp_path / "o/age.csv").open() as file:
        assert [float(r["age_s"]) for r in csv.DictReader(file)][:2] == [1.0, 315576000.0]
    for kind in ("svg", "png"):
        assert (tmp_path / f"o/age.{kind}").stat().st_size > 10_000


@pytest.mark.parametrize("text", ["soon", "-1 s", "5 V"])
def test_an_age_that_is_no_time_is_refused(tmp_path, text):
    model = str(write_model(tmp_path))
    with pytest.raises(ConfigError, match="--ages"):
        age(model, tmp_path / "o", ages=["1 s", text])
