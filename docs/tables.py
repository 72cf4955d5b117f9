"""Tables in Markdown, for the scripts that fill those of a page."""

from __future__ import annotations

from collections.abc import Sequence

Row = Sequence[str]


def table(rows: Sequence[Row]) -> str:
    """Rows of cells in Markdown; the first one is the head."""
    head, *rest = rows
    lines = [head, tuple("---" for _ in head), *rest]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def filled(text: str, name: str, rows: Sequence[Row]) -> str:
    """A page with the rows in the place of those between the marks of a name."""
    start, end = f"<!-- table of {name} -->\n", "<!-- end of table -->"
    before, found, after = text.partition(start)
    _, ended, rest = after.partition(end)
    if not found or not ended:
        raise ValueError(f"the page has no marks {start.strip()!r} and {end!r}, in this order")
    return f"{before}{start}{table(rows)}\n{end}{rest}"
