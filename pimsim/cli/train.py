"""`pimsim train`."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from pimsim import __version__
from pimsim.cli.names import completed
from pimsim.cli.options import TargetFolder, Whole


@click.command()
@click.argument("recipe", metavar="RECIPE", shell_complete=completed("recipe"))
@click.option("-o", "--out", required=True, help="Folder of checkpoints and log.",
              type=TargetFolder("log.jsonl", "curves.svg", "training.json",
                                "report.html"))  # fmt: skip
@click.option("--resume", is_flag=True, help="Continue from the checkpoint in the folder.")
@click.option(
    "--start",
    type=click.Path(path_type=Path),
    help="Start from a checkpoint of a training with the same stages so far; of blocks, also with "
    "the weights of one whose quantisers are others, such as of a float network.",
)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    help="Device of torch: cpu, cuda, or auto (a GPU if there is one).",
)
@click.option("--threads", type=Whole(1, 1024), help="Threads; torch's choice if not given.")
def train(
    recipe: str, out: Path, resume: bool, start: Path | None, device: str, threads: int | None
) -> None:
    """Train the network that RECIPE describes: a YAML file, or the name of a bundled one.

    Writes checkpoint.pt after every epoch, one more checkpoint per finished stage,
    log.jsonl, curves.svg, training.json and its page report.html. A training that was stopped
    goes on with --resume, and ends with the same network. Data sets are found as
    `pimsim data list` shows.
    """
    require_torch()
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from pimsim.config.bundled import find_config
    from pimsim.errors import ConfigError, Place
    from pimsim.files import folder_held, look, study_written
    from pimsim.report.curves import write_curves
    from pimsim.train.begin import test_result, trainer_for
    from pimsim.train.checkpoint import CHECKPOINT
    from pimsim.train.loop import choose_device, use_threads
    from pimsim.train.recipe import read_recipe

    plan = read_recipe(find_config(recipe, "recipe", Place("RECIPE", None, recipe)))
    use_threads(threads)
    where = choose_device(device)
    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} batches, loss {task.fields[loss]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with folder_held(out, wait=False), bars as progress:
        if not resume and look(out / CHECKPOINT) is not None:
            raise ConfigError(
                "holds a training already",
                place=Place(out),
                remedy="Go on with it by --resume, or name another folder",
            )
        bar = progress.add_task("reading data", total=0, loss="-")

        def batch_done(loss: float) -> None:
            state = trainer.state
            stage = plan.stages[state.stage]
            shown = f"{stage.name}, epoch {state.epoch + 1} of {stage.epochs}"
            progress.update(bar, advance=1, description=shown, loss=f"{loss:.3f}")

        def report(entry: dict[str, Any]) -> None:
            progress.console.print(describe(entry), highlight=False)
            with study_written(out / "training.json"):
                write_curves(trainer.state.log, out / "curves")
                write_training(plan.model_dump(mode="json"), trainer.state.log, out)

        trainer = trainer_for(plan, out, report, where)
        if not (resume and trainer.resume()) and start is not None:
            trainer.start_from(start)
        trainer.batch_done = batch_done
        done, total = trainer.batches
        progress.update(bar, completed=done, total=total, description="training")
        trainer.run()
        tested = test_result(trainer)
    if tested is not None:
        name, n, found = tested
        click.echo(f"{name}: {found} of {n}, as deployed")
    click.echo(f"checkpoint: {out / CHECKPOINT}")


def write_training(recipe: dict[str, Any], log: list[dict[str, Any]], out: Path) -> None:
    """Write training.json and its page: recipe, epochs, and the command to repeat them."""
    from pimsim.files import write_json
    from pimsim.report.documents import TrainingDocument, parse
    from pimsim.report.html import PAGE, write_page
    from pimsim.report.pages import page_of
    from pimsim.studies.origin import origin

    made = origin()
    made["packages"] |= {"torch": version("torch")}
    document = {"schema": "pimsim.training/1", "pimsim": __version__, "recipe": recipe, "log": log,
                "provenance": made}  # fmt: skip
    write_json(out / "training.json", document)
    typed = parse(document, TrainingDocument, out / "training.json")
    write_page(page_of(typed), out / PAGE)


def describe(entry: dict[str, Any]) -> str:
    """One line of a training's log."""
    from pimsim.report.words import VALIDATIONS

    measured = [
        f"{key.replace('_', ' ')} {metric.text(entry[key])}"
        for key, (_, metric) in VALIDATIONS.items()
        if key in entry
    ]
    return (
        f"{entry['stage']:<14} epoch {entry['epoch']:>3}  loss {entry['loss']:.3f}  "
        f"validation: {', '.join(measured)}  ({entry['wall_s']:.0f} s)"
    )


def require_torch() -> None:
    """Raise an error with a remedy if torch is missing."""
    import importlib.util

    from pimsim.errors import PimsimError

    if importlib.util.find_spec("torch") is None:
        raise PimsimError(
            "training needs torch, which is not installed",
            remedy="Install it with `pip install 'pimsim[train]'`",
        )
