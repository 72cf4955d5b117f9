"""Pages of reports: whole, alone, honest, harmless."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from click.testing import CliRunner
from hostile import HOSTILE, with_hostile_names, with_name

from pimsim.cli.report import report as command
from pimsim.errors import ConfigError
from pimsim.files import MAX_TEXT_BYTES
from pimsim.report.blocks import count, digits, quantity, signed
from pimsim.report.html import PAGE, render
from pimsim.report.pages import DOCUMENTS, find_document, read_document
from pimsim.studies.compare import describe_comparison

KINDS = ("run", "compare", "sweep", "train", "validate")
VOID = {"meta", "link", "br", "hr", "img", "input"}
MAY_LOAD = ("src", "href", "xlink:href", "action", "data", "poster", "srcset")


class Reader(HTMLParser):
    """Takes a page apart; fails where tags are not balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headlines: list[float] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "data" and "p" in self.open:
            self.headlines.append(float(dict(attrs)["value"]))

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)


@pytest.fixture(scope="module")
def pages(documents):
    return {kind: render(document) for kind, document in documents.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_tags_are_balanced_and_names_unique(pages, kind):
    read = Reader(pages[kind])
    names = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(names) == len(set(names))
    assert pages[kind].startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_needs_nothing_else(pages, kind):
    for tag, attributes in Reader(pages[kind]).tags:
        assert tag not in ("iframe", "object", "embed", "base", "img")
        for key in set(MAY_LOAD) & attributes.keys():
            assert attributes[key].startswith(("#", "data:")), (tag, attributes)
    assert not re.search(r"@import|url\((?!#)", pages[kind])
    assert "default-src 'none'" in pages[kind]


def test_headline_numbers_are_those_of_the_report(report, pages):
    headlines = Reader(pages["run"]).headlines
    assert headlines == [
        report["accuracy"]["mean"],
        report["energy"]["per_inference_j"],
        report["latency"]["interval_s"],
        report["area"]["total_m2"],
    ]
    text = " ".join(Reader(pages["run"]).words)
    assert f"{100 * report['accuracy']['mean']:.2f} %" in text
    accuracy = report["accuracy"]
    assert f"{100 * accuracy['std']:.2f} over 3 chips" in text
    assert f"{100 * accuracy['std_reads']:.2f} between reads of a chip" in text
    assert f"{100 * accuracy['yield']['share']:.1f} % of chips reach 10 %" in text


def test_a_page_of_very_many_chips_stays_readable(report):
    many = copy.deepcopy(report)
    values = np.random.default_rng(1).normal(0.9, 0.01, 400_000).round(4)
    many["accuracy"]["per_chip"] = values.tolist()
    many["run"]["n_chips"] = len(values)
    text = render(many)
    assert len(text) < 1_000_000
    assert "Distribution over chips; bar" in text
    assert "The 500 worst and best of 400,000 chips; report.json has all of them." in text
    for value in (values.min(), values.max()):
        assert f"{100 * value:.2f} %" in text
    compared = describe_comparison([many, with_name(many, "other cells")])
    assert len(render(compared)) < 1_000_000


def test_actions_of_an_inference_are_those_of_one_read_of_one_chip(report, pages):
    decisions = report["actions"]["sense_amplifier"]["decisions"]
    # every sequence is read twice by each chip
    n_inferences = 2 * report["run"]["n_chips"] * report["run"]["n_sequences"]
    said = [f"{decisions / n_inferences:,.0f}", f"{decisions:,}"]
    words = [word for word in Reader(pages["run"]).words if word.strip()]
    assert said in [words[at : at + 2] for at in range(len(words))]


def test_headlines_of_the_other_pages(documents, pages):
    cases = documents["compare"]["cases"]
    assert Reader(pages["compare"]).headlines == [case["accuracy"]["mean"] for case in cases]
    points = documents["sweep"]["points"]
    assert Reader(pages["sweep"]).headlines == [
        max(point["accuracy"] for point in points),
        *(min(point[key] for point in points)
          for key in ("energy_per_inference_j", "area_m2", "interval_s")),
    ]  # fmt: skip
    assert Reader(pages["train"]).headlines[0] == documents["train"]["log"][-1]["bits"]
    assert Reader(pages["validate"]).headlines == [2, 1.5, 1.67, 2]
    assert "Missed: chip.area of a chip, by a factor of 1.5" in " ".join(
        Reader(pages["validate"]).words
    )


def test_a_page_says_how_to_get_it_again(report, pages):
    text = " ".join(Reader(pages["run"]).words)
    for words in ("chip.link.spare_tokens=3", report["provenance"]["files"]["device"]["sha256"],
                  report["provenance"]["data"]["sha256"], report["provenance"]["date_utc"],
                  f"numpy {report['provenance']['packages']['numpy']}"):  # fmt: skip
        assert words in text
    assert "called from Python" in text
    report = copy.deepcopy(report)
    report["provenance"]["command"] = ["pimsim", "run", "my model.yaml"]
    assert "pimsim run &#39;my model.yaml&#39;" in render(report)


def test_what_rests_on_assumptions_is_marked_with_its_sources(report):
    for entry in report["provenance"]["sources"]["chip"]:
        assert entry["source"]
    sure = copy.deepcopy(report)
    for entries in sure["provenance"]["sources"].values():
        for entry in entries:
            entry["certainty"] = "paper"
    assert 'class="assumed"' not in render(sure)
    sure["provenance"]["sources"]["technology"][0]["certainty"] = "assumed"
    page = render(sure)
    assert 'class="assumed"' in page
    text = " ".join(Reader(page).words)
    assert sure["provenance"]["sources"]["technology"][0]["source"] in text
    assert "replaced: chip.link.spare_tokens=3" in text


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_names_stay_text(documents, kind):
    page = render(with_hostile_names(documents[kind]))
    read = Reader(page)
    scripts = [attributes for tag, attributes in read.tags if tag == "script"]
    assert scripts == [{}]
    assert not any("onerror" in attributes for _, attributes in read.tags)
    assert HOSTILE in "".join(read.words) or kind == "train"


@pytest.mark.parametrize("kind", ["run", "train"])
def test_the_same_document_gives_the_same_bytes(documents, pages, kind):
    assert render(json.loads(json.dumps(documents[kind]))) == pages[kind]


@pytest.mark.slow
def test_another_process_gives_the_same_bytes(documents, pages, tmp_path):
    (tmp_path / "report.json").write_text(json.dumps(documents["run"]))
    command = [sys.executable, "-m", "pimsim", "report", str(tmp_path)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "3"})
    assert (tmp_path / PAGE).read_text() == pages["run"]


@pytest.mark.parametrize("inside", [False, True], ids=["file", "folder"])
def test_what_cannot_be_read_as_json_is_refused_by_the_command(tmp_path, inside):
    """Deep, endless or too large: one sentence, and no page."""
    file = tmp_path / "report.json"
    named = tmp_path if inside else file
    for text, message in (
        ("[" * 100_000 + "]" * 100_000, "is no JSON"),
        ('{"schema":' * 100_000 + "1" + "}" * 100_000, "is no JSON"),
        (" " * (MAX_TEXT_BYTES + 1), f"is longer than {MAX_TEXT_BYTES} bytes. Name a JSON file"),
    ):
        file.write_text(text)
        done = CliRunner().invoke(command, [str(named)])
        assert isinstance(done.exception, ConfigError)
        assert f"{file} {message}" in str(done.exception)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(ConfigError, match="is no file|holds 0 documents"):
        read_document(named)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_document_is_found_by_folder_and_by_file(documents, tmp_path):
    for name in DOCUMENTS:
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text(json.dumps(documents["run"]))
        assert find_document(folder) == find_document(folder / name) == folder / name
        assert read_document(folder / name).as_dict() == documents["run"]
    with pytest.raises(ConfigError, match="holds 0 documents; one is needed"):
        find_document(tmp_path)
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(ConfigError, match="is no JSON"):
        read_document(tmp_path / "report.json")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_document(tmp_path / "none.json")


@pytest.mark.parametrize("document", [{}, {"schema": 1}, {"schema": "pimsim.sweep/1"}, []])
def test_what_is_no_document_is_refused_with_its_place(document, tmp_path):
    with pytest.raises(ConfigError, match=r"here\.json is no document that this pimsim can show"):
        render(document, tmp_path / "here.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tree: tree["accuracy"].pop("mean"), "accuracy.mean is missing"),
        (lambda tree: tree["run"].update(speed=1), "run.speed is no key that is known here"),
        (lambda tree: tree["area"]["items"][0].update(count="many"), "area.items[0].count is"),
    ],
)
def test_a_wrong_document_is_refused_by_the_name_of_its_key(report, change, said):
    changed = copy.deepcopy(report)
    change(changed)
    with pytest.raises(ConfigError, match=re.escape(said)):
        render(changed, "report.json")


def test_numbers_are_shown_with_four_digits():
    assert quantity(2.3698e-7, "J").text == "237.0 nJ"
    assert quantity(9.9999e8, "Hz").text == "1.000 GHz"
    assert quantity(0.0, "W").text == "0 W"
    assert quantity(1.2577e-7, "m2").text == "0.1258 mm\N{SUPERSCRIPT TWO}"
    assert quantity(7.4e-10, "m2").text == "740.0 \N{MICRO SIGN}m\N{SUPERSCRIPT TWO}"
    assert (count(1234.0).text, count(21188.7).text) == ("1,234", "21,189")
    assert digits(0.99996) == "1.000"
    assert (signed(-0.001, "+.1f").text, signed(2.0, "+.1f", " %").text) == ("0.0", "+2.0 %")
