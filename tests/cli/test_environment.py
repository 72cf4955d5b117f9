"""Variables and files that libraries read: refused before the work, or without an effect."""

from __future__ import annotations

import errno
import os

import pytest
from command_walk import Runner
from files import write_model

from pimsim.cli.environment import Forgiving

FULL = os.makedev(1, 7)  # of a device that is always full, made in a folder of the test's own


@pytest.fixture(scope="module")
def runner():
    with Runner() as started:
        yield started


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NUMBA_NUM_THREADS", "0"),
        ("NUMBA_NUM_THREADS", "x"),
        ("NUMBA_NUM_THREADS", "9" * 30),
        ("NUMBA_THREADING_LAYER", "x"),
        ("NUMBA_OPT", "x"),
        ("SOURCE_DATE_EPOCH", "abc"),
    ],
)
def test_a_variable_that_a_library_cannot_use_is_refused(runner, tmp_path, name, value):
    ended = runner.run(["device", "list"], tmp_path, environment={name: value})
    assert ended.fault() is None
    assert ended.code == 2
    assert f"environment variable {name} is '{value}'" in ended.err
    assert f"unset {name}" in ended.err


@pytest.mark.parametrize("content", [None, os.urandom(300)], ids=["pipe", "garbage"])
def test_settings_of_matplotlib_that_cannot_be_read_are_named(runner, tmp_path, content):
    style = tmp_path / "matplotlibrc"
    os.mkfifo(style) if content is None else style.write_bytes(b"\xff" + content)
    ended = runner.run(["device", "list"], tmp_path)
    assert ended.fault() is None
    assert ended.code == 2
    assert "matplotlibrc is where matplotlib reads its settings, and it is" in ended.err


def test_figures_are_not_drawn_by_latex_or_on_a_screen(runner, tmp_path):
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nfont.family: nothing\n")
    settings = "import matplotlib; matplotlib.rcParams['text.usetex'] = True"
    words = ["device", "plot", "pcm", "--out", "a.svg"]
    ended = runner.run(words, tmp_path, environment={"MPLBACKEND": "x"}, before=settings)
    assert (ended.fault(), ended.code) == (None, 0)
    assert "cannot be drawn" not in (tmp_path / "a.svg").read_text()


def test_a_terminal_without_width_or_letters_is_printed_on(runner, tmp_path):
    code = "import sys; [s.reconfigure(encoding='ascii') for s in (sys.stdout, sys.stderr)]"
    words = ["device", "show", "pcm"]
    ended = runner.run(words, tmp_path, environment={"COLUMNS": "0"}, before=code)
    assert (ended.fault(), ended.code) == (None, 0)
    assert "Levels 1 day after programming" in ended.out


def test_a_user_without_a_home_runs(runner, tmp_path, model):
    """As a user of a container whose number has no entry."""
    code = (
        "import os, pwd\ndef none(_): raise KeyError\n"
        "pwd.getpwuid = none\nfor name in ('HOME', 'XDG_CACHE_HOME'): os.environ.pop(name, 0)"
    )
    words = ["run", str(model), "--limit", "2", "--chips", "1", "--no-noise-sources", "--out", "r"]
    for command in (["device", "show", "pcm"], ["doctor"], ["data", "list"], words):
        ended = runner.run(command, tmp_path, before=code)
        assert (ended.fault(), ended.code) == (None, 0), ended.err


@pytest.mark.skipif(os.getuid() != 0, reason="only root makes such a node")
def test_messages_that_cannot_be_written_do_not_cost_the_result(runner, tmp_path, model):
    node = tmp_path / "full"
    try:
        os.mknod(node, 0o600 | 0o020000, FULL)
    except OSError:
        pytest.skip("no nodes here")
    code = f"import os; os.dup2(os.open({str(node)!r}, os.O_WRONLY), 2)"
    words = ["run", str(model), "--limit", "2", "--chips", "1", "--no-noise-sources", "--out", "r"]
    ended = runner.run(words, tmp_path, before=code)
    assert ended.code == 0
    assert (tmp_path / "r" / "report.json").exists()


def test_a_stream_that_is_full_forgets_what_is_said():
    class Full:
        def write(self, text):
            raise OSError(errno.ENOSPC, "full")

        def flush(self):
            raise OSError(errno.ENOSPC, "full")

    stream = Forgiving(Full())
    assert stream.write("word") == 4
    stream.flush()


def test_words_that_are_orders_to_a_terminal_are_refused(runner, tmp_path):
    for word in ("\x1b[31mred", "a\u202eb"):
        ended = runner.run(["device", "show", word], tmp_path)
        assert (ended.fault(), ended.code) == (None, 2)
        assert "which is no letter" in ended.err
        assert ended.err.strip().isprintable()
