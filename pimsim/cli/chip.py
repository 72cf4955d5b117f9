"""`pimsim chip`: the bundled chips, and what a chip file says."""

from __future__ import annotations

import click

from pimsim.cli.names import completed
from pimsim.cli.output import json_option, say


@click.group()
def chip() -> None:
    """List and show chips."""


@chip.command("list")
def list_chips() -> None:
    """List the bundled chips."""
    from pimsim.report.pages.chip import chips_page
    from pimsim.report.terminal import print_page, terminal
    from pimsim.studies.chip import chip_rows

    print_page(chips_page(chip_rows()), terminal())


@chip.command()
@click.argument("name", shell_complete=completed("chip"))
@json_option
def show(name: str, as_json: bool) -> None:
    """Print kinds, numbers and sources of the chip NAME, a file or a bundled one."""
    from pimsim.report.pages import page_of
    from pimsim.studies.chip import chip_document

    document = chip_document(name)
    say(document, page_of(document), as_json=as_json)
