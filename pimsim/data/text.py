"""Texts as sequences of symbols, each with the symbols that follow it.

The named text is L. Tolstoy, "War and Peace", in the translation of L. and A. Maude: public domain.
It stands for the Penn Treebank, whose text may not be passed on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pimsim.data.dataset import Dataset
from pimsim.errors import DataError, Place, shown
from pimsim.files import is_file, open_regular

Split = Literal["test", "valid", "train"]
Symbols = NDArray[np.uint8]

# every sequence starts in state 0: scored are only the steps after a context of as many
PIECE, SCORED = 200, 100
MAX_SYMBOLS = 256
MAX_TEXT_BYTES = 1 << 25
# all characters of the three parts of War and Peace, in the order of their codes
WAR_AND_PEACE = "\n !\"'()*,-./0123456789:;=?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LICENCE = "public domain (L. Tolstoy, translated by L. and A. Maude)"
ORIGIN = (
    "Project Gutenberg's text no. 2600 without its header, licence and table of contents, reduced "
    "to ASCII"
)


def find_war_and_peace(folder: Path, split: Split) -> Path | None:
    """File of a part in a folder that has all three; None if it has not."""
    files = {part: folder / f"{part}.txt" for part in ("train", "valid", "test")}
    return files[split] if all(is_file(file, DataError) for file in files.values()) else None


def load_war_and_peace(path: str | Path, split: Split = "test") -> Dataset:
    """Load a part of War and Peace in pieces, as `load_text` does, with its 78 symbols.

    Raises
    ------
    DataError
        As `load_text`; or if the file holds another character.
    """
    what = {"test": "test", "valid": "validation", "train": "training"}[split]
    return load_text(
        path,
        WAR_AND_PEACE,
        name=f"war-and-peace-{split}",
        what=f"of the {what} part of War and Peace",
        source={"path": str(path), "licence": LICENCE, "origin": ORIGIN},
    )


def load_text(
    path: str | Path,
    symbols: str | None = None,
    *,
    name: str | None = None,
    what: str = "",
    source: dict[str, str] | None = None,
) -> Dataset:
    """Load a text file in UTF-8 as pieces of symbols.

    Parameters
    ----------
    path
        The file. A mark of byte order at its beginning is left out, and a line ends with one
        line feed, whatever the file has.
    symbols
        Characters that there are, by their code; all of the text in the order of Unicode if None.
    name, what, source
        Name for reports, what the characters are of, and provenance; from the path if not given.

    Returns
    -------
    Dataset
        Of kind text, as `pieces` makes it.

    Raises
    ------
    DataError
        If the file is missing, too large, no UTF-8, shorter than a piece, or has a character that
        is none of the symbols, or too many different ones.
    """
    path = Path(path)
    text = _read(path)
    symbols = "".join(sorted(set(text))) if symbols is None else symbols
    codes = _codes(text, symbols, Place(path))
    return pieces(
        codes,
        names_of(symbols),
        name=name or path.stem,
        what=what or f"of {path.name}",
        source=source or {"path": str(path)},
        place=Place(path),
    )


def pieces(
    codes: Symbols,
    classes: Sequence[str],
    *,
    name: str,
    what: str,
    source: dict[str, str],
    place: Place | None = None,
) -> Dataset:
    """Cut a text into pieces of `PIECE` symbols, of which the last `SCORED` steps are scored.

    Parameters
    ----------
    codes : (n,) uint8
        Symbols of the text, as indices into `classes`.

    Returns
    -------
    Dataset
        Features (n_pieces, PIECE): a piece begins `SCORED` symbols after the one before it, so that
        every symbol but the first `PIECE - SCORED + 1` and a rest at the end is scored once.
        Labels (n_pieces, SCORED): the symbol that follows each of the last steps.

    Raises
    ------
    DataError
        If the text is shorter than one piece and a symbol.
    """
    n_pieces = (len(codes) - PIECE - 1) // SCORED + 1
    if n_pieces < 1:
        raise DataError(
            f"has {len(codes)} characters; a piece of {PIECE} and the one after it are the least",
            place=place,
            remedy="Take a longer text",
        )
    scored = n_pieces * SCORED
    following = sliding_window_view(codes[PIECE - SCORED + 1 :], SCORED)[::SCORED]
    return Dataset(
        sliding_window_view(codes[:-1], PIECE)[::SCORED].copy(),
        following[:n_pieces].astype(np.int64),
        tuple(classes),
        name=name,
        kind="text",
        description=f"{scored:,} characters {what}, scored in pieces of {PIECE}, each after "
        f"at least {PIECE - SCORED} of its piece",
        source=source,
    )


def joined(data: Dataset) -> Symbols:
    """The whole text of a set of `pieces`, (n,) uint8, without the rest at its end."""
    rest = data.labels[-1:, -1].astype(np.uint8)
    head = data.features[0, : PIECE - SCORED]
    return np.concatenate([head, data.features[:, PIECE - SCORED :].ravel(), rest])


def with_symbols(data: Dataset, classes: tuple[str, ...]) -> Dataset:
    """The same text in other symbols, such as those that a network was trained on.

    Raises
    ------
    DataError
        If the text has a character that is none of them.
    """
    if data.classes == classes:
        return data
    index = {name: code for code, name in enumerate(classes)}
    used = np.union1d(data.features, data.labels)
    missing = [data.classes[code] for code in used if data.classes[code] not in index]
    if missing:
        raise DataError(
            f"'{data.name}' has the character '{missing[0]}', which is none of the {len(classes)} "
            "symbols",
            remedy="Replace it in the text, or train on a text that has it",
        )
    code_of = np.array([index.get(name, 0) for name in data.classes], np.int64)
    features = code_of[data.features].astype(np.uint8)
    return replace(data, features=features, labels=code_of[data.labels], classes=classes)


def names_of(symbols: str) -> tuple[str, ...]:
    """Names of symbols as classes: the characters, or what Python writes for unprintable ones."""
    return tuple(
        symbol if symbol.isprintable() else symbol.encode("unicode_escape").decode()
        for symbol in symbols
    )


def _read(path: Path) -> str:
    with open_regular(path, "a text file", MAX_TEXT_BYTES, DataError) as file:
        content = file.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"is no UTF-8 (byte {error.start})",
            place=Place(path, line),
            remedy="Save it as UTF-8, as with iconv -f LATIN1 -t UTF-8",
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _codes(text: str, symbols: str, place: Place) -> Symbols:
    """Index of each character among the symbols."""
    if len(symbols) > MAX_SYMBOLS:
        raise DataError(
            f"has {len(symbols)} different characters; {MAX_SYMBOLS} are the most",
            place=place,
            remedy="Reduce it to fewer, such as by leaving out accents",
        )
    order = np.argsort([ord(symbol) for symbol in symbols], kind="stable")
    known = np.array([ord(symbol) for symbol in symbols], np.uint32)[order]
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    found = np.searchsorted(known, points).clip(max=max(0, len(known) - 1))
    other = np.flatnonzero(known[found] != points) if len(known) else np.arange(len(points))
    if len(other):
        line = text.count("\n", 0, int(other[0])) + 1
        raise DataError(
            f"has the character {shown(text[other[0]])}, which is none of the {len(symbols)} known "
            "symbols",
            place=Place(place.file, line),
            remedy="Replace it",
        )
    codes: Symbols = order[found].astype(np.uint8)
    return codes
