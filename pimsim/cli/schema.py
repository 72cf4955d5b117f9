"""`pimsim schema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from pimsim.cli.options import Target, out_option

KINDS = ("device", "chip", "technology", "model", "recipe")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@out_option("File to write, .json; it is printed if none is named.", Target())
def schema(kind: str, out: Path | None) -> None:
    """Write the JSON Schema of the YAML files of a KIND, for editors.

    `pimsim init` writes all of them beside the files that it copies. A recipe's needs the 'train'
    extra.
    """
    from pimsim.files import write_json

    tree = schema_of(kind)
    if out is None:
        click.echo(json.dumps(tree, indent=2))
    else:
        click.echo(f"written: {write_json(out, tree)}")


def schema_of(kind: str) -> dict[str, Any]:
    """JSON Schema of a kind of file."""
    title = f"{kind} file of pimsim"
    if kind == "recipe":
        from pimsim.cli.train import require_torch

        require_torch()
        from pimsim.train.recipe import recipe_schema

        return recipe_schema(title)
    from pimsim.config.json_schema import SCHEMAS, json_schema

    return json_schema(SCHEMAS[kind], title)
