"""`pimsim device`: show device files, and make them from measurements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pimsim.cli.names import completed
from pimsim.cli.options import (
    Target,
    TargetFolder,
    Whole,
    claimed,
    options_of,
    out_option,
    run_options,
)
from pimsim.cli.output import json_option, say


@click.group()
def device() -> None:
    """List, show and plot devices."""


@device.command("list")
def list_devices() -> None:
    """List the bundled devices."""
    from pimsim.report.pages.device import devices_page
    from pimsim.report.terminal import print_page, terminal
    from pimsim.studies.device import device_rows

    print_page(devices_page(device_rows()), terminal())


def _age(text: str | None) -> float | None:
    if text is None:
        return None
    return _quantity(text, "second", "--time-since-programming", is_zero_allowed=True)


@device.command()
@click.argument("name", shell_complete=completed("device"))
@click.option("--levels", type=Whole(), help="Levels per cell; 4 (7-level weights) if not given.")
@click.option("--time-since-programming", "age", metavar="TIME",
              help="Age of the levels; the file's if not given.")  # fmt: skip
@json_option
def show(name: str, levels: int | None, age: str | None, as_json: bool) -> None:
    """Print levels, drift and sources of the device NAME, a file or a bundled one."""
    from pimsim.report.pages import page_of
    from pimsim.studies.device import device_document

    document = device_document(name, levels, _age(age))
    say(document, page_of(document), as_json=as_json)


@device.command()
@click.argument("name", shell_complete=completed("device"))
@out_option("File to write, .svg or .png.", Target(), required=True)
@click.option("--levels", type=Whole(), help="Levels per cell; 4 (7-level weights) if not given.")
@click.option("--time-since-programming", "age", metavar="TIME",
              help="Age of the levels; the file's if not given.")  # fmt: skip
def plot(name: str, out: Path, levels: int | None, age: str | None) -> None:
    """Draw level distributions, drift and errors between neighbours of the device NAME."""
    from pimsim.report.device import draw_device
    from pimsim.report.figures import check_picture
    from pimsim.studies.device import device_document

    click.echo(draw_device(device_document(name, levels, _age(age)), check_picture(out)))


@device.command()
@click.argument("data", type=click.Path(path_type=Path))
@out_option("Device file to write, .yaml; the figure goes beside it.", Target(), required=True)
@click.option("--name", help="Name in reports; that of DATA if not given.")
@click.option("--unit", "units", multiple=True, metavar="COLUMN=UNIT",
              help="Unit of a column whose heading has none, such as current=uA.")  # fmt: skip
@click.option("--read-voltage", metavar="VOLTAGE",
              help="Voltage at which conductances are read, such as 0.2 V.")  # fmt: skip
@click.option("--cell-area", metavar="AREA", help="Area of one cell, such as 0.05 um2.")
@click.option("--temperature", metavar="TEMPERATURE",
              help="Temperature of the measurement; by default the file's column.")  # fmt: skip
@click.option("--levels", metavar="NUMBERS",
              help="Levels to take, such as 0,1,3; else all that have cells enough.")  # fmt: skip
@click.option("--drift", "law",
              type=click.Choice(["none", "power_law", "logarithmic", "tabulated"]),
              help="Law of time; if not given, the simplest that agrees with DATA.")  # fmt: skip
@click.option("--accept-misfit", is_flag=True,
              help="Write the file though the device does not follow DATA.")  # fmt: skip
@click.option("--figure", type=Target(), help="File for the figure.")
def fit(
    data: Path,
    out: Path,
    name: str | None,
    units: tuple[str, ...],
    read_voltage: str | None,
    cell_area: str | None,
    temperature: str | None,
    levels: str | None,
    law: str | None,
    accept_misfit: bool,
    figure: Path | None,
) -> None:
    """Fit a device file to measured cells: DATA is CSV with a header line.

    Columns: level (the target), current, conductance or resistance; and time, temperature, cycle,
    cell where they were recorded. Units stand in the header, such as `current [uA]`.
    """
    from pimsim.files import study_written
    from pimsim.report.device_fit import draw_fit
    from pimsim.report.figures import check_picture
    from pimsim.report.pages.device import fit_page
    from pimsim.report.terminal import print_page, terminal
    from pimsim.studies.device_fit import (
        check_device_path,
        describe_fit,
        fit_file,
        refuse_misfit,
        write_device,
    )

    beside = figure or claimed(out.with_suffix(".svg"), "the figure")
    picture = check_picture(beside, "--figure")
    check_device_path(out)
    volts = None if read_voltage is None else _quantity(read_voltage, "volt", "--read-voltage")
    fitted = fit_file(
        data,
        name=name,
        units=dict(_column_unit(text) for text in units),
        read_voltage=volts,
        cell_area=cell_area,
        temperature=temperature,
        levels=None if levels is None else _level_numbers(levels),
        law=law,
    )
    if not accept_misfit:
        refuse_misfit(fitted)
    document = describe_fit(fitted)
    # files first: who reads what is printed may stop reading
    with study_written(out):
        drawn = draw_fit(document, picture)
        written = [write_device(fitted, out), drawn]
    console = terminal()
    print_page(fit_page(document), console)
    console.print(f"written: {', '.join(map(str, written))}", highlight=False, soft_wrap=True)


def _column_unit(text: str) -> tuple[str, str]:
    from pimsim.errors import ConfigError, Place

    column, sign, unit = text.partition("=")
    if not sign or not column.strip() or not unit.strip():
        raise ConfigError(f"'{text}' is no unit of a column", place=Place("--unit"),
                          remedy="Write it as current=uA")  # fmt: skip
    return column.strip().lower(), unit.strip()


def _level_numbers(text: str) -> list[int]:
    from pimsim.errors import ConfigError, Place

    numbers = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 4 for part in numbers):
        raise ConfigError(f"is {text!r}", place=Place("--levels"),
                          remedy="Write numbers of levels, such as 0,1,3")  # fmt: skip
    return [int(part) for part in numbers]


def _quantity(text: str, unit: str, option: str, *, is_zero_allowed: bool = False) -> float:
    """A quantity above zero, or of zero where that is allowed; an error names the option."""
    from pimsim.errors import ConfigError, Place
    from pimsim.units import parse_quantity

    try:
        value = parse_quantity(text, unit)
    except ValueError as error:
        raise ConfigError(str(error), place=Place(option)) from error
    if value < 0 or (value == 0 and not is_zero_allowed):
        least = "0 or more" if is_zero_allowed else "greater than 0"
        raise ConfigError(f"is {text!r}; it must be {least}", place=Place(option))
    return value


@device.command()
@click.argument("model", shell_complete=completed("model"))
@click.option("--device", "devices", multiple=True, metavar="DEVICE",
              shell_complete=completed("device"),
              help="Device file or bundled name; give it more than once.")  # fmt: skip
@click.option(
    "--ages", metavar="TIMES", help="Ages, such as '1 s, 1 day, 10 years'; seven if not given."
)
@run_options("model", "statistics", "speed", without=("device", "time_since_programming"))
@out_option("Folder of figure and tables; finished points in it are kept.",
            TargetFolder("age.svg", "age.png", "age.csv", "age.json", "points/"),
            required=True)  # fmt: skip
def age(
    model: str,
    devices: tuple[str, ...],
    ages: str | None,
    out: Path,
    **options: Any,
) -> None:
    """Run MODEL at ages from 1 s to 10 years, with and without drift compensation."""
    from pimsim.cli.progress import stages
    from pimsim.files import study_written
    from pimsim.report.age import write_age
    from pimsim.report.pages import page_of
    from pimsim.report.terminal import print_page
    from pimsim.studies.age import age as study
    from pimsim.studies.age import age_document
    from pimsim.studies.device import AGES

    times = list(AGES) if ages is None else [text.strip() for text in ages.split(",")]
    with stages("points") as (console, progress):
        rows = study(model, out, devices=devices, ages=times, options=options_of(options),
                     progress=progress)  # fmt: skip
    document = age_document(model, rows)
    with study_written(out / "age.json"):
        written = write_age(document, out)
    print_page(page_of(document), console)
    console.print(f"written: {', '.join(map(str, written))}", highlight=False, soft_wrap=True)


@device.command()
@click.argument("name", shell_complete=completed("device"))
@out_option("Also draw the levels, .svg or .png.", Target())
def program(name: str, out: Path | None) -> None:
    """Compute the programming of the device NAME: levels, pulses and time."""
    from pimsim.report.figures import check_picture
    from pimsim.report.pages.device import programming_page
    from pimsim.report.programming import draw_programming
    from pimsim.report.terminal import print_page, terminal
    from pimsim.studies.programming import describe_programming

    picture = None if out is None else check_picture(out)
    document = describe_programming(name)
    written = None if picture is None else draw_programming(document, picture)
    print_page(programming_page(document), terminal())
    if written is not None:
        click.echo(f"written: {written}")
