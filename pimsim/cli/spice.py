"""`pimsim spice`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pimsim.cli.names import completed
from pimsim.cli.options import Target, Whole, options_of, out_option, run_options


class Pair(click.ParamType):  # type: ignore[type-arg]
    """Two whole numbers with a colon between them."""

    name = "whole:whole"

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        first, colon, second = value.partition(":")
        if not colon:
            self.fail(f"{value!r} is not two whole numbers with a colon between.", param, ctx)
        whole = Whole(0)
        return whole.convert(first, param, ctx), whole.convert(second, param, ctx)


@click.command()
@click.argument("model", shell_complete=completed("model"))
@run_options("model")
@click.option("--layer", required=True, help="Name of the layer.")
@click.option("--columns", type=Pair(), metavar="A:B", required=True,
              help="Column pairs, from A up to but not with B.")  # fmt: skip
@click.option("--input", "read", type=Pair(), metavar="SEQUENCE:STEP", required=True,
              help="Sequence of the data, and time step or position in it.")  # fmt: skip
@click.option("--chip-index", type=Whole(), default=0, show_default=True, help="Index of the chip.")
@click.option("--amplifier", default="ideal", show_default=True, help="ideal, or latch.")
@out_option("Deck to write.", Target(), required=True)
def spice(
    model: str,
    layer: str,
    columns: tuple[int, int],
    read: tuple[int, int],
    chip_index: int,
    amplifier: str,
    out: Path,
    **options: Any,
) -> None:
    """Write a deck for ngspice: columns of MODEL's chip in one read.

    It holds the programmed cells, wires, drivers, loads and amplifiers of one drawn chip, and what
    pimsim expects of them; `ngspice -b DECK` prints currents and decisions.
    """
    from pimsim.studies.prepare import prepare
    from pimsim.studies.spice import SpiceOptions, write_deck

    chosen = options_of(options)
    prepared = prepare(model, chosen.replaced_keys(), chosen.assignments)
    wanted = SpiceOptions(layer, columns, *read, chip_index, amplifier)
    click.echo(f"{layer}, columns {columns[0]} to {columns[1] - 1}: "
               f"{write_deck(prepared, wanted, out)}")  # fmt: skip
