"""`pimsim validate`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pimsim.cli.names import completed
from pimsim.cli.options import Target, out_option
from pimsim.cli.output import json_option, say


def _page(out: Path) -> Path:
    from pimsim.report.html import page_beside

    return page_beside(out)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completed("validation"))
@out_option("Also write the table as JSON, and a page (.html) beside it.", Target(beside=_page))
@json_option
def validate(names: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Compare the models with published chips.

    NAME is a validation file, or a bundled case; all bundled cases if there is none. The
    exit code is 1 where a figure misses its bound that its case expects to meet it.
    """
    from pimsim.files import study_written, write_json
    from pimsim.report.html import write_page
    from pimsim.report.pages import page_of
    from pimsim.report.pages.validation import summary_lines
    from pimsim.report.terminal import terminal
    from pimsim.studies.validate import validate_cases, validation_document

    document = validation_document(validate_cases(list(names)))
    page, console = page_of(document), terminal()
    # files first: who reads what is printed may stop reading
    written: list[Path] = []
    if out is not None:
        with study_written(out):
            written = [write_json(out, document.as_dict()), write_page(page, _page(out))]
    say(document, page, written, as_json=as_json, console=console)
    if not as_json:
        for line in summary_lines(document):
            console.print(line, highlight=False, soft_wrap=True)
    if document.unexpected:
        sys.exit(1)
