"""`pimsim device`: what device files say, and device files from measurements."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def device() -> None:
    """List, show and plot devices."""


@device.command("list")
def list_devices() -> None:
    """List the bundled devices."""
    from rich.console import Console

    from pimsim.report.device import print_devices
    from pimsim.studies.device import device_rows

    print_devices(device_rows(), Console())


def _figure_path(path: Path) -> Path:
    from pimsim.errors import ConfigError, Place

    if path.suffix not in (".svg", ".png"):
        raise ConfigError(
            f"is '{path}'", place=Place("--out"), remedy="Name a file that ends in .svg or .png"
        )
    return path


def _age(text: str | None) -> float | None:
    from pimsim.errors import ConfigError, Place
    from pimsim.units import parse_quantity

    if text is None:
        return None
    place = Place("--time-since-programming")
    try:
        age = parse_quantity(text, "second")
    except ValueError as error:
        raise ConfigError(str(error), place=place) from error
    if age <= 0:
        raise ConfigError(f"is {text!r}; it must be greater than 0", place=place)
    return age


@device.command()
@click.argument("name")
@click.option("--levels", type=int, help="Levels per cell; 4 (7-level weights) if not given.")
@click.option("--time-since-programming", "age", metavar="TIME",
              help="Age of the levels; the file's if not given.")  # fmt: skip
def show(name: str, levels: int | None, age: str | None) -> None:
    """Print levels, spreads, drift and sources of the device NAME, a file or a bundled one."""
    from rich.console import Console

    from pimsim.report.device import print_device
    from pimsim.studies.device import describe_device

    print_device(describe_device(name, levels, _age(age)), Console())


@device.command()
@click.argument("name")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True,
              help="File to write, .svg or .png.")  # fmt: skip
@click.option("--levels", type=int, help="Levels per cell; 4 (7-level weights) if not given.")
@click.option("--time-since-programming", "age", metavar="TIME",
              help="Age of the levels; the file's if not given.")  # fmt: skip
def plot(name: str, out: Path, levels: int | None, age: str | None) -> None:
    """Draw level distributions, drift and errors between neighbours of the device NAME."""
    from pimsim.report.device import draw_device
    from pimsim.studies.device import describe_device

    click.echo(draw_device(describe_device(name, levels, _age(age)), _figure_path(out)))
