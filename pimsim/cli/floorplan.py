"""`pimsim floorplan`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pimsim.cli.run import model_options


@click.command()
@click.argument("model")
@model_options
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True,
              help="File to write, .svg or .png.")  # fmt: skip
def floorplan(model: str, assignments: tuple[str, ...], out: Path, **options: Any) -> None:
    """Draw the chip of MODEL to scale: its tiles with their weights, and its digital units.

    Areas are those of `pimsim run`; where parts lie, and their shapes, are a sketch.
    """
    from pimsim.errors import ConfigError, Place
    from pimsim.report.floorplan import draw_floorplan
    from pimsim.studies.floorplan import floorplan as plan_of
    from pimsim.studies.prepare import prepare

    if out.suffix not in (".svg", ".png"):
        raise ConfigError(
            f"is '{out}'", place=Place("--out"), remedy="Name a file that ends in .svg or .png"
        )
    prepared = prepare(model, options, assignments)
    plan, account = plan_of(prepared)
    total = sum(item.area for item in account) * 1e6
    setup = prepared.setup
    title = f"{prepared.network.name} on {setup.chip.name}, {setup.device.name}: {total:.3f} mm2"
    written = draw_floorplan(plan, title, out)
    size = f"{plan.width * 1e6:.0f} x {plan.height * 1e6:.0f} um"
    click.echo(f"{size}, {total:.4f} mm2 of which are components and wiring: {written}")
