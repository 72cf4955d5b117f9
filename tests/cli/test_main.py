"""How the program ends, whatever ended its command."""

from __future__ import annotations

import click
import pytest

from pimsim.cli import main as module


def ended(monkeypatch, cause):
    def run(standalone_mode):
        raise click.exceptions.Abort from cause

    monkeypatch.setattr(module.cli, "main", run)
    monkeypatch.setattr(module.gc, "freeze", lambda: None)
    monkeypatch.setattr(module.gc, "set_threshold", lambda *_: None)
    module.main()


def test_ctrl_c_is_an_interruption(monkeypatch, capsys):
    with pytest.raises(SystemExit) as left:
        ended(monkeypatch, KeyboardInterrupt())
    assert left.value.code == 130
    assert "Interrupted" in capsys.readouterr().err


def test_the_end_of_a_file_is_none(monkeypatch, capsys):
    """Click takes it for the end of what is typed; it once hid a damaged file for ever."""
    with pytest.raises(EOFError, match="no more"):
        ended(monkeypatch, EOFError("no more"))
    assert "Interrupted" not in capsys.readouterr().err
