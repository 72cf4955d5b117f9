"""`pimsim search`."""

from __future__ import annotations

from pathlib import Path

import click

from pimsim.cli.names import completed
from pimsim.cli.options import TargetFolder, Whole


@click.command()
@click.argument("recipe", metavar="RECIPE", shell_complete=completed("recipe"))
@click.option("-o", "--out", required=True, help="Folder of results; finished trainings are kept.",
              type=TargetFolder("points/", "running/", "search.csv", "best.yaml"))  # fmt: skip
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    help="Device of torch: cpu, cuda, or auto (a GPU if there is one).",
)
@click.option("--threads", type=Whole(1, 1024), help="Threads; torch's choice if not given.")
def search(recipe: str, out: Path, device: str, threads: int | None) -> None:
    """Search polarities and widths of RECIPE's hidden layers, as its `search` block names them.

    Every variant is trained for a share of the epochs; of those that no other one beats in
    columns of cells and accuracy on validation data, the best are trained to the end. Writes
    search.csv, best.yaml (a recipe for `pimsim train`) and every finished training, so that a
    search that was stopped goes on.
    """
    from pimsim.cli.train import require_torch

    require_torch()
    from pimsim.config.bundled import find_config
    from pimsim.errors import ConfigError, Place
    from pimsim.files import folder_held, study_written, write_text
    from pimsim.report.tables import write_csv
    from pimsim.studies.points import Points, key_of
    from pimsim.train.block_recipe import BlockRecipe
    from pimsim.train.loop import choose_device, use_threads
    from pimsim.train.recipe import read_recipe
    from pimsim.train.search import as_recipe, rows_of
    from pimsim.train.search import search as study

    path = find_config(recipe, "recipe", Place("RECIPE", None, recipe))
    plan = read_recipe(path)
    if not isinstance(plan, BlockRecipe):
        raise ConfigError(
            "is no recipe of blocks, of which alone there are variants", place=Place(path)
        )
    use_threads(threads)

    def report(line: str) -> None:
        click.echo(line, err=True)

    with folder_held(out, wait=False):
        found = study(plan, Points(out), key_of, out / "running", report, choose_device(device))
        with study_written(out / "best.yaml"):
            write_csv(rows_of(found), out / "search.csv")
            write_text(out / "best.yaml", as_recipe(found[0].variant.recipe))
    best = found[0]
    click.echo(f"best: {best.variant.name}, {best.finished:.2%}, {best.columns} columns")
    click.echo(f"written: {out / 'search.csv'}, {out / 'best.yaml'}")
