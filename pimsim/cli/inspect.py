"""`pimsim inspect`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def inspect(file: Path) -> None:
    """Print the content of the network FILE (.safetensors, or the name of a bundled file)."""
    from pimsim.config.bundled import bundled_root, is_file
    from pimsim.report.network import print_network
    from pimsim.report.terminal import terminal

    bundled = bundled_root() / "models" / file.name
    path = bundled if not is_file(file) and is_file(bundled) else file
    print_network(path, terminal())
