"""Where output goes: looked at before the work, written through links, never over an input."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import command_walk as walk
import hostile_files as hostile
import pytest
from click.testing import CliRunner
from files import write_model

from pimsim.cli.compare import compare
from pimsim.cli.device import device
from pimsim.cli.main import check_start, main
from pimsim.data.download import RemoteFile, fetch
from pimsim.errors import ConfigError, DataError, PimsimError
from pimsim.files import (
    claim,
    claim_folder,
    folder_held,
    forget_claims,
    read_text,
    short_name,
    write_json,
    write_text,
)
from pimsim.studies.origin import origin

TRAINING = {
    "schema": "pimsim.training/1",
    "pimsim": "0",
    "recipe": {"name": "toy", "seed": 1, "stages": [{"epochs": 1}]},
    "log": [{"stage": "first", "epoch": 1, "loss": 1.0, "wall_s": 1.0}],
}


def pimsim(*words: object) -> tuple[int, str]:
    """Exit code of a command in this process, and its errors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["pimsim", *map(str, words)])
        said: list[str] = []
        patch.setattr("click.echo", lambda text="", **_: said.append(str(text)))
        with pytest.raises(SystemExit) as left:
            main()
    return int(left.value.code or 0), " ".join(said)


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "training.json"
    path.write_text(json.dumps(TRAINING | {"provenance": origin()}))
    return path


@pytest.fixture(autouse=True)
def no_claims():
    yield
    forget_claims()


@pytest.mark.parametrize("kind", hostile.TARGETS)
def test_what_is_no_file_stays_what_it_is(tmp_path, kind):
    """No device, pipe or socket is replaced by a file, nor is it written to."""
    make = hostile.TARGETS[kind]
    (tmp_path / "trial").mkdir()
    if not hostile.is_possible(make, tmp_path / "trial"):
        pytest.skip("cannot be made here")
    path = tmp_path / "there"
    make(path)
    before = hostile.kind_of(path)
    for write in (lambda: write_text(path, "x"), lambda: claim(path, "--out")):
        with pytest.raises(
            ConfigError, match=r"is a (pipe|socket|device|link to itself)|circles|Too"
        ):
            write()
    assert hostile.kind_of(path) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_download_onto_a_pipe_is_refused_before_the_network(tmp_path):
    os.mkfifo(tmp_path / "x.gz")
    with pytest.raises(DataError, match=r"x\.gz is a pipe"):
        fetch(RemoteFile("http://127.0.0.1:1/x.gz", 1, "0"), tmp_path)
    assert stat.S_ISFIFO((tmp_path / "x.gz").lstat().st_mode)


def test_a_link_is_written_through(tmp_path):
    """Also one that leads to a file that is not there yet."""
    (tmp_path / "there").mkdir()
    link, real = tmp_path / "link.json", tmp_path / "there" / "real.json"
    link.symlink_to("there/real.json")
    for content in ({"a": 1}, {"a": 2}):
        assert write_json(link, content) == link
        assert link.is_symlink()
        assert json.loads(real.read_text()) == content
    assert [p.name for p in (tmp_path / "there").iterdir()] == ["real.json"]


def test_a_document_is_not_overwritten_by_its_page(tmp_path, document):
    whole = document.read_bytes()
    code, said = pimsim("report", document, "-o", document)
    assert (code, "is read, and --out would overwrite it" in said) == (2, True), said
    page = tmp_path / "g.html"
    document.rename(page)
    code, said = pimsim("report", page)
    assert (code, "is read, and the page would overwrite it" in said) == (2, True), said
    assert page.read_bytes() == whole
    code, said = pimsim("report", page, "-o", tmp_path / "other.html")
    assert code == 0, said


def test_an_input_that_a_file_names_is_not_overwritten(tmp_path):
    """The network of a model file is one, and so is a table of points in the sweep's folder."""
    model = write_model(tmp_path)
    network = tmp_path / "gru.safetensors"
    whole = network.read_bytes()
    code, said = pimsim("vectors", model, "-o", network)
    assert (code, "would overwrite it" in said) == (2, True), said
    assert network.read_bytes() == whole
    (tmp_path / "out").mkdir()
    points = tmp_path / "out" / "sweep.csv"
    points.write_text("seed\n1\n")
    code, said = pimsim("sweep", model, "--points", points, "--out", tmp_path / "out")
    assert (code, "would overwrite it" in said) == (2, True), said
    assert points.read_text() == "seed\n1\n"


def test_two_results_are_not_written_to_one_file(tmp_path):
    """A page beside the document of its own name."""
    code, said = pimsim("validate", "ktc_2ff", "--out", tmp_path / "x.html")
    assert (code, "is written by --out as well" in said) == (2, True), said
    assert list(tmp_path.iterdir()) == []
    code, said = pimsim("device", "fit", "x.csv", "-o", tmp_path / "x.svg")
    assert (code, "is written by --out as well" in said) == (2, True), said


@pytest.mark.parametrize("words", [["run", "gru", "--out", "gr\udcfcn"], ["run", "gr\udcfcn.yaml"]])
def test_words_that_are_no_text_are_refused_before_the_work(words):
    code, said = pimsim(*words)
    assert (code, "is no text in UTF-8" in said) == (2, True), said


def test_a_name_of_half_a_character_is_written_as_its_number(tmp_path):
    """What comes from elsewhere costs a letter, not the result."""
    write_text(tmp_path / "x.html", "gr\udcfcn")
    assert read_text(tmp_path / "x.html") == "gr\\udcfcn"


def test_long_names_of_cases_are_cut(tmp_path, monkeypatch):
    """Names of 150 letters each, before and after the first case is run."""
    name = short_name("ä" * 150 + "/x")
    assert len(name.encode()) <= 80
    model = write_model(tmp_path)
    long = tmp_path / f"{'m' * 150}.yaml"
    long.write_text(model.read_text())
    cell = tmp_path / f"{'d' * 150}.yaml"
    cell.write_bytes((Path(walk.__file__).parents[2] / "hwconfigs/devices/reram.yaml").read_bytes())
    done = CliRunner().invoke(compare, [str(long), "--device", str(cell), "--chips", "1",
                                        "--limit", "2", "--out", str(tmp_path / "o")])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "o").glob("1-*/report.json"))) == 1


def test_files_of_a_folder_are_looked_at_before_the_work(tmp_path):
    """A folder with a pipe where a report goes."""
    os.mkfifo(tmp_path / "report.json")
    with pytest.raises(ConfigError, match=r"report\.json is a pipe"):
        claim_folder(tmp_path, ["report.html", "report.json"], "--out")
    code, said = pimsim("run", "gru", "--out", tmp_path)
    assert (code, "is a pipe" in said) == (2, True), said
    (tmp_path / "points").write_text("")
    code, said = pimsim("sweep", "gru", "--axis", "seed=1", "--out", tmp_path)
    assert (code, "points is a file" in said) == (2, True), said


def test_a_folder_that_was_only_held_is_removed(tmp_path):
    with folder_held(tmp_path / "a"):
        pass
    assert not (tmp_path / "a").exists()
    with folder_held(tmp_path / "a"):
        write_text(tmp_path / "a" / "x", "kept")
    assert (tmp_path / "a" / "x").exists()


@pytest.mark.parametrize("words", [["run", "gru"], ["device", "list"], ["init", "x"], ["doctor"]])
def test_a_working_folder_that_was_removed_is_told(words, monkeypatch):
    here = Path.cwd()
    gone = tempfile.mkdtemp()
    os.chdir(gone)
    try:
        Path(gone).rmdir()
        code, said = pimsim(*words)
    finally:
        os.chdir(here)
    assert (code, "the working folder cannot be used" in said) == (2, True), said
    check_start()


def test_a_working_folder_that_is_no_text_is_refused(tmp_path, monkeypatch):
    """Its name stands in every report."""
    folder = tmp_path / "gr\udcfcn"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(PimsimError, match="is no text in UTF-8"):
        check_start()


def test_no_locks_on_this_system(tmp_path, monkeypatch):
    """Everything is imported and written without `fcntl`."""
    code = (
        "import sys; sys.modules['fcntl'] = None\n"
        "from pathlib import Path\n"
        "from pimsim.files import folder_held, write_text\n"
        "import pimsim.cli.main\n"
        "with folder_held(Path(sys.argv[1])): write_text(Path(sys.argv[1]) / 'x', 'a')\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "o")], check=True)
    assert (tmp_path / "o" / "x").read_text() == "a"


def test_files_are_written_before_their_table_is_printed(tmp_path, monkeypatch):
    """A reader that reads no more costs no file."""
    cells = tmp_path / "cells.csv"
    rows = [f"{k},{k + 1 + n / 100}" for k in range(3) for n in range(30)]
    cells.write_text("level,current [uA]\n" + "\n".join(rows))

    def closed(*_):
        raise BrokenPipeError

    monkeypatch.setattr("pimsim.report.terminal.print_page", closed)
    out = tmp_path / "d.yaml"
    for words in (["fit", str(cells), "--read-voltage", "0.2 V", "-o", str(out)],
                  ["program", "cmos_mlc_4", "-o", str(tmp_path / "p.svg")]):  # fmt: skip
        done = CliRunner().invoke(device, words)
        assert isinstance(done.exception, BrokenPipeError), done.output
    assert {p.name for p in tmp_path.iterdir()} == {"cells.csv", "d.yaml", "d.svg", "p.svg"}
