"""`pimsim init`."""

from __future__ import annotations

from pathlib import Path

import click

from pimsim.cli.options import TargetFolder


@click.command()
@click.argument("folder", type=TargetFolder())
def init(folder: Path) -> None:
    """Copy the bundled models and hardware files to FOLDER, to edit them there."""
    from pimsim.studies.folder import copy_bundled

    for path in copy_bundled(folder):
        click.echo(f"  {path}")
    click.echo(f"Now: pimsim run {folder / 'models' / 'gru.yaml'}")
