"""`pimsim data`: list and fetch data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pimsim.cli.options import TargetFolder

if TYPE_CHECKING:
    from pimsim.data.catalog import Embedded, OnDisk


@click.group()
def data() -> None:
    """List and fetch data sets."""


@data.command("list")
def list_sets() -> None:
    """List the data sets and their folders."""
    from rich.table import Table

    from pimsim.data import catalog
    from pimsim.report.terminal import terminal

    table = Table(box=None, pad_edge=False)
    for heading in ("name", "what it is", "where"):
        table.add_column(heading, overflow="fold")
    for name, embedded in catalog.EMBEDDED.items():
        table.add_row(name, _about(embedded), "in the package")
    for name, wanted in catalog.ON_DISK.items():
        path = catalog.find(name)
        where = wanted.how_to_get if path is None else str(path)
        table.add_row(name, _about(wanted), where)
    terminal().print(table)


def _about(described: Embedded | OnDisk) -> str:
    """Content and licence of a set."""
    return f"{described.description}\nlicence: {described.licence}"


@data.command("get")
@click.argument("name", type=click.Choice(["speech-commands-test", "mnist"]))
@click.option(
    "--to",
    type=TargetFolder(),
    help="Destination folder [default: the user's data folder].",
)
def get_set(name: str, to: Path | None) -> None:
    """Fetch a data set and check it against its published SHA-256."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from pimsim.data import download
    from pimsim.files import whole_path

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    # to stderr: stdout keeps only what a script may want to read
    with Progress(*columns, TransferSpeedColumn(), console=Console(stderr=True)) as bars:
        tasks = {}

        def show(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bars.add_task(file, total=total)
            bars.update(tasks[file], completed=done)

        folder = download.get(name, to, show)
    click.echo(f"{name} is in {folder} ({download.REMOTE_SETS[name].licence})")
    if to is not None:
        click.echo(f"To use it: export PIMSIM_DATA={whole_path(to)}")
