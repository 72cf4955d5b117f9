"""Texts: symbols, pieces, and what a text must be."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pimsim.data import catalog, load, text
from pimsim.data.dataset import Dataset
from pimsim.errors import DataError

WORDS = "the quick brown fox\njumps over the lazy dog\n" * 12


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.txt"
    path.write_bytes(WORDS.encode())
    return path


def test_pieces_begin_a_hundred_symbols_apart_and_score_the_next_symbol(book: Path) -> None:
    data = load(book)
    assert data.kind == "text"
    assert data.name == "book"
    codes = np.array([data.classes.index(c if c != "\n" else "\\n") for c in WORDS])
    assert len(data) == (len(WORDS) - 201) // 100 + 1 == 4
    for n, (piece, labels) in enumerate(zip(data.features, data.labels, strict=True)):
        assert (piece == codes[100 * n : 100 * n + 200]).all()
        # the label of a step is the symbol after it
        assert (labels == codes[100 * n + 101 : 100 * n + 201]).all()
    assert (text.joined(data) == codes[:501]).all()


def test_symbols_are_those_of_the_text_in_the_order_of_unicode(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeff".encode() + ("a\N{LATIN SMALL LETTER E WITH ACUTE}\r\n" * 80).encode())
    data = load("a.txt", base=tmp_path)
    assert data.classes == ("\\n", "a", "\N{LATIN SMALL LETTER E WITH ACUTE}")
    assert data.features[0, :4].tolist() == [1, 2, 0, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a" * 200, "has 200 characters; a piece of 200"),
        (b"", "has 0 characters"),
        (b"ab\ncd\xff" + b"a" * 300, r"book\.txt:2 is no UTF-8 \(byte 5\)"),
        ("".join(map(chr, range(300, 600))).encode(), "has 300 different characters; 256"),
    ],
)
def test_what_is_no_text_is_refused(book: Path, content: bytes, message: str) -> None:
    book.write_bytes(content)
    with pytest.raises(DataError, match=message):
        load(book)


def test_character_that_is_no_known_symbol_is_named_with_its_line(book: Path) -> None:
    book.write_bytes(("war\npeace\n" * 50).encode() + b"x@y\n")
    with pytest.raises(DataError, match=r"book\.txt:101 has the character '@', .* the 78 known"):
        text.load_war_and_peace(book)


def test_text_in_the_symbols_of_another(book: Path) -> None:
    data, classes = load(book), text.names_of(text.WAR_AND_PEACE)
    other = text.with_symbols(data, classes)
    assert other.classes == classes
    assert "".join(text.WAR_AND_PEACE[c] for c in text.joined(other)) == WORDS[:501]
    with pytest.raises(DataError, match=r"'book' has the character 'j', which is none of the 77"):
        text.with_symbols(data, tuple(name for name in classes if name != "j"))


def test_classes_of_a_network_are_no_new_names_for_symbols(book: Path) -> None:
    """Inputs are symbols, too: labels alone must not get other codes."""
    data = load(book)
    assert data.named_as(text.names_of(text.WAR_AND_PEACE)) is data


def test_excerpt_is_the_beginning_of_the_test_part() -> None:
    data = load("war-and-peace-excerpt")
    assert data.features.shape == (300, 200)
    assert data.labels.shape == (300, 100)
    assert data.classes == text.names_of(text.WAR_AND_PEACE)
    assert len(data.classes) == 78
    begin = "".join(text.WAR_AND_PEACE[code] for code in text.joined(data))
    assert begin.startswith('"Ke..." Zaletaev, brought out with effort')
    if catalog.find("war-and-peace-test") is None:
        pytest.skip("War and Peace is not on this machine")
    assert text.joined(load("war-and-peace-test"))[: len(begin)].tolist() == [
        text.WAR_AND_PEACE.index(symbol) for symbol in begin
    ]


@pytest.mark.parametrize(("split", "n"), [("train", 25615), ("valid", 3201), ("test", 3200)])
def test_parts_of_war_and_peace(split: str, n: int) -> None:
    if catalog.find(f"war-and-peace-{split}") is None:
        pytest.skip("War and Peace is not on this machine")
    data = load(f"war-and-peace-{split}")
    assert len(data) == n
    assert data.source["licence"].startswith("public domain")


def test_a_folder_needs_all_three_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PIMSIM_DATA", str(tmp_path))
    (tmp_path / "test.txt").write_text(WORDS)
    assert text.find_war_and_peace(tmp_path, "test") is None
    (tmp_path / "train.txt").write_text(WORDS)
    (tmp_path / "valid.txt").write_text(WORDS)
    assert load("war-and-peace-test").name == "war-and-peace-test"


def test_few_pieces_are_spread_over_the_text_and_keep_their_noise(book: Path) -> None:
    data = load(book)
    some = data.limit(2)
    assert some.sample_indices.tolist() == [1, 3]
    assert (some.labels == data.labels[[1, 3]]).all()
    assert (
        data.sha256 != Dataset(data.features, data.labels[:, -1:], data.classes, kind="text").sha256
    )


def test_text_goes_through_a_file_of_its_own(book: Path, tmp_path: Path) -> None:
    data = load(book)
    again = load(data.save(tmp_path / "book.npz"))
    assert again.kind == "text"
    assert again.sha256 == data.sha256
    assert again.classes == data.classes


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.zeros((3, 5), np.uint8), np.zeros((3, 6), int), "labels of 6 steps in samples of 5"),
        (np.zeros((3, 5), np.uint8), np.zeros((2, 5), int), "3 samples and int64 labels of shape"),
        (np.zeros((3, 5, 2), np.uint8), np.zeros(3, int), "uint8 of shape"),
        (np.zeros((3, 5), np.float32), np.zeros(3, int), "float32 features"),
        (np.full((3, 5), 2, np.uint8), np.zeros(3, int), "the symbol 2, and has 2 classes"),
        (np.zeros((3, 5), np.uint8), np.zeros((3, 0), int), "is empty"),
    ],
)
def test_what_is_no_sequence_of_symbols_is_refused(features, labels, message) -> None:
    with pytest.raises(DataError, match=message):
        Dataset(features, labels, ("a", "b"), kind="text")


def test_labels_of_every_step_are_for_texts_alone() -> None:
    with pytest.raises(DataError, match="Give every sample one whole number"):
        Dataset(np.zeros((3, 5), np.uint8), np.zeros((3, 5), int))
