"""`pimsim inspect`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def inspect(file: Path) -> None:
    """Print the content of the network FILE (.safetensors, or the name of a bundled file)."""
    from pimsim.config.load import find_network
    from pimsim.report.network import print_network
    from pimsim.report.terminal import terminal

    print_network(find_network(file), terminal())
