"""`pimsim run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


def model_options(command: Any) -> Any:
    """Options that replace entries of a model file, shared by the commands that take one."""
    for option in reversed(
        [
            click.option("--device", help="Device file, or the name of a bundled one."),
            click.option("--chip", help="Chip file, or the name of a bundled one."),
            click.option("--data", help="Data set: a folder, or a name (see 'pimsim data list')."),
            click.option("--seed", type=int, help="Seed of every random number."),
            click.option(
                "--time-since-programming",
                metavar="TIME",
                help="Age of the stored levels, such as '1 day'.",
            ),
            click.option(
                "--set",
                "assignments",
                multiple=True,
                metavar="KEY=VALUE",
                help="Replace one key, such as noise.dynamic=off or chip.array.rows=128.",
            ),
        ]
    ):
        command = option(command)
    return command


def _ci95(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """The number in `ci=0.1%`."""
    if text is None:
        return None
    name, _, value = text.partition("=")
    if name.strip() != "ci" or not value.strip():
        raise click.BadParameter(f"'{text}' is no precision; write it as ci=0.1%")
    return value.strip()


def statistics_options(command: Any) -> Any:
    """Options of how much is drawn and what is asked of it."""
    for option in reversed(
        [
            click.option("--chips", type=int, help="Chips to draw."),
            click.option("--reads", type=int, help="Times that a chip reads every sequence."),
            click.option(
                "--until",
                "until_ci95",
                metavar="ci=HALF",
                callback=_ci95,
                help="Draw further blocks of --chips until the 95 % interval of the mean "
                "accuracy is +-HALF, such as ci=0.1%.",
            ),
            click.option(
                "--target",
                "accuracy_target",
                metavar="ACCURACY",
                help="Accuracy that a good chip has, such as 90%; the yield is reported.",
            ),
            click.option("--limit", type=int, help="Use at most so many sequences."),
        ]
    ):
        command = option(command)
    return command


@click.command()
@click.argument("model")
@model_options
@statistics_options
@click.option("--ideal", is_flag=True, help="No error and no noise: the exact network.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads; all cores if not given.")
@click.option("--batch", type=click.IntRange(min=1), default=256, show_default=True,
              help="Sequences per kernel call; changes memory, never results.")  # fmt: skip
@click.option("--kernel", help="Force a kernel, such as portable; changes speed, never results.")
@click.option("--bits", is_flag=True, help="Also write every decision to bits.npz.")
@click.option("--no-contributions", is_flag=True, help="Leave out the runs of single sources.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the report.")
def run(
    model: str,
    assignments: tuple[str, ...],
    bits: bool,
    no_contributions: bool,
    out: Path | None,
    **options: Any,
) -> None:
    """Simulate MODEL (a model file, or the name of a bundled one) and report.

    Prints accuracy over chips, what each noise source does alone and the actions
    counted, and writes report.json and report.html.
    """
    from pimsim.cli.progress import stages
    from pimsim.report.html import PAGE, render
    from pimsim.report.terminal import print_run
    from pimsim.studies.document import describe_run
    from pimsim.studies.folder import bits_of, check_folder, default_folder, write_run
    from pimsim.studies.run import run as study

    folder = out or default_folder(model)
    check_folder(folder)
    with stages() as (console, progress):
        result = study(
            model,
            set=assignments,
            keep_bits=bits,
            contributions=not no_contributions,
            progress=progress,
            **options,
        )
    report = describe_run(result)
    page = folder / PAGE
    written = write_run(folder, report, render(report), bits_of(result) if bits else None)
    print_run(report, console)
    console.print(f"report: {written}, {page}", highlight=False, soft_wrap=True)
