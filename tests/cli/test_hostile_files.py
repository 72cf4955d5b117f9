"""Every command with files that do harm, and with places that cannot be written.

A command ends with an error that a user can act on: no traceback, no hang, no memory beyond a
gigabyte, nothing written, and what stood at a place still stands there. Each parameter meets a few
of them here, and all of them under the marker `slow`.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from pathlib import Path

import click
import command_walk as walk
import hostile_files as hostile
import numpy as np
import pytest
from command_walk import Ended, Parameter, Role
from files import write_model
from hostile_files import CLOSED, FILES, NAMES, NOBODY, TARGET_NAMES, TARGETS

from pimsim.errors import ConfigError, Place
from pimsim.studies import distribute

# endings of names by which commands choose a reader
ENDINGS = {
    "model": (".yaml", ".safetensors"),
    "network": (".safetensors",),
    "networks": (".safetensors",),
    "data": (".npz", ".tar.xz", ".tar.gz"),
    "what": (".json", ".yaml"),
    "table": (".csv",),
    "file": (".safetensors", ".onnx"),
    "checkpoint": (".pt",),
    "start": (".pt",),
    "scheduler": (".json",),
}
# keys of a model file, of a chip file and of axes that name files
KEYS = ("network", "networks.levels", "chip", "device", "data", "chip.technology")
RECIPE = """\
name: toy
data: set.npz
network: [{kind: quantiser, bits: 4}, {kind: dense}]
stages: [{name: first, epochs: 1, batch: 8, learning_rate: 0.01}]
"""


@pytest.fixture(scope="module")
def runner():
    with walk.Runner() as started:
        yield started


@pytest.fixture(scope="module")
def places():
    """Files that commands can work with, in a folder that other users may enter."""
    folder = Path(tempfile.mkdtemp(prefix="pimsim-hostile-"))
    folder.chmod(0o755)
    model = write_model(folder)
    model.rename(folder / "model.yaml")
    (folder / "cells.csv").write_text("level,current [uA]\n0,1\n0,1.1\n1,5\n1,5.2\n")
    rng = np.random.default_rng(1)
    np.savez(folder / "set.npz", features=rng.normal(size=(40, 6)).astype(np.float32),
             labels=np.arange(40) % 4)  # fmt: skip
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "net.onnx").write_bytes(_onnx(folder))
    (folder / "run.pt").write_bytes(b"")
    (folder / "report.json").write_text("{}")
    yield {
        "folder": str(folder),
        "model": str(folder / "model.yaml"),
        "network": str(folder / "gru.safetensors"),
        "report": str(folder / "report.json"),
        "cells": str(folder / "cells.csv"),
        "npz": str(folder / "set.npz"),
        "onnx": str(folder / "net.onnx"),
        "recipe": str(folder / "recipe.yaml"),
        "checkpoint": str(folder / "run.pt"),
        "device": "reram",
        "validation": "ktc_2ff",
    }
    shutil.rmtree(folder)


def _onnx(folder: Path) -> bytes:
    try:
        from onnx import helper
        from onnx_files import graph_file, random
    except ImportError:
        return b""
    nodes = [helper.make_node("Gemm", ["x", "w"], ["y"])]
    return graph_file(folder, nodes, {"x": (1, 6)}, {"w": random(6, 4)}).read_bytes()


def listed(role: Role) -> list[Parameter]:
    return [p for p in walk.parameters() if p.role is role and walk.is_installed(p.command)]


READ = listed(Role.READ)
WRITTEN = [*listed(Role.WRITTEN), *listed(Role.FOLDER)]


def refused(ended: Ended) -> str | None:
    """What is wrong with the end of a command that had to be refused; None if nothing is."""
    if ended.fault() is not None:
        return f"{ended.fault()}: {ended.err[-300:]}"
    if ended.code != 2 or "Error: " not in ended.err:
        return f"ends with {ended.code}: {ended.err[-300:]}"
    return None


class Walk:
    """Commands on hostile files in a folder that is made anew for each."""

    def __init__(self, runner: walk.Runner, places: dict[str, str]) -> None:
        self.runner, self.places = runner, places
        self.faults: list[str] = []
        self.n = 0

    def _folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(dir=self.places["folder"]))
        folder.chmod(0o755)
        shutil.copy(self.places["model"], folder / "model.yaml")
        return folder

    def read(self, words: list[str], what: str, path: Path, user: int | None = None) -> None:
        """Run a command that reads a hostile file; nothing may be written, and nothing change."""
        folder = path.parent
        before = {p.name: hostile.kind_of(p) for p in folder.iterdir()}
        ended = self.runner.run(words, folder, user=user)
        wrong = refused(ended)
        if wrong is None and {p.name: hostile.kind_of(p) for p in folder.iterdir()} != before:
            wrong = f"leaves {sorted(p.name for p in folder.iterdir())}"
        self._note(wrong, words, what)

    def _note(self, wrong: str | None, words: list[str], what: str) -> None:
        self.n += 1
        if wrong is not None:
            self.faults.append(f"pimsim {' '.join(words)[:200]} ({what}) {wrong}")

    def file(self, parameter: Parameter, what: str, ending: str) -> None:
        """A hostile file as a parameter."""
        folder = self._folder()
        path = folder / f"hostile{ending}"
        if what in FILES:
            if not hostile.is_possible(FILES[what], Path(tempfile.mkdtemp(dir=folder))):
                return
            FILES[what](path)
        value = str(path) if what in FILES else NAMES[what] + (ending if "name" in what else "")
        words = walk.call(parameter, value, self.places | {"out": str(folder / "out")})
        self.read(words, what, path)

    def key(self, key: str, what: str) -> None:
        """A hostile file as what a key of a model file or chip file names."""
        folder = self._folder()
        path = folder / f"hostile{'.safetensors' if 'network' in key else '.yaml'}"
        FILES[what](path)
        words = ["run", self.places["model"], "--set", f"{key}={path}", "--out", "out"]
        self.read(words, f"{key}: {what}", path)

    def closed(self, parameter: Parameter, what: str) -> None:
        """A file that this user may not read, or in a folder that is closed to it."""
        folder = self._folder()
        inside = folder / "closed"
        inside.mkdir()
        path = inside / f"hostile{ENDINGS.get(parameter.name, ('.yaml',))[0]}"
        path.write_text("schema: x")
        path.chmod(0)
        inside.chmod(CLOSED[what])
        words = walk.call(parameter, str(path), self.places | {"out": str(folder / "out")})
        ended = self.runner.run(words, folder, user=NOBODY)
        self._note(refused(ended), words, what)

    def target(self, parameter: Parameter, what: str) -> None:
        """A place that cannot be written."""
        folder = self._folder()
        ending = _ending(parameter)
        path = folder / f"target{ending}"
        if what in TARGETS:
            TARGETS[what](path)
        elif what in TARGET_NAMES:
            path = folder / (TARGET_NAMES[what] + (ending if what != "no name" else ""))
        elif what == "other kind":
            path.mkdir() if parameter.role is Role.WRITTEN else path.write_text("kept")
        elif what == "input":
            # a copy: a command that overwrites it must not spoil the others
            path = folder / "model.yaml"
        value = "" if what == "no name" else str(path)
        stood = hostile.kind_of(path)
        content = path.read_bytes() if stood == hostile.stat.S_IFREG else None
        words = walk.call(parameter, value, self.places | {"out": str(folder / f"out-{what}")})
        words = [str(path) if word == self.places["model"] and what == "input" else word
                 for word in words]  # fmt: skip
        before = sorted(p.name for p in folder.iterdir())
        ended = self.runner.run(words, folder)
        wrong = refused(ended)
        if wrong is None and hostile.kind_of(path) != stood:
            wrong = "what stood there is gone"
        if wrong is None and content is not None and path.read_bytes() != content:
            wrong = "is overwritten"
        if wrong is None and sorted(p.name for p in folder.iterdir()) != before:
            wrong = f"leaves {sorted(p.name for p in folder.iterdir())}"
        self._note(wrong, words, what)

    def closed_target(self, parameter: Parameter, what: str) -> None:
        folder = self._folder()
        inside = folder / "closed"
        inside.mkdir()
        inside.chmod(CLOSED[what])
        value = str(inside / f"target{_ending(parameter)}")
        words = walk.call(parameter, value, self.places | {"out": str(folder / "out")})
        ended = self.runner.run(words, folder, user=NOBODY)
        inside.chmod(0o755)
        self._note(refused(ended) or ("writes" if list(inside.iterdir()) else None), words, what)


def _ending(parameter: Parameter) -> str:
    """Ending of the file that a command writes; nothing for folders."""
    call = walk.CALLS[parameter.command]
    default = next((word.removeprefix("{out}") for word in call if word.startswith("{out}")), "")
    if parameter.role is Role.FOLDER:
        return ""
    return ".svg" if parameter.name == "figure" else default


@pytest.fixture
def walking(runner, places):
    walked = Walk(runner, places)
    yield walked
    assert not walked.faults, f"{len(walked.faults)} of {walked.n}:\n" + "\n".join(walked.faults)


def test_every_command_is_walked():
    """A new command is missing here, and a new path is neither read nor a target."""
    assert set(walk.CALLS) == {words for words, _ in walk.commands()}
    assert READ
    assert WRITTEN


@pytest.mark.parametrize("kind", [click.Path(), str])
def test_a_new_path_or_text_has_to_be_named_in_the_walk(kind):
    option = click.Option(["--brand-new"], type=kind)
    with pytest.raises(AssertionError, match="brand_new"):
        walk._role(("run",), option)


@pytest.mark.parametrize(
    ("before", "fault"),
    [
        ("import time; time.sleep(60)", "hangs"),
        ("raise ValueError", "traceback"),
        ("kept = b'1' * (1200 << 20)", "takes 1"),
        ("import os; os.abort()", "ends with -6"),
        ("raise SystemExit(2)", "says nothing"),
        ("", None),
    ],
)
def test_the_walk_sees_what_may_not_happen(runner, tmp_path, before, fault):
    seconds = 2 if fault == "hangs" else walk.SECONDS
    ended = runner.run(["--version"], tmp_path, seconds=seconds, before=before)
    found = ended.fault()
    assert found is None if fault is None else found.startswith(fault), ended


def grid() -> list[tuple[str, object]]:
    """All hostile inputs: what is walked under the marker `slow`."""
    cases: list[tuple[str, object]] = [
        ("file", (p, what, ending))
        for p in READ
        for what in (*FILES, *NAMES)
        for ending in ENDINGS.get(p.name, (".yaml",))
        if not is_harmless(p, what)
    ]
    cases += [("key", (key, what)) for key in KEYS for what in FILES]
    cases += [("closed", (p, what)) for p in READ for what in CLOSED]
    cases += [("target", (p, what)) for p in WRITTEN for what in targets_of(p)]
    cases += [
        ("closed_target", (p, what))
        for p in WRITTEN
        for what in ("closed folder", "read-only folder")
    ]
    return cases


def targets_of(parameter: Parameter) -> list[str]:
    """Places that cannot be written, for one parameter."""
    has_model = "{model}" in walk.CALLS[parameter.command] and parameter.role is Role.WRITTEN
    return [*TARGETS, *TARGET_NAMES, "other kind", *(["input"] if has_model else [])]


def is_harmless(parameter: Parameter, what: str) -> bool:
    """Whether a value is another thing than a file: no name, or the address of a scheduler."""
    if parameter.name == "scheduler":
        return what in (*NAMES, "missing", "dangling link", "link in circles")
    return what == "no name" and parameter.name in ("what", "names")


def test_there_are_two_thousand_hostile_files():
    assert len(grid()) > 2000


@pytest.mark.parametrize("words", [["inspect"], ["run", "gru", "--network"]])
def test_the_name_of_a_bundled_file_in_another_folder_is_not_the_bundled_file(
    runner, tmp_path, words
):
    ended = runner.run([*words, "no/such/folder/gru_w7.safetensors"], tmp_path)
    assert (ended.code, "is no file" in ended.err) == (2, True), ended
    bundled = runner.run(["inspect", "gru_w7.safetensors"], tmp_path)
    assert (bundled.code, "Layers" in bundled.out) == (0, True), bundled.err


@pytest.mark.parametrize("text", ["", "{", "[]", '{"address": 5}', '{"address": ""}', "[" * 9999])
def test_a_file_without_the_address_of_a_scheduler_is_refused(tmp_path, text):
    path = tmp_path / "scheduler.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"is no JSON|is a file without the address"):
        distribute._address(str(path), Place("--scheduler"))
    path.write_text('{"address": "tcp://a:1"}')
    assert distribute._address(str(path), Place("--scheduler")) == "tcp://a:1"
    assert distribute._address("tcp://b:2", Place("--scheduler")) == "tcp://b:2"


# these hang where a reader has no guard
EACH = ("pipe", "endless device")


@pytest.mark.parametrize("number", range(len(READ)), ids=[str(p) for p in READ])
def test_a_file_that_does_harm_is_refused(walking, number):
    parameter, turns = READ[number], [what for what in (*FILES, *NAMES) if what not in EACH]
    # every parameter meets one that hangs, and every other one something else as well
    for what in (EACH[number % 2], *([turns[number // 2 % len(turns)]] if number % 2 else [])):
        if not is_harmless(parameter, what):
            walking.file(parameter, what, ENDINGS.get(parameter.name, (".yaml",))[0])


@pytest.mark.parametrize("number", range(len(WRITTEN)), ids=[str(p) for p in WRITTEN])
def test_a_place_that_cannot_be_written_is_refused(walking, number):
    kinds = targets_of(WRITTEN[number])
    walking.target(WRITTEN[number], kinds[number % len(kinds)])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["file", "key", "closed", "target", "closed_target"])
@pytest.mark.parametrize("part", range(8))
def test_all_files_that_do_harm_are_refused(walking, kind, part):
    if kind.startswith("closed") and os.getuid() != 0:
        pytest.skip("only root can be somebody else")
    for arguments in itertools.islice((a for k, a in grid() if k == kind), part, None, 8):
        getattr(walking, kind)(*arguments)
