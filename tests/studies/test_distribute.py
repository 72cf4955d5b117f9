"""Points on other processes: the same table, and no result lost with a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from files import write_model

from pimsim.cli.sweep import sweep as command
from pimsim.errors import ConfigError, DistributionError, PimsimError
from pimsim.studies import distribute
from pimsim.studies.axes import grid, parse_axis
from pimsim.studies.options import RunOptions
from pimsim.studies.sweep import sweep

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


class Waiting:
    """A connection to a scheduler that says what it is told to."""

    scheduler = SimpleNamespace(identity=None)

    def __init__(self, *said):
        self.said = list(said)

    def sync(self, asked, callback_timeout):
        found = self.said.pop(0)
        if isinstance(found, type):
            raise found
        return {"workers": {str(n): {"status": status} for n, status in enumerate(found)}}


def test_what_keeps_a_sweep_waiting_is_said_once(monkeypatch):
    class Points:
        n_looks = 0

        def is_empty(self):
            return self.n_looks > 8

        def next_batch(self, block):
            self.n_looks += 1
            return ["a point"] if self.n_looks == 6 else []

    monkeypatch.setattr("distributed.as_completed", lambda futures: Points())
    monkeypatch.setattr(distribute, "PATIENCE", 0.0)
    told = []
    client = Waiting([], [], ["paused", "paused"], ["paused", "running"], [], [], ["running"],
                     ["running"])  # fmt: skip
    assert list(distribute._finished(client, [], told.append)) == ["a point"]
    assert [sentence.split(";")[0] for sentence in told] == [
        "The scheduler has no worker", "None of 2 workers takes a point",
        "The scheduler has no worker"]  # fmt: skip


def test_a_scheduler_that_has_stopped_is_said():
    with pytest.raises(DistributionError, match="has not answered for 30 s.*points are kept"):
        distribute._trouble(Waiting(TimeoutError))


WITHOUT_GUARD = """
import warnings
import pimsim
from pimsim.errors import PimsimError
swept = pimsim.sweep({model!r}, {{"noise.sigma_eval": [0, 1]}}, chips=1, limit=6, out={out!r},
                     workers=1)
print(len(swept.frame()))
"""


@pytest.mark.slow
def test_a_script_without_a_guard_ends_with_one_error_that_says_so(model, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(WITHOUT_GUARD.format(model=model, out=str(tmp_path / "out")))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith("pimsim.errors.DistributionError: --workers worker processes cannot")
    assert 'below `if __name__ == "__main__":`' in last
    # a worker that imports the script ends without a word
    assert done.stderr.count("pimsim.errors.") == 1
    assert not (tmp_path / "out" / "points").exists()
