"""`pimsim report`."""

from __future__ import annotations

from pathlib import Path

import click

from pimsim.cli.options import out_option


@click.command()
@click.argument("what", type=click.Path(path_type=Path))
@out_option("The page; beside the document if not given.")
def report(what: Path, out: Path | None) -> None:
    """Write the HTML page of WHAT again: a folder of results, or its JSON document.

    Documents are those of run, compare, sweep, train, device age, reproduce, and validate
    with --out. The same gives the same page.
    """
    from pimsim.report.html import page_beside, write_page
    from pimsim.report.pages import page_of, read_document

    file, document = read_document(what)
    written = write_page(page_of(document), out or page_beside(file))
    click.echo(f"written: {written}")
