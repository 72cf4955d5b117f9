"""`pimsim validate`."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--out", type=click.Path(path_type=Path), help="Also write the table as JSON.")
def validate(names: tuple[str, ...], out: Path | None) -> None:
    """Put published figures of other chips beside what pimsim's models make of their parts.

    NAME is a validation file, or a bundled case; all bundled cases if there is none. The
    exit code is 1 where a figure misses its stated tolerance.
    """
    from rich.console import Console

    from pimsim.files import write_json
    from pimsim.report.validation import print_validation
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
    console = Console()
    print_validation(rows, console)
    if out is not None:
        written = write_json(out, {"schema": "pimsim.validated/1", "figures": rows})
        console.print(f"written: {written}", highlight=False, soft_wrap=True)
    missed = [found for found in findings if not found.passes]
    console.print(f"{len(findings) - len(missed)} of {len(findings)} within their tolerance",
                  highlight=False)  # fmt: skip
    if missed:
        sys.exit(1)
