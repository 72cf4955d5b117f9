"""`pimsim floorplan`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pimsim.cli.names import completed
from pimsim.cli.options import Target, options_of, out_option, run_options


@click.command()
@click.argument("model", shell_complete=completed("model"))
@run_options("model")
@out_option("File to write, .svg or .png.", Target(), required=True)
def floorplan(model: str, out: Path, **options: Any) -> None:
    """Draw the chip of MODEL to scale: its tiles with their weights, and its digital units.

    Areas are those of `pimsim run`; where parts lie, and their shapes, are a sketch.
    """
    from pimsim.report.figures import check_picture
    from pimsim.report.floorplan import draw_floorplan
    from pimsim.report.terminal import printed
    from pimsim.studies.floorplan import area_of
    from pimsim.studies.floorplan import floorplan as plan_of
    from pimsim.studies.prepare import prepare

    check_picture(out)
    chosen = options_of(options)
    prepared = prepare(model, chosen.replaced_keys(), chosen.assignments)
    plan, account = plan_of(prepared)
    area = area_of(prepared, account).said
    setup = prepared.setup
    cells = prepared.layout.cells.name
    title = f"{prepared.network.name} on {setup.chip.name}, {cells}: {area}"
    written = draw_floorplan(plan, title, out)
    size = f"{plan.width * 1e6:.0f} x {plan.height * 1e6:.0f} um"
    click.echo(f"{size}, {printed(area)} of which are components and wiring: {written}")
