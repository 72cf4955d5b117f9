"""`pimsim report`."""

from __future__ import annotations

from pathlib import Path

import click

from pimsim.cli.options import Target, claimed, out_option


@click.command()
@click.argument("what", type=click.Path(path_type=Path))
@out_option("The page; beside the document if not given.", Target())
def report(what: Path, out: Path | None) -> None:
    """Write the HTML page of WHAT again: a folder of results, or its JSON document.

    Documents are those of run, compare, sweep, train, device age, reproduce, and validate
    with --out. The same gives the same page.
    """
    from pimsim.report.html import page_beside, write_page
    from pimsim.report.pages import find_document, page_of, read_document

    file = find_document(what)
    page = out or claimed(page_beside(file), "the page")
    written = write_page(page_of(read_document(file)), page)
    click.echo(f"written: {written}")
