"""The pages of the documentation, taken apart."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# what a build of the site leaves is no page
PAGES = sorted(
    page for page in DOCS.rglob("*.md") if not page.relative_to(DOCS).parts[0].startswith("_")
)

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name(page: Path) -> str:
    """Path of a page below the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """Code blocks of a language, in order."""
    return [text for found, text in _BLOCK.findall(page.read_text()) if found == language]


def section(page: Path, heading: str) -> str:
    """Text under a heading, up to the next of its kind or a higher one."""
    text = page.read_text()
    begin = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert begin, f"{name(page)} has no heading '{heading}'"
    rest = text[begin.end() :]
    end = re.search(rf"^#{{1,{len(begin[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows(text: str) -> list[list[str]]:
    """Cells of every table row, without headings and rules."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rule = [all(set(cell) <= {"-"} and cell for cell in row) for row in cells]
    after = [*rule[1:], False]
    return [row for row, a, b in zip(cells, rule, after, strict=True) if not a and not b]


def keys(text: str, column: int = 0) -> set[str]:
    """Words in backticks that a column of the tables consists of."""
    return {row[column][1:-1] for row in rows(text) if re.fullmatch(r"`[^`]+`", row[column])}
