"""Points on other processes: the same table, and no result lost with a worker."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest
from click.testing import CliRunner
from files import write_model

from pimsim.cli.sweep import sweep as command
from pimsim.errors import ConfigError, DistributionError, PimsimError
from pimsim.studies import distribute
from pimsim.studies.options import RunOptions
from pimsim.studies.sweep import grid, parse_axis, sweep

FEW = RunOptions(chips=2, limit=6, threads=1)
POINTS = grid([parse_axis("device=reram,pcm"), parse_axis("noise.sigma_eval=0:2:1")])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def client():
    with distribute.client_of(None, 2) as client:
        yield client


def test_a_killed_worker_costs_time_and_no_result(model, client, tmp_path):
    workers = client.run(os.getpid)
    done = []

    def kill_one(stage, total, n):
        if stage != "points":
            return
        done.append(n)
        if len(done) == 2:  # the first point is finished, others are in work
            os.kill(next(iter(workers.values())), signal.SIGKILL)

    there = sweep(model, POINTS, tmp_path / "there", options=FEW, progress=kill_one,
                  compute=partial(distribute.compute, client))  # fmt: skip
    assert sum(done) == len(POINTS)
    here = sweep(model, POINTS, tmp_path / "here", options=FEW)
    assert there == here
    names = [sorted(p.name for p in (tmp_path / x / "points").iterdir()) for x in ("here", "there")]
    assert names[0] == names[1]


def test_errors_of_a_worker_come_home(model, client, tmp_path):
    compute = partial(distribute.compute, client)
    with pytest.raises(PimsimError, match="cannot keep up"):
        sweep(model, grid([parse_axis("frame_interval=1 ns")]), tmp_path, options=FEW,
              compute=compute)  # fmt: skip


def test_a_worker_that_sees_other_files_is_refused(model, client):
    with pytest.raises(DistributionError, match="other files"):
        list(distribute.compute(client, model, {"0" * 32: FEW}))


def test_a_scheduler_that_is_not_there_is_said(model, tmp_path, monkeypatch):
    monkeypatch.setattr(distribute, "PATIENCE", 0.2)
    asked = [model, "--axis", "device=reram", "--scheduler", "tcp://127.0.0.1:9", "--out"]
    found = CliRunner().invoke(command, [*asked, str(tmp_path / "out")])
    assert isinstance(found.exception, ConfigError)
    assert "tcp://127.0.0.1:9" in str(found.exception)
    assert not (tmp_path / "out").exists()
    both = CliRunner().invoke(command, [*asked, str(tmp_path), "--workers", "2"])
    assert "exclude each other" in str(both.exception)
