"""`pimsim validate`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pimsim import __version__


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Also write the table as JSON, and a page (.html) beside it.",
)
def validate(names: tuple[str, ...], out: Path | None) -> None:
    """Put published figures of other chips beside what pimsim's models make of their parts.

    NAME is a validation file, or a bundled case; all bundled cases if there is none. The
    exit code is 1 where a figure misses its stated tolerance.
    """
    from pimsim.files import write_json
    from pimsim.report.html import page_beside, write_page
    from pimsim.report.terminal import terminal
    from pimsim.report.validation import print_validation
    from pimsim.studies.origin import origin
    from pimsim.studies.validate import validate_cases

    findings = validate_cases(list(names))
    rows = [
        {
            "case": found.case,
            **found.figure.model_dump(mode="json"),
            "modelled": found.modelled,
            "error": found.error,
            "passes": found.passes,
        }
        for found in findings
    ]
    console = terminal()
    print_validation(rows, console)
    if out is not None:
        document = {"schema": "pimsim.validated/1", "pimsim": __version__, "figures": rows,
                    "provenance": origin()}  # fmt: skip
        written = write_json(out, document)
        page = write_page(document, page_beside(out))
        console.print(f"written: {written}, {page}", highlight=False, soft_wrap=True)
    missed = [found for found in findings if not found.passes]
    console.print(f"{len(findings) - len(missed)} of {len(findings)} within their tolerance",
                  highlight=False)  # fmt: skip
    if missed:
        sys.exit(1)
