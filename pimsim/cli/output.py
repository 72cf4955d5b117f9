"""The end of a command: the page of a document, or the document itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from pimsim.report.blocks import Page
    from pimsim.report.documents import Document

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the JSON document and nothing else."
)


def say(
    document: Document,
    page: Page,
    written: Sequence[Path] = (),
    *,
    as_json: bool = False,
    console: Console | None = None,
    label: str = "written",
) -> None:
    """Print a page and the files that were written, or the document alone as JSON.

    Call it last: who reads what is printed may stop reading.
    """
    from pimsim.report.terminal import print_page, terminal

    if as_json:
        click.echo(json.dumps(document.as_dict(), indent=2))
        return
    console = console or terminal()
    print_page(page, console)
    if written:
        files = ", ".join(map(str, written))
        console.print(f"{label}: {files}", highlight=False, soft_wrap=True)
