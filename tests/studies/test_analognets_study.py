"""A network of spoken words on one array: its figure, without and with its networks."""

from __future__ import annotations

import dataclasses

from click.testing import CliRunner
from real_data import real_data

from pimsim.cli.main import cli
from pimsim.config.bundled import bundled_names
from pimsim.report.pages import document_of
from pimsim.studies.analognets import ANALOGNETS, PUBLISHED
from pimsim.studies.reproduce import reproduce, reproduction_document

SPEC = ANALOGNETS["analognets"]


def test_its_networks_have_recipes_and_its_chip_is_there():
    assert {v.network for v in SPEC.variants} <= set(bundled_names("recipe"))
    assert SPEC.chip in bundled_names("chip")
    assert len(SPEC.variants) == 3 * len(PUBLISHED)


def test_rows_without_networks_are_not_computed_and_say_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PIMSIM_DATA", str(real_data("speech-cepstra-test").parent))
    absent = dataclasses.replace(SPEC.variants[-1], network="kws_analog_5b")
    spec = dataclasses.replace(SPEC, variants=(*SPEC.variants[:2], absent))
    found = reproduce("analognets", spec, tmp_path, samples=1, limit=12, networks=tmp_path)
    document = reproduction_document(found)
    assert [row.network for row in document.missing] == ["kws_analog_5b"]
    assert [row.network for row in document.points] == ["kws_analog_8b"] * 2
    assert document_of(document.as_dict()) == document


def test_networks_and_starts_are_refused_where_nothing_reads_them(tmp_path):
    run = CliRunner().invoke(
        cli, ["reproduce", "analognets", "--out", str(tmp_path), "--start", "x"]
    )
    assert "is of LSTMs alone" in str(run.exception)
    run = CliRunner().invoke(
        cli, ["reproduce", "fig3a", "--out", str(tmp_path), "--networks", str(tmp_path)]
    )
    assert "is of LSTMs and of figures of chips" in str(run.exception)
