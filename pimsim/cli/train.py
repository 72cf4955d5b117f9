"""`pimsim train`."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from pimsim import __version__


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True,
              help="Folder of checkpoints and log.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Continue from the checkpoint in the folder.")
@click.option(
    "--start",
    type=click.Path(path_type=Path),
    help="Start from a checkpoint of a training with the same stages so far.",
)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    help="Device of torch: cpu, cuda, or auto (a GPU if there is one).",
)
@click.option("--threads", type=click.IntRange(min=1), help="Threads; torch's choice if not given.")
def train(
    recipe: Path, out: Path, resume: bool, start: Path | None, device: str, threads: int | None
) -> None:
    """Train the network that RECIPE (a YAML file) describes.

    Writes checkpoint.pt after every epoch, one more checkpoint per finished stage,
    log.jsonl, curves.svg, training.json and its page report.html. A training that was stopped
    goes on with --resume, and ends with the same network. Data sets are found as
    `pimsim data list` shows.
    """
    require_torch()
    from rich.console import Console
    from rich.progress import Progress

    from pimsim.errors import ConfigError, Place
    from pimsim.files import folder_held
    from pimsim.report.curves import write_curves
    from pimsim.studies.folder import check_folder
    from pimsim.train.checkpoint import CHECKPOINT
    from pimsim.train.recipe import read_recipe
    from pimsim.train.tasks import task_for
    from pimsim.train.trainer import Trainer, choose_device, use_threads

    plan = read_recipe(recipe)
    check_folder(out)
    use_threads(threads)
    where = choose_device(device)
    bars = Progress(console=Console(stderr=True), transient=True)
    with folder_held(out, wait=False), bars as progress:
        if not resume and (out / CHECKPOINT).exists():
            raise ConfigError(
                "holds a training already",
                place=Place(out),
                remedy="Go on with it by --resume, or name another folder",
            )
        bar = progress.add_task("reading data", total=sum(stage.epochs for stage in plan.stages))

        def report(entry: dict[str, Any]) -> None:
            progress.update(bar, completed=len(trainer.state.log), description=entry["stage"])
            progress.console.print(describe(entry), highlight=False)
            write_curves(trainer.state.log, out / "curves")
            write_training(plan.model_dump(mode="json"), trainer.state.log, out)

        trainer = Trainer(plan, task_for(plan), out, report, where)
        if not (resume and trainer.resume()) and start is not None:
            trainer.take_up(start)
        progress.update(bar, completed=len(trainer.state.log), description="training")
        trainer.run()
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
    measured = [
        f"{key.replace('_', ' ')} {entry[key]:.2%}"
        for key in ("smooth", "bits", "bits_average")
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
