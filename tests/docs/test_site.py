"""The site: generated tables say what the schemas say, and Sphinx has nothing to complain of."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys

import pytest
from pages import DOCS, PAGES, ROOT, name, rows
from test_docs import SCHEMAS, fields

from pimsim.cli.main import COMMANDS
from pimsim.config.kinds import alternatives
from pimsim.config.validation import ValidationCase


@pytest.fixture(scope="module")
def generate():
    sys.path.insert(0, str(DOCS))  # as of a script that is run
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_key_has_a_type_and_a_meaning(generate):
    text = "\n".join(generate.key_lines())
    found = rows(text)
    assert {row[0].strip("`") for row in found} == set().union(
        *map(fields, [*SCHEMAS.values(), ValidationCase])
    )
    for row in found:
        assert row[1] not in ("", "value") or row[0] == "`basis`", row
        assert row[4], row
    assert "| `rows` | whole number | required | ≥ 1, ≤ 65536 | word lines of one array |" in text
    assert "| `frequency` | hertz | required | > 0 |" in text
    assert "| `seed` | whole number | `1` | ≥ 0," in text
    assert "### `drift`, model power_law" in text


def test_every_command_is_in_the_reference(generate):
    text = "\n".join(generate.command_lines())
    named = re.findall(r"^## `pimsim (\w+)`$", text, re.MULTILINE)
    assert named == list(COMMANDS)
    assert "### `pimsim data get`" in text
    assert "--time-since-programming" in text


@pytest.mark.parametrize("page", [p for p in PAGES if "<!-- end -->" in p.read_text()], ids=name)
def test_generated_tables_are_those_of_the_code(generate, page):
    assert generate.filled(page.read_text()) == page.read_text(), "run `python docs/generate.py`"


def test_every_part_of_the_report_is_on_its_page(generate):
    text = (DOCS / "report.md").read_text()
    shown = set(re.findall(r"^<!-- (\w+) -->$", text, re.MULTILINE)) - {"end"}
    named_in_prose = {"FileFacts", "DataFacts", "SourceFacts"}
    assert {part.__name__ for part in parts_of(generate.PARTS["RunDocument"])} <= (
        shown | named_in_prose
    )


def parts_of(model):
    inside = {m for info in model.model_fields.values() for m in alternatives(info)}
    return {model}.union(*map(parts_of, inside))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_row_of_a_table_has_as_many_cells_as_its_heading(page):
    for table in re.findall(r"(?:^\|.*\|$\n?)+", page.read_text(), re.MULTILINE):
        lines = table.splitlines()
        assert [line for line in lines if cells(line) != cells(lines[0])] == []


def cells(line):
    return len(re.findall(r"(?<!\\)\|", line))


def test_every_page_is_in_the_tree_of_the_site():
    trees = re.findall(r"^```{toctree}\n(.*?)^```$", (DOCS / "index.md").read_text(), re.M | re.S)
    listed = {word for tree in trees for word in tree.split() if not word.startswith(":")}
    pages = {name(page).removeprefix("docs/").removesuffix(".md") for page in PAGES}
    assert pages - {"index"} <= listed


def test_the_readme_is_two_screens_at_most():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 100


def test_the_words_are_spelt():
    pytest.importorskip("codespell_lib")
    texts = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES]
    done = subprocess.run(
        [sys.executable, "-m", "codespell_lib", *map(str, texts)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("sphinx")
    pytest.importorskip("furo")
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", DOCS, tmp_path]
    done = subprocess.run(list(map(str, build)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for figure in ("read_out", "timing", "energy"):
        assert list((tmp_path / "_images").glob(f"theory_{figure}*.svg"))
