"""`pimsim sensitivity`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from pimsim.cli.names import completed
from pimsim.cli.options import TargetFolder, Whole, options_of, out_option, run_options
from pimsim.cli.output import json_option, say
from pimsim.cli.sweep import MAX_WORKERS


@click.command()
@click.argument("model", shell_complete=completed("model"))
@click.option("--key", "keys", multiple=True, metavar="KEY",
              help="Parameter or block, such as chip.array; all numbers of device and chip if "
                   "none is named.")  # fmt: skip
@click.option("--step", default="10 %", show_default=True, metavar="SHARE",
              help="Relative step of each parameter, down and up.")  # fmt: skip
@run_options("model", "statistics", "speed")
@click.option("--workers", type=Whole(1, MAX_WORKERS),
              help="Number of worker processes on this machine.")  # fmt: skip
@json_option
@out_option("Folder of figure and tables; finished runs in it are kept.",
            TargetFolder("sensitivity.svg", "sensitivity.png", "sensitivity.csv",
                         "sensitivity.json", "report.html", "points/"), required=True)  # fmt: skip
def sensitivity(
    model: str,
    keys: tuple[str, ...],
    step: str,
    workers: int | None,
    as_json: bool,
    out: Path,
    **options: Any,
) -> None:
    """Rank parameters of MODEL's device and chip by what a step of each does.

    Each is changed alone, down and up, on the same drawn chips: the table shows what that does to
    accuracy, energy, area and time. Runs that are finished are kept, so that a call which was
    stopped goes on. Fewer chips and sequences (--chips, --limit) take less time.
    """
    from pimsim.cli.progress import stages
    from pimsim.errors import ConfigError, Place
    from pimsim.files import study_written
    from pimsim.report.html import PAGE, write_page
    from pimsim.report.pages import page_of
    from pimsim.report.sensitivity import write_sensitivity
    from pimsim.studies.distribute import computing, threads_of
    from pimsim.studies.sensitivity import sensitivity as study
    from pimsim.units import parse_quantity

    try:
        share = parse_quantity(step, "")
    except ValueError as error:
        raise ConfigError(str(error), place=Place("--step")) from error
    if not 0 < share < 1:
        raise ConfigError(
            f"is {step!r}; it must lie between 0 and 100 %", place=Place("--step")
        )  # fmt: skip
    chosen = options_of(options)
    chosen = replace(chosen, threads=threads_of(workers, chosen.threads))
    with (
        stages("points") as (console, progress),
        computing(None, workers, partial(click.echo, err=True)) as compute,
    ):
        document = study(
            model, out, step=share, keys=keys, options=chosen, compute=compute, progress=progress
        )
    page = page_of(document)
    with study_written(out / "sensitivity.json"):
        written = [*write_sensitivity(document, out), write_page(page, out / PAGE)]
    say(document, page, written, as_json=as_json, console=console)
