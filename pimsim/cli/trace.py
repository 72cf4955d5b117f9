"""`pimsim trace`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pimsim.cli.names import completed
from pimsim.cli.options import Target, Whole, options_of, out_option, run_options

# of a cycle
MAX_DIGITS = 20


def _cycles(context: click.Context, option: click.Parameter, value: str) -> tuple[int, int | None]:
    """FIRST:LAST, either left out for the beginning or the end."""
    first, colon, last = value.partition(":")
    ends = [end for end in (first, last) if end]
    if not colon or not all(end.isdecimal() and len(end) < MAX_DIGITS for end in ends):
        raise click.BadParameter(
            f"'{value}' is no range such as 0:200, 100: or :50", context, option
        )
    return int(first or 0), int(last) if last else None


@click.command()
@click.argument("model", shell_complete=completed("model"))
@run_options("model")
@click.option(
    "--format",
    "form",
    type=click.Choice(["vcd", "perfetto"]),
    default="perfetto",
    show_default=True,
    help="VCD for waveform viewers, JSON for ui.perfetto.dev.",
)
@click.option(
    "--cycles",
    callback=_cycles,
    default=":",
    metavar="FIRST:LAST",
    help="Clock cycles to show, counted from 0; all if not given.",
)
@click.option(
    "--chip-index",
    type=Whole(0),
    default=0,
    show_default=True,
    help="Index of the chip.",
)
@click.option("--sequence", type=Whole(), default=0, show_default=True,
              help="Index of the sequence.")  # fmt: skip
@out_option("File to write.", Target(), required=True)
def trace(
    model: str,
    form: str,
    cycles: tuple[int, int | None],
    chip_index: int,
    sequence: int,
    out: Path,
    **options: Any,
) -> None:
    """Trace one inference of MODEL cycle by cycle.

    A VCD shows the clock, the phases of each tile, its word lines, the outputs of its
    sense amplifiers, its hidden bits, and what waits; its bits are the simulator's. A
    Perfetto trace has a track for each component and a slice for each operation and phase.
    """
    from pimsim.studies.prepare import prepare
    from pimsim.studies.trace import write_trace

    chosen = options_of(options)
    prepared = prepare(model, chosen.replaced_keys(), chosen.assignments)
    written, total = write_trace(prepared, out, form, cycles, chip_index, sequence)
    click.echo(f"{form} of an inference of {total} cycles: {written}")
