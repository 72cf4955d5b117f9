"""`pimsim faults`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pimsim.cli.names import completed
from pimsim.cli.options import Target, Whole, options_of, out_option, run_options


@click.command()
@click.argument("model", shell_complete=completed("model"))
@run_options("model")
@click.option("--chip-index", type=Whole(), default=0, show_default=True, help="Index of the chip.")
@out_option("File to write.", Target(), required=True)
def faults(model: str, chip_index: int, out: Path, **options: Any) -> None:
    """Write which cells of one chip of MODEL fail, for a training on this chip.

    A stage of a recipe takes the file under its key `faults`; docs/training.md describes both.
    """
    from pimsim.studies.broken import write_broken
    from pimsim.studies.prepare import prepare

    chosen = options_of(options)
    prepared = prepare(model, chosen.replaced_keys(), chosen.assignments)
    written, n_pairs = write_broken(prepared, chip_index, out)
    click.echo(f"{n_pairs} pairs of cells of chip {chip_index} fail: {written}")
