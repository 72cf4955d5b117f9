"""Tables of the LSTM study in docs/reproduction.md are those of its documents."""

from __future__ import annotations

import re

import pytest
from docs_scripts import DOCS

from pimsim.report.pages import document_of
from pimsim.studies.origin import origin

SCRIPT = "lstm_tables"


def test_the_page_says_what_the_documents_say(script):
    text = script.PAGE.read_text(encoding="utf-8")
    assert script.page(text) == text
    assert len(script.tables()) == 8


POINT = {"std": 0.0, "min": 2.0, "max": 2.0, "per_sample": [2.0]}
MADE = {
    "schema": "pimsim.reproduction/1", "pimsim": "0.1.0", "name": "lstm_bits", "title": "a",
    "source": "b", "paper_says": [], "our_choice": [], "data": "text", "n_sequences": 6,
    "seed": 1, "wall_s": 2.0, "networks": {}, "metric": "bits_per_character",
}  # fmt: skip


def test_rows_have_the_numbers_of_a_document(script):
    points = [
        {"curve": label, "network": "n", "setting": "bits", "x": x, "mean": mean} | POINT
        for label, x, mean in (
            ("all three", 8.0, 2.0),
            ("all three", 4.0, 2.125),
            ("one", 4.0, 3.0),
        )
    ]
    tree = MADE | {"kind": "settings", "samples": 1, "reference": 1.9, "points": points,
                   "provenance": origin()}  # fmt: skip
    assert script.rows_of(document_of(tree), "bits") == [
        ("bits", "8", "4"),
        ("all three", "2.0000", "2.1250"),
        ("one", "-", "3.0000"),
        ("floating point", "1.9000 bits", ""),
    ]


@pytest.mark.parametrize("path", sorted((DOCS / "data").glob("*.json")), ids=lambda p: p.name)
def test_a_document_names_no_folder_of_one_machine(path):
    assert not re.findall(r'"(?:/|[A-Z]:\\)[^"]*"', path.read_text(encoding="utf-8"))
