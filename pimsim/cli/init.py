"""`pimsim init`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from pimsim.cli.options import TargetFolder
from pimsim.cli.schema import KINDS, schema_of


@click.command()
@click.argument("folder", type=TargetFolder())
def init(folder: Path) -> None:
    """Copy the bundled models and hardware files to FOLDER, to edit them there.

    Each begins with a line that tells editors its schema, in FOLDER/schemas.
    """
    from pimsim.studies.folder import copy_bundled

    # schemas of recipes are made by torch's classes
    has_torch = importlib.util.find_spec("torch") is not None
    schemas = {kind: schema_of(kind) for kind in KINDS if kind != "recipe" or has_torch}
    for path in copy_bundled(folder, schemas):
        click.echo(f"  {path}")
    click.echo(f"Now: pimsim run {folder / 'models' / 'gru.yaml'}")
