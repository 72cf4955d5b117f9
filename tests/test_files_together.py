"""Files of a study appear together, or none of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pimsim.errors import ConfigError
from pimsim.files import study_written, write_json, write_text, write_together


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def old_study(folder):
    for name in ("sweep.svg", "sweep.csv", "sweep.json"):
        (folder / name).write_text("old")
    return contents(folder)


def test_all_appear_at_the_end_and_the_last_one_last(tmp_path, monkeypatch):
    before, moved = old_study(tmp_path), []
    with study_written(tmp_path / "sweep.json"):
        write_json(tmp_path / "sweep.json", {})
        write_text(tmp_path / "sweep.svg", "new")
        write_text(tmp_path / "below" / "more.csv", "new")
        assert {k: v for k, v in contents_of_files(tmp_path).items() if k in before} == before
        replace = Path.replace

        def told(path, to):
            moved.append(to.name)
            return replace(path, to)

        monkeypatch.setattr(Path, "replace", told)
    assert moved == ["sweep.svg", "more.csv", "sweep.json"]
    assert contents_of_files(tmp_path) == before | {"sweep.svg": "new", "sweep.json": "{}\n"}
    assert (tmp_path / "below" / "more.csv").read_text() == "new"


def contents_of_files(folder):
    return {p.name: p.read_text() for p in folder.iterdir() if p.is_file() and p.name[0] != "."}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, ConfigError])
def test_where_one_fails_all_stay_as_they_were(tmp_path, error):
    before = old_study(tmp_path)

    def fail(file):
        file.write(b"half")
        raise error("no")

    with pytest.raises(error), study_written(tmp_path / "sweep.json"):
        write_text(tmp_path / "sweep.csv", "new")
        write_together([(tmp_path / "sweep.svg", fail)])
    assert contents(tmp_path) == before
    # what comes after is written at once, as ever
    write_text(tmp_path / "sweep.csv", "newer")
    assert (tmp_path / "sweep.csv").read_text() == "newer"


@pytest.mark.skipif(os.name != "posix", reason="limits as POSIX has them")
def test_a_study_that_is_stopped_between_its_files_leaves_the_one_of_before(tmp_path):
    """As by a full disk, or by `prlimit --fsize=70000`."""
    before = old_study(tmp_path)
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from pimsim.errors import ConfigError\n"
        "from pimsim.files import study_written, write_text\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))\n"
        "folder = Path(sys.argv[1])\n"
        "try:\n"
        "    with study_written(folder / 'sweep.json'):\n"
        "        write_text(folder / 'sweep.csv', 'new')\n"
        "        write_text(folder / 'sweep.svg', 'x' * 70_001)\n"
        "        write_text(folder / 'sweep.json', 'new')\n"
        "except ConfigError as error: print(error)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "sweep.svg cannot be written (File too large)" in done.stdout, done.stderr
    assert contents(tmp_path) == before
