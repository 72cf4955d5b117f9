"""`pimsim inspect`."""

from __future__ import annotations

from pathlib import Path

import click

from pimsim.cli.names import completed


@click.command()
@click.argument("file", type=click.Path(path_type=Path), shell_complete=completed("network"))
@click.option("--provenance", is_flag=True, help="Print what the file says of its origin, too.")
def inspect(file: Path, provenance: bool) -> None:
    """Print the content of the network FILE (.safetensors, or the name of a bundled file)."""
    from pimsim.config.load import find_network
    from pimsim.errors import Place
    from pimsim.report.network import print_network
    from pimsim.report.terminal import terminal

    path = find_network(file, place=Place("FILE"))
    print_network(path, terminal(), with_provenance=provenance)
