"""Other systems, simulated: no locks or users as on Windows, no set of processors as on macOS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml
from files import write_model

import pimsim

ROOT = Path(pimsim.__file__).parents[1]
# what these systems lack goes before pimsim is imported; libraries have modules for each system
LACKING = """
import os, sys, tempfile, subprocess, multiprocessing
import matplotlib.figure, numba, platformdirs, scipy
sys.modules["fcntl"] = None  # an import of it fails
sys.modules["resource"] = None
for name in ("sched_getaffinity", "getuid", "geteuid", "getgid", "getgroups", "fork",
             "O_NONBLOCK", "O_DIRECTORY", "O_NOFOLLOW", "sysconf"):
    if hasattr(os, name):
        delattr(os, name)
"""
STUDY = """
from pathlib import Path
from pimsim.studies.doctor import State, examine
from pimsim.studies.folder import write_run
from pimsim.files import folder_held
import pimsim
found = pimsim.run(MODEL, chips=1, limit=2, threads=1, noise_sources=False)
with folder_held(Path(OUT)):
    write_run(Path(OUT), found.report)
problems = [f for f in examine() if f.state is State.PROBLEM]
assert not problems, problems
print("processors" in str([f.found for f in examine()]))
"""


def test_a_run_and_the_doctor_work_without_what_other_systems_lack(tmp_path):
    model, out = write_model(tmp_path), tmp_path / "out"
    names = f"MODEL, OUT = {str(model)!r}, {str(out)!r}\n"
    done = subprocess.run(
        [sys.executable, "-c", LACKING + names + STUDY], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True"
    assert (out / "report.json").is_file()


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    assert cited["version"] == pimsim.__version__
    assert cited["license"] == "Apache-2.0"


def test_the_container_starts_what_the_package_installs():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert 'ENTRYPOINT ["pimsim"]' in lines
    assert any(line.startswith("FROM python:3.") for line in lines)
