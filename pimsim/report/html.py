"""A study's document as one self-contained page: no network, no other file.

The same document gives the same bytes.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pimsim.errors import printable
from pimsim.files import write_text
from pimsim.report.blocks import Page
from pimsim.report.pages import DOCUMENTS, document_of, page_of

PAGE = "report.html"


def render(tree: Any, place: Path | str = "document") -> str:
    """HTML of a document from the content of its JSON; raises the errors of `document_of`."""
    return html_of(page_of(document_of(tree, place)))


def html_of(page: Page) -> str:
    """HTML of a page."""
    return _environment().get_template("page.html").render(page=page)


def write_page(page: Page, path: Path) -> Path:
    """Write a page, whole or not at all."""
    return write_text(path, html_of(page))


def page_beside(file: Path) -> Path:
    """Path of the HTML page of a document file."""
    return file.with_name(PAGE) if file.name in DOCUMENTS else file.with_suffix(".html")


def _letters(value: Any) -> Any:
    """Every text on its way into a page, where a mark-up is text that a template or figure made."""
    if isinstance(value, str):
        return type(value)(printable(value))
    return value


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("pimsim.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_letters,
    )
