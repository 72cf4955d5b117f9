"""`pimsim report`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("what", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path),
              help="The page; beside the document if not given.")  # fmt: skip
def report(what: Path, out: Path | None) -> None:
    """Write the page of WHAT, a folder of results or a JSON document of one, again.

    Documents are those of run, compare, sweep, train, and validate with --out. The same
    document gives the same page.
    """
    from pimsim.report.html import page_beside, read_document, write_page

    file, document = read_document(what)
    written = write_page(document, out or page_beside(file), place=file)
    click.echo(f"written: {written}")
