"""`pimsim vectors`."""

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
@click.option("--sequences", type=Whole(), default=4, show_default=True,
              help="Number of sequences.")  # fmt: skip
@out_option("File to write.", Target(), required=True)
def vectors(
    model: str,
    chip_index: int,
    sequences: int,
    out: Path,
    **options: Any,
) -> None:
    """Write test vectors of MODEL for an RTL or SPICE bench.

    The file holds input bits, integer currents of every cell, offsets and every
    decision; docs/vectors.md describes the layout.
    """
    from pimsim.studies.prepare import prepare
    from pimsim.studies.vectors import write_vectors

    chosen = options_of(options)
    prepared = prepare(model, chosen.replaced_keys(), chosen.assignments)
    written = write_vectors(prepared, chip_index, sequences, out)
    n_written = min(sequences, len(prepared.data))
    click.echo(f"{n_written} sequences of chip {chip_index}: {written}")
