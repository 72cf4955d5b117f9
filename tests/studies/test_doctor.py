"""What the doctor finds, and what it says when something is missing."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from pimsim.cli.doctor import doctor
from pimsim.errors import DataError, Place
from pimsim.kernels import cache
from pimsim.studies import doctor as study
from pimsim.studies.doctor import State, describe, examine, is_well


def by_name(findings):
    return {finding.what: finding for finding in findings}


def test_here_all_is_well_and_every_trouble_has_a_remedy():
    findings = examine()
    found = by_name(findings)
    assert is_well(findings), [f for f in findings if f.state is State.PROBLEM]
    assert len(found) == len(findings)
    assert {"pimsim", "numpy", "numba", "kernels", "threads", "compile cache"} <= found.keys()
    assert {"synthetic-speech", "mnist-test", "device files", "this folder"} <= found.keys()
    assert all(finding.remedy for finding in findings if finding.state is not State.GOOD)
    assert importlib.metadata.version("numba") in found["numba"].found
    assert "648 in the package" in found["synthetic-speech"].found


def test_a_missing_package_is_a_problem_and_one_of_an_extra_a_note(monkeypatch):
    needed = ["nothing-such>=2", "nor-this>=1; extra == 'train'", "nor-that; extra == 'docs'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: needed)
    found = by_name(study._packages())
    assert found.keys() == {"nothing-such", "nor-this"}
    assert found["nothing-such"].state is State.PROBLEM
    assert found["nothing-such"].remedy == "pip install 'nothing-such>=2'"
    assert found["nor-this"].state is State.NOTE
    assert "pip install 'pimsim[train]'" in found["nor-this"].remedy


def test_folders_that_are_missing_or_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PIMSIM_DATA", str(tmp_path / "file"))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file" / "below"))
    monkeypatch.setattr(study.catalog, "data_home", lambda: tmp_path / "file" / "below")
    assert by_name(study._data())["data folder"].state is State.PROBLEM
    assert by_name(study._data())["downloads"].state is State.NOTE
    assert by_name(study._compile_cache())["compile cache"].state is State.NOTE


def test_data_in_a_folder_that_may_not_be_read_are_a_note(monkeypatch):
    def refuse(name):
        raise DataError("cannot be read (Permission denied)", place=Place("there"))

    monkeypatch.setattr(study.catalog, "find", refuse)
    found = {finding.what: finding for finding in study._data()}["mnist-test"]
    assert (found.state, found.found) == (
        State.NOTE,
        "there cannot be read (Permission denied)",
    )


def test_kernels_that_are_damaged_or_could_be_changed_by_others_are_seen(monkeypatch, tmp_path):
    monkeypatch.setattr(cache.platformdirs, "user_cache_path", lambda *_, **__: tmp_path / "user")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    folder = cache.find_folder()
    cache.CheckedFile(str(folder), "kernel", "stamp").save("key", ["machine code"])
    found = by_name(study._compile_cache())["compile cache"]
    assert (found.state, found.found) == (State.GOOD, f"1 kernels in {folder}")
    (folder / "kernel.nbi").write_bytes(b"")
    found = by_name(study._compile_cache())["compile cache"]
    assert (found.state, "1 damaged files" in found.found) == (State.NOTE, True)
    folder.chmod(0o777)
    found = by_name(study._compile_cache())["compile cache"]
    assert found.state is State.NOTE
    assert f"{folder} can be written by other users: kernels are kept in {tmp_path}" in found.found


def test_definitions_of_units_that_others_could_change_are_seen(monkeypatch):
    monkeypatch.setattr(study, "trouble_with", lambda folder: f"{folder} belongs to another user")
    found = by_name(study._unit_definitions())["unit definitions"]
    assert (found.state, "XDG_CACHE_HOME" in found.remedy) == (State.NOTE, True)


def test_settings_of_figures_that_others_could_change_are_seen(monkeypatch):
    monkeypatch.setattr(study, "guard_matplotlib", lambda: "/shared belongs to another user")
    found = by_name(study._figure_settings())["figure settings"]
    assert (found.state, "MPLCONFIGDIR" in found.remedy) == (State.NOTE, True)


def test_the_command_prints_a_table_or_json_and_leaves_with_1_at_a_problem(monkeypatch):
    done = CliRunner().invoke(doctor, [])
    assert (done.exit_code, "everything that `pimsim run` needs is installed" in done.output) == (
        0,
        True,
    )
    done = CliRunner().invoke(doctor, ["--json"])
    assert json.loads(done.output) == json.loads(json.dumps(describe(examine())))
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ["nothing-such[x]>=2"])
    done = CliRunner().invoke(doctor, [])
    assert (done.exit_code, "PROBLEM" in done.output) == (1, True)


@pytest.mark.slow
def test_without_compilation_the_kernels_are_called_slow():
    code = ("import os; os.environ['NUMBA_DISABLE_JIT'] = '1'\n"
            "from pimsim.studies.doctor import _kernels\nprint(next(_kernels()))")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "interpreted" in done.stdout, done.stderr
