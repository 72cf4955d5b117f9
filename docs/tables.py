"""Tables in Markdown, for the scripts that fill those of a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class MeasuredTable:
    """A table of a page, from data that a script has measured and that are kept beside it.

    Attributes
    ----------
    name : str
        Of its marks in the page.
    path : Path
        Of the page.
    data : Path
        Of the data, as JSON.
    rows
        From data to the rows of the table.
    """

    name: str
    path: Path
    data: Path
    rows: Callable[[dict[str, Any]], list[Row]]

    def read(self) -> dict[str, Any]:
        """The data as they were measured."""
        found: dict[str, Any] = json.loads(self.data.read_text(encoding="utf-8"))
        return found

    def page(self, text: str, data: dict[str, Any]) -> str:
        """The page with its table as it should be."""
        return filled(text, self.name, self.rows(data))

    def write(
        self, data: dict[str, Any], draw: Callable[[dict[str, Any]], None] | None = None
    ) -> None:
        """Keep the data, draw their figure, and fill the table."""
        self.data.parent.mkdir(exist_ok=True)
        self.data.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        if draw is not None:
            draw(self.read())
        text = self.path.read_text(encoding="utf-8")
        self.path.write_text(self.page(text, self.read()), encoding="utf-8")
