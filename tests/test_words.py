"""The words of the glossary: its lists of words and openings that are not used.

`python tests/test_words.py` prints what is found.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
GLOSSARY = ROOT / "docs" / "glossary.md"


class Word(NamedTuple):
    """A word or phrase that is not used.

    `in_names` tells whether identifiers are checked too, `allowed` lists phrases that may
    contain it.
    """

    text: str
    instead: str
    in_names: bool
    allowed: tuple[str, ...]

    def is_in(self, text: str) -> bool:
        for phrase in self.allowed:
            text = re.sub(re.escape(phrase), " ", text, flags=re.IGNORECASE)
        pattern = r"\s+".join(map(re.escape, self.text.split()))
        return re.search(rf"(?<![\w-]){pattern}(?![\w-])", text, re.IGNORECASE) is not None


def rows(heading: str) -> list[list[str]]:
    """Cells of the table below a heading of the glossary."""
    section = re.split(r"^#+ ", GLOSSARY.read_text(), flags=re.MULTILINE)
    lines = next(part for part in section if part.startswith(heading)).splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[2:]]


@cache
def words() -> list[Word]:
    return [
        Word(text, instead, checked == "all", tuple(re.findall(r"`([^`]+)`", allowed)))
        for text, instead, checked, allowed in rows("Words not used")
    ]


@cache
def openings() -> set[str]:
    return {opening for opening, _ in rows("Openings of docstrings not used")}


def files() -> list[str]:
    """Paths of all files whose words are checked, relative to the repository."""
    found = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    found += [*(ROOT / "pimsim").rglob("*.py"), *(ROOT / "hwconfigs").rglob("*.yaml")]
    names = [path.relative_to(ROOT).as_posix() for path in found if path != GLOSSARY]
    return sorted(name for name in names if not name.startswith("docs/_"))


def texts(name: str) -> Iterator[tuple[int, str, bool]]:
    """Line, text, and whether it is an identifier, of everything in a file that is checked."""
    content = (ROOT / name).read_text()
    if name.endswith(".py"):
        yield from _python_texts(content)
    elif name.endswith(".yaml"):
        for number, line in enumerate(content.splitlines(), 1):
            yield number, re.sub(r"^[\s-]*[\w.]+:", "", line), False
    else:
        fenced = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
        indented = re.compile(r"(?<=\n\n)(?: {4}.*\n)+")
        inline = re.compile(r"`[^`\n]+`|\]\([^)]*\)|\$[^$\n]+\$|!?\[[^\]]*\]\([^)]*\.svg\)")

        def blank(match: re.Match[str]) -> str:
            return "\n" * match[0].count("\n")

        content = inline.sub(" ", indented.sub(blank, fenced.sub(blank, content)))
        paragraph, start = "", 1
        for number, line in enumerate([*content.splitlines(), ""], 1):
            if line.strip():
                start, paragraph = (start if paragraph else number), f"{paragraph} {line}"
            elif paragraph:
                yield start, paragraph, False
                paragraph = ""


def _python_texts(content: str) -> Iterator[tuple[int, str, bool]]:
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.NAME:
            parts = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", token.string)
            yield token.start[0], f"{token.string} {parts.replace('_', ' ')}", True
        elif token.type == tokenize.COMMENT:
            yield token.start[0], token.string, False
        elif " " in token.string and token.type != tokenize.INDENT:  # messages and docstrings
            yield token.start[0], re.sub(r"`[^`\n]+`|\{[^}\n]*\}", " ", token.string), False


def found_words(name: str) -> list[str]:
    """Words in a file that are not used, with their lines."""
    return [
        f"{name}:{number}: '{word.text}'; use {word.instead}"
        for number, text, is_name in texts(name)
        for word in words()
        if (word.in_names or not is_name) and word.is_in(text)
    ]


def found_openings(name: str) -> list[str]:
    """Public docstrings of a file that begin with a word that is not used."""
    tree = ast.parse((ROOT / name).read_text())
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, kinds) or getattr(node, "name", "").startswith("_"):
            continue
        first = (ast.get_docstring(node) or "").partition("\n")[0]
        if re.split(r"\W", first)[0] in openings():
            found.append(f"{name}:{getattr(node, 'lineno', 1)}: {first}")
    return found


@pytest.mark.parametrize("name", files())
def test_words_of_the_glossary_are_kept(name):
    assert not found_words(name)


@pytest.mark.parametrize("name", [name for name in files() if name.endswith(".py")])
def test_docstrings_name_the_thing(name):
    assert not found_openings(name)


def test_terms_are_in_alphabetical_order_and_explained():
    terms = [term.strip("`").lower() for term, _ in rows("Glossary")]
    assert terms == sorted(set(terms))
    assert all(meaning for _, meaning in rows("Glossary"))


def test_what_is_not_used_is_found():
    spread = next(word for word in words() if word.text == "spread")
    assert spread.is_in("The spread of a level.")
    assert not spread.is_in("spread over all classes")
    phrase = next(word for word in words() if word.text == "each further inference")
    assert phrase.is_in("time of each further\n    inference")


if __name__ == "__main__":
    for file in files():
        opened = found_openings(file) if file.endswith(".py") else []
        for finding in (*found_words(file), *opened):
            print(finding)
