"""Notebooks are those of their pages, and every link in them leads somewhere."""

from __future__ import annotations

import importlib.util
import json
import re

import pytest
from pages import DOCS, blocks

spec = importlib.util.spec_from_file_location("notebooks", DOCS / "notebooks.py")
notebooks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(notebooks)
FILES = sorted((DOCS / notebooks.FOLDER).glob("*.ipynb"))


def test_every_notebook_has_a_page():
    assert [path.stem for path in FILES] == sorted(notebooks.NOTEBOOKS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_notebook_is_that_of_its_page(path):
    page = DOCS / notebooks.NOTEBOOKS[path.stem]
    expected = notebooks.notebook_text(page.read_text(), page.name)
    assert path.read_text() == expected, "run `python docs/generate.py`"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_cells_of_code_are_the_blocks_that_the_tests_run(path):
    cells = json.loads(path.read_text())["cells"]
    code = ["".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "code"]
    assert code == blocks(DOCS / notebooks.NOTEBOOKS[path.stem], "python")
    assert all(not cell.get("outputs") for cell in cells)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_links_of_a_notebook_lead_somewhere(path):
    cells = json.loads(path.read_text())["cells"]
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    targets = [t for t in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:", t)]
    assert targets
    assert all((path.parent / target).exists() for target in targets), targets
