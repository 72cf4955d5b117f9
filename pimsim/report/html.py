"""A study's document as one page that needs nothing else: no network, no other file.

The same document gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pimsim.errors import ConfigError, Place
from pimsim.files import read_json, write_whole
from pimsim.report.blocks import Page
from pimsim.report.html_compare import comparison_page
from pimsim.report.html_run import run_page
from pimsim.report.html_sweep import sweep_page
from pimsim.report.html_training import training_page
from pimsim.report.html_validation import validation_page

PAGE = "report.html"
DOCUMENTS = ("report.json", "comparison.json", "sweep.json", "training.json")
# by the document's `schema`
PAGES: dict[object, Callable[[Mapping[str, Any]], Page]] = {
    1: run_page,
    "pimsim.comparison/1": comparison_page,
    "pimsim.sweep/1": sweep_page,
    "pimsim.training/1": training_page,
    "pimsim.validated/1": validation_page,
}


def render(document: Mapping[str, Any], place: Path | None = None) -> str:
    """HTML of a document of `pimsim.studies`.

    Raises
    ------
    ConfigError
        If the document is of no known schema, or lacks what its schema has; it names `place`.
    """
    try:
        page = PAGES[document["schema"]](document)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise ConfigError(
            f"is no document that this pimsim can show ({type(error).__name__}: {error})",
            place=Place(place or "document"),
            remedy="Run it again with this version",
        ) from error
    return _environment().get_template("page.html").render(page=page)


def write_page(document: Mapping[str, Any], path: Path, place: Path | None = None) -> Path:
    """Write a document's page, whole or not at all; raises as `render` does."""
    text = render(document, place)
    return write_whole(path, lambda file: file.write(text.encode()))


def read_document(path: Path) -> tuple[Path, dict[str, Any]]:
    """The document in a folder of results, or in a file, and where it lies.

    Raises
    ------
    ConfigError
        If there is none, or more than one, or it is no JSON file of at most 16 MiB.
    """
    found = [path]
    if path.is_dir():
        found = [path / name for name in DOCUMENTS if (path / name).is_file()]
        if len(found) != 1:
            raise ConfigError(
                f"holds {len(found)} documents; one is needed",
                place=Place(path),
                remedy=f"Name a file, such as {', '.join(DOCUMENTS)}",
            )
    return found[0], read_json(found[0])


def page_beside(file: Path) -> Path:
    """Where the page of a document goes that lies in a file."""
    return file.with_name(PAGE) if file.name in DOCUMENTS else file.with_suffix(".html")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("pimsim.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
