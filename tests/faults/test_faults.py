"""Full disks, folders that cannot be written, two at once: whole results or none, and an error."""

from __future__ import annotations

import fcntl
import json
import os
import random
import threading
from pathlib import Path

import numpy as np
import pytest
from files import write_model
from processes import PROC, finish, kill_after, start, visible

from pimsim.errors import ConfigError
from pimsim.files import check_folder, folder_held, write_together
from pimsim.studies.folder import copy_bundled
from pimsim.studies.points import Points


def text(content: bytes):
    return lambda file: file.write(content)


def fail(file) -> None:
    file.write(b"half")
    raise OSError(28, "No space left on device")


def test_files_that_belong_together_change_together(tmp_path):
    bits, report = tmp_path / "bits", tmp_path / "report"
    write_together([(bits, text(b"1")), (report, text(b"1"))])
    for files in ([(bits, text(b"2")), (report, fail)], [(bits, fail), (report, text(b"2"))]):
        with pytest.raises(ConfigError, match="No space left"):
            write_together(files)
        assert (bits.read_bytes(), report.read_bytes()) == (b"1", b"1")
    with pytest.raises(ConfigError, match="No space left"):
        write_together([(report, fail)], remove=[bits])
    write_together([(bits, text(b"3")), (report, text(b"3"))])
    assert (bits.read_bytes(), report.read_bytes()) == (b"3", b"3")
    write_together([(report, text(b"4"))], remove=[bits])
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


@pytest.mark.parametrize("stop", range(5))
def test_a_report_never_stands_beside_the_bits_of_another(tmp_path, monkeypatch, stop):
    """Killed after any of its steps on the folder, a write leaves a whole pair or no seal."""
    bits, report = tmp_path / "bits", tmp_path / "report"
    write_together([(bits, text(b"1")), (report, text(b"1"))])
    left = [stop]

    def killed(step):
        def either(self, *arguments, **options):
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            return step(self, *arguments, **options)

        return either

    for name in ("unlink", "replace"):
        monkeypatch.setattr(Path, name, killed(getattr(Path, name)))
    with pytest.raises(KeyboardInterrupt):
        write_together([(bits, text(b"2")), (report, text(b"2"))])
        left[0] = 0
        report.unlink()
    if report.exists():
        assert bits.read_bytes() == report.read_bytes()


def test_a_held_folder_is_refused_or_waited_for(tmp_path):
    with folder_held(tmp_path / "new"):
        second = folder_held(tmp_path / "new", wait=False)
        with pytest.raises(ConfigError, match="is being written by another pimsim"):
            second.__enter__()
    with folder_held(tmp_path / "new", wait=False):
        pass
    assert visible(tmp_path) == []
    with pytest.raises(ConfigError, match="cannot be written"):
        folder_held(PROC).__enter__()


def test_a_file_system_without_locks_holds_nobody(tmp_path, monkeypatch):
    def no_locks(*arguments):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with folder_held(tmp_path, wait=False):
        pass


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no /proc on this system")
def test_a_folder_is_tried_and_not_only_asked_for_its_permissions():
    with pytest.raises(ConfigError, match="cannot be written"):
        check_folder(PROC / "deep")


def test_two_processes_lose_no_finished_point(tmp_path):
    one, other = Points(tmp_path), Points(tmp_path)
    one.values("a", lambda: np.array([1.0]))
    other.values("b", lambda: np.array([2.0]))
    for name, value in (("a", 1.0), ("b", 2.0)):
        assert Points(tmp_path).values(name, lambda: np.zeros(1)).tolist() == [value]
    threads = [
        threading.Thread(target=Points(tmp_path).values, args=(f"{n}", lambda: np.ones(1)))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list((tmp_path / "points").glob("*.json"))) == 10


def test_init_on_a_full_disk_leaves_no_half_file(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        copy_bundled(tmp_path, {})
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


COMMANDS = {
    "run": ("run", "MODEL", "--bits", "--out", "OUT"),
    "sweep": ("sweep", "MODEL", "--axis", "seed=1,2", "--limit", "3", "--out", "OUT"),
    "compare": ("compare", "MODEL", "--device", "pcm", "--limit", "3", "--out", "OUT"),
    "vectors": ("vectors", "MODEL", "-o", "OUT/v.npz"),
    "floorplan": ("floorplan", "MODEL", "-o", "OUT/f.svg"),
    "trace": ("trace", "MODEL", "-o", "OUT/t.vcd"),
    "init": ("init", "OUT"),
}


def arguments_of(name: str, model: Path, out: Path) -> list[str]:
    return [part.replace("MODEL", str(model)).replace("OUT", str(out)) for part in COMMANDS[name]]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_ends_with_an_error_and_no_half_file(tmp_path, model, name):
    code, said = finish(start(*arguments_of(name, model, tmp_path / "out"), largest_file=60))
    assert (code, "Traceback" in said) == (2, False), said
    assert "File too large" in said
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_that_cannot_be_made_ends_with_an_error(model, name):
    code, said = finish(start(*arguments_of(name, model, PROC)))
    assert (code, "Traceback" in said) == (2, False), said
    assert "cannot be written" in said


@pytest.mark.slow
def test_runs_that_are_killed_leave_a_whole_result_or_none(tmp_path, model):
    rng = random.Random(3)
    before = start("run", model, "--bits", "--seed", 1, "--out", tmp_path)
    assert finish(before)[0] == 0
    for seed in range(2, 10):
        process = start("run", model, "--bits", "--seed", seed, "--out", tmp_path)
        kill_after(process, rng.uniform(0.5, 4))
        if not (tmp_path / "report.json").exists():
            continue
        report = json.loads((tmp_path / "report.json").read_text())
        with np.load(tmp_path / "bits.npz", allow_pickle=False) as bits:
            correct = (bits["predictions"] == bits["labels"]).mean(axis=1)
        assert correct.tolist() == report["accuracy"]["per_chip"]
    assert set(visible(tmp_path)) <= {"report.json", "bits.npz", "report.html"}


@pytest.mark.slow
def test_runs_into_one_folder_at_once_leave_one_whole_result(tmp_path, model):
    running = [start("run", model, "--bits", "--seed", n, "--out", tmp_path) for n in range(4)]
    assert [finish(process)[0] for process in running] == [0] * 4
    report = json.loads((tmp_path / "report.json").read_text())
    with np.load(tmp_path / "bits.npz", allow_pickle=False) as bits:
        correct = (bits["predictions"] == bits["labels"]).mean(axis=1)
    assert correct.tolist() == report["accuracy"]["per_chip"]


@pytest.mark.slow
def test_a_sweep_that_is_killed_keeps_what_was_finished(tmp_path, model):
    call = ("sweep", model, "--axis", "seed=1:9:1", "--limit", "6", "--out")
    assert finish(start(*call, tmp_path / "straight"))[0] == 0
    kept: dict[str, bytes] = {}
    rng = random.Random(4)
    for _ in range(5):
        kill_after(start(*call, tmp_path / "killed"), rng.uniform(1, 6))
        found = {
            name: (tmp_path / "killed" / name).read_bytes()
            for name in visible(tmp_path / "killed")
            if name.startswith("points/")
        }
        assert kept.items() <= found.items()
        assert all("row" in json.loads(content) for content in found.values())
        kept = found
    two = [start(*call, tmp_path / "killed") for _ in range(2)]
    assert [finish(process)[0] for process in two] == [0, 0]
    tables = [(tmp_path / name / "sweep.csv").read_text() for name in ("straight", "killed")]
    assert tables[0] == tables[1]


TRAIN = """
import sys
sys.path[:0] = {paths!r}
import torch
torch.set_num_threads(1)
from toy import toy_recipe, toy_task
from pimsim.cli.main import main
from pimsim.train import tasks
tasks.task_for = lambda recipe: toy_task()
sys.argv = ["pimsim", *sys.argv[1:]]
main()
"""


@pytest.fixture
def training(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    import yaml

    tests = Path(__file__).parents[1]
    monkeypatch.syspath_prepend(tests / "train")
    from toy import toy_recipe

    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(toy_recipe().model_dump(mode="json")))
    code = TRAIN.format(paths=[str(tests), str(tests / "train")])

    def begin(out: Path, **options):
        return start(
            "train", path, "--resume", "--device", "cpu", "--out", out, code=code, **options
        )

    return begin


def parameters(folder: Path) -> dict:
    import torch

    return torch.load(folder / "checkpoint.pt", weights_only=True)["network"]


@pytest.mark.slow
def test_a_training_that_is_killed_ends_with_the_same_network(tmp_path, training):
    assert finish(training(tmp_path / "straight"))[0] == 0
    rng = random.Random(5)
    n_epochs = 0
    for _ in range(40):
        if not kill_after(training(tmp_path / "killed"), rng.uniform(6, 14)):
            break
        if (tmp_path / "killed" / "checkpoint.pt").exists():
            from pimsim.train.checkpoint import read_checkpoint

            log = read_checkpoint(tmp_path / "killed" / "checkpoint.pt")[1]["log"]
            assert len(log) >= n_epochs
            n_epochs = len(log)
    assert finish(training(tmp_path / "killed"))[0] == 0
    straight, killed = parameters(tmp_path / "straight"), parameters(tmp_path / "killed")
    assert all((straight[key] == killed[key]).all() for key in straight)
    names = [visible(tmp_path / name) for name in ("straight", "killed")]
    assert names[0] == names[1]


@pytest.mark.slow
def test_a_second_training_in_one_folder_is_refused(tmp_path, training):
    first, second = training(tmp_path / "out"), training(tmp_path / "out")
    ended = sorted([finish(first), finish(second)])
    assert [code for code, _ in ended] == [0, 2]
    assert "is being written by another pimsim" in ended[1][1]


@pytest.mark.slow
def test_a_training_on_a_full_disk_ends_with_an_error(tmp_path, training):
    code, said = finish(training(tmp_path / "out", largest_file=2000))
    assert (code, "Traceback" in said) == (2, False), said
    assert visible(tmp_path / "out") == []
