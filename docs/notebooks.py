"""Notebooks made from pages of the documentation, whose code the tests run.

A block of Python becomes a cell of code, all between two of them a cell of text. Cells hold no
results: these would be of one machine. `python docs/generate.py` writes the notebooks.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

# page by the name of its notebook
NOTEBOOKS = {
    "first_steps": "python.md",
    "your_data": "your_data.md",
    "your_network": "your_network.md",
}
FOLDER = "notebooks"
_CODE = re.compile(r"^```python\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"^<!-- \w+ -->\n", re.MULTILINE)
# of a link to another page, which stands a folder higher than a notebook
_LINK = re.compile(r"\]\((?![a-z]+:)([^)]+)\)")


def write_notebooks(docs: Path) -> None:
    """Write every notebook of the folder of the documentation."""
    (docs / FOLDER).mkdir(exist_ok=True)
    for name, page in NOTEBOOKS.items():
        text = notebook_text((docs / page).read_text(encoding="utf-8"), page)
        (docs / FOLDER / f"{name}.ipynb").write_text(text, encoding="utf-8")


def notebook_text(page: str, name: str) -> str:
    """A notebook, as JSON, from the Markdown of a page of this name."""
    # text and code by turns
    parts = _CODE.split(_LINK.sub(r"](../\1)", _MARK.sub("", page)))
    made = (
        f"\n\nMade from [{name}](../{name}): cells run one after the other, from the first one on."
    )
    parts[0] = parts[0].rstrip() + made
    cells = [
        _cell("code" if number % 2 else "markdown", number, part.strip("\n"))
        for number, part in enumerate(parts)
        if part.strip()
    ]
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": python, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, number: int, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": f"cell-{number}",
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }
    return cell if kind == "markdown" else {**cell, "execution_count": None, "outputs": []}
