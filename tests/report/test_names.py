"""Names are letters: on the terminal, in figures, pages and tables, whatever they hold."""

from __future__ import annotations

import csv

import pytest
from click.testing import CliRunner
from files import write_model
from hostile import with_name

from pimsim.cli.device import device
from pimsim.config import bundled_root
from pimsim.errors import ConfigError, PimsimError, printable
from pimsim.report.documents import RunDocument, parse
from pimsim.report.html import html_of, render
from pimsim.report.pages import page_of
from pimsim.report.tables import write_csv
from pimsim.report.terminal import print_page, terminal
from pimsim.studies.plan import plan

ORDERS = "\x1b]0;pwned\x07\x1b[31m red \u202e left"
FORMULA = "cheap $\\frac{1$ cell"


def device_named(folder, name: str):
    text = (bundled_root() / "hwconfigs" / "devices" / "pcm.yaml").read_text()
    lines = [f"name: {name}" if line.startswith("name:") else line for line in text.splitlines()]
    path = folder / "named.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("name", ['"\\e]0;pwned\\a"', '"\\u202e left"', '"\\ud800"'])
def test_orders_to_a_terminal_are_refused_in_files(tmp_path, name):
    path = device_named(tmp_path, name)
    done = CliRunner().invoke(device, ["show", str(path)])
    assert isinstance(done.exception, ConfigError)
    assert "which is no letter" in str(done.exception)
    assert str(done.exception).isprintable()


def test_a_dollar_in_a_name_is_a_dollar_in_a_figure(tmp_path):
    path = device_named(tmp_path, f"'{FORMULA}'")
    done = CliRunner().invoke(device, ["plot", str(path), "--out", str(tmp_path / "a.svg")])
    assert done.exception is None
    drawn = (tmp_path / "a.svg").read_text()
    assert "cannot be drawn" not in drawn
    # powers of ten are plain numbers, not formulas
    assert "mathdefault" not in drawn


def test_objects_with_orders_in_their_names_print_none(report, capsys):
    named = with_name(report, ORDERS)
    with pytest.raises(ConfigError, match=r"run\.device holds .x1b, which is no letter"):
        render(named)
    document = parse(report, RunDocument, "report")
    run = document.run.model_copy(update={"device": ORDERS, "chip": FORMULA})
    page = page_of(document.model_copy(update={"run": run}))
    print_page(page, terminal())
    for text in (capsys.readouterr().out, html_of(page)):
        assert "\\x1b]0;pwned\\x07" in text
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        assert FORMULA in text


def test_cells_of_a_table_are_no_formulas(tmp_path):
    row = {
        "device": "=cmd|' calc'!A0.yaml",
        "a": -1.5,
        "b": "-2",
        "c": "@x",
        "d": "+-1",
        "e": "a=b",
    }
    path = write_csv([row], tmp_path / "t.csv")
    header, cells = csv.reader(path.read_text().splitlines())
    assert header == list(row)
    assert cells == ["'=cmd|' calc'!A0.yaml", "-1.5", "-2", "'@x", "'+-1", "a=b"]


def test_errors_are_printable(tmp_path):
    model = write_model(tmp_path)
    with pytest.raises(PimsimError) as caught:
        plan(tmp_path / "no\x1b[31mmodel.yaml")
    assert str(caught.value).isprintable()
    assert model.exists()
    assert printable("a\tb\nc \u00b5 \u4e2d") == "a\tb\nc \u00b5 \u4e2d"
