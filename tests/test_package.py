"""What is shipped: the wheel and the archive of sources hold all that a run needs, and no more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import pimsim

ROOT = Path(pimsim.__file__).parents[1]
# from which trainings of a checkout go on
CHECKPOINTS = "models/train/checkpoints/"
FOLDERS = ("pimsim", "hwconfigs", "models")
BUILD = """
import sys
from setuptools import build_meta
getattr(build_meta, "build_" + sys.argv[1])(sys.argv[2])
"""


def tracked(folder):
    listed = subprocess.run(
        ["git", "ls-files", "-z", folder], cwd=ROOT, capture_output=True, text=True
    )
    names = {name for name in listed.stdout.split("\0") if name}
    return {name for name in names if not name.startswith(CHECKPOINTS)}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Names in the wheel and in the archive, built from a copy of what git has."""
    pytest.importorskip("setuptools")
    if not tracked("setup.cfg"):
        pytest.skip("this is no checkout")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("out")
    for name in tracked("."):
        if not name.startswith("docs/"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    # a checkout on PYTHONPATH is not what is built
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    for kind in ("sdist", "wheel"):
        command = [sys.executable, "-c", BUILD, kind, str(out)]
        done = subprocess.run(command, cwd=source, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
    with zipfile.ZipFile(next(out.glob("*.whl"))) as wheel:
        in_wheel = set(wheel.namelist())
    with tarfile.open(next(out.glob("*.tar.gz"))) as archive:
        in_archive = {one.name.partition("/")[2] for one in archive if one.isfile()}
    return in_wheel, in_archive


@pytest.mark.slow  # builds both; .ci/run asks for it
def test_the_wheel_holds_the_package_and_what_users_edit_and_no_more(built):
    shipped = {name for name in built[0] if ".dist-info/" not in name}
    expected = {
        name if name.startswith("pimsim/") else f"pimsim/bundled/{name}"
        for folder in FOLDERS
        for name in tracked(folder)
    }
    assert sorted(shipped - expected) == []
    assert sorted(expected - shipped) == []


@pytest.mark.slow
def test_the_archive_of_sources_can_be_built_and_has_no_part_of_the_tests(built):
    needed = {"setup.cfg", "pyproject.toml", "README.md", "LICENSE", "CITATION.cff"}
    assert sorted(needed.union(*map(tracked, FOLDERS)) - built[1]) == []
    assert not {name for name in built[1] if name.startswith(("tests/", "docs/", "benchmarks/"))}
