"""`pimsim sweep`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from pimsim.cli.names import completed
from pimsim.cli.options import TargetFolder, Whole, options_of, out_option, run_options
from pimsim.cli.output import json_option, say

# each is a process with a whole pimsim in it
MAX_WORKERS = 256


@click.command()
@click.argument("model", shell_complete=completed("model"))
@click.option("--axis", "axes", multiple=True, metavar="KEY=VALUES",
              help="key=a,b,c or key=first:last:step; more than once for a grid.")  # fmt: skip
@click.option("--points", "table", type=click.Path(path_type=Path),
              help="CSV file with a column for each key, instead of axes.")  # fmt: skip
@click.option("--where", multiple=True, metavar="CONDITION",
              help="Such as 'area < 1 mm2' or 'accuracy > 90 %'; more than once.")  # fmt: skip
@click.option("--best", metavar="FIGURE",
              help="Figure of the best point: energy, area, time, accuracy, ...")  # fmt: skip
@click.option("--search", "n_points", type=Whole(1, 100_000),
              help="Points that a search for --best runs, instead of the grid.")  # fmt: skip
@run_options("model", "statistics", "speed")
@click.option("--workers", type=Whole(1, MAX_WORKERS),
              help="Number of worker processes on this machine.")  # fmt: skip
@click.option("--scheduler", metavar="ADDRESS",
              help="Dask scheduler to send points to: tcp://host:port, or its file.")  # fmt: skip
@click.option("--parquet", is_flag=True, help="Also write sweep.parquet.")
@out_option("Folder of figure and tables; finished points in it are kept.",
            TargetFolder("sweep.svg", "sweep.png", "sweep.csv", "sweep.parquet", "sweep.json",
                         "report.html", "points/"))  # fmt: skip
@json_option
def sweep(
    model: str,
    axes: tuple[str, ...],
    table: Path | None,
    where: tuple[str, ...],
    best: str | None,
    n_points: int | None,
    workers: int | None,
    scheduler: str | None,
    parquet: bool,
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Run MODEL at every point of a grid, and plot the results.

    MODEL is a model file, the name of a bundled one, or a network file (with --data).
    A key is `device`, `chip`, `data`, or any key that --set takes. Every finished point is kept
    in the folder: a call that was interrupted goes on, and one with other axes computes only
    what is new. With --workers or --scheduler, points are computed side by side (needs the
    'distributed' extra); the table is the same, bit for bit.

    --where and --best ask which points keep conditions, and which of them is best. Of a finished
    sweep, name its folder as MODEL: nothing is run, and nothing written without --out.

    --search N runs N points of the grid, chosen in generations from the results of those before,
    towards --best under the conditions of --where (needs the 'search' extra).
    """
    from pimsim.cli.progress import stages
    from pimsim.errors import ConfigError, Place
    from pimsim.files import is_folder, study_written
    from pimsim.report.documents import SweepDocument
    from pimsim.report.html import PAGE, write_page
    from pimsim.report.pages import find_document, page_of, read_document
    from pimsim.report.sweep import write_sweep
    from pimsim.report.tables import needs_parquet
    from pimsim.studies.axes import grid, parse_axis, read_points
    from pimsim.studies.distribute import computing, threads_of
    from pimsim.studies.question import answered, figure_key, parse_condition
    from pimsim.studies.sweep import sweep as study
    from pimsim.studies.sweep import sweep_document
    from pimsim.studies.sweep_search import search

    def finish(document: SweepDocument, folder: Path | None, console: Any = None) -> None:
        page, written = page_of(document), []
        if folder is not None:
            with study_written(folder / "sweep.json"):
                written = write_sweep(document, folder, parquet=parquet)
                written.append(write_page(page, folder / PAGE))
        say(document, page, written, as_json=as_json, console=console)

    if n_points is not None and not axes:
        raise ConfigError(
            "--search needs --axis", remedy="Such as --axis chip.array.rows=64:512:64"
        )
    if not axes and table is None and is_folder(Path(model)):
        found = read_document(find_document(Path(model)))
        if not isinstance(found, SweepDocument):
            raise ConfigError("holds no sweep", place=Place(model), remedy="Name its folder")
        finish(answered(found, where, best), out)
        return
    if bool(axes) == (table is not None):
        raise ConfigError(
            "--axis or --points is needed, one of both",
            remedy="Such as --axis device=reram,pcm --axis noise.sigma_eval=0:2:0.5",
        )
    spans = [parse_axis(text) for text in axes]
    points = []
    if n_points is None:
        points = read_points(table) if table is not None else grid(spans)
    keys = [span.key for span in spans] or list(points[0])
    if out is None:
        raise ConfigError("--out is needed: the folder of figure and tables")
    for text in where:
        parse_condition(text, keys)
    if best is not None:
        figure_key(best, (), Place("--best", None, best))
    if workers is not None and scheduler is not None:
        raise ConfigError("--scheduler and --workers exclude each other")
    if parquet:
        needs_parquet()
    chosen = options_of(options)
    chosen = replace(chosen, threads=threads_of(workers, chosen.threads))
    with (
        stages("points") as (console, progress),
        computing(scheduler, workers, partial(click.echo, err=True)) as compute,
    ):
        facts = None
        if n_points is None:
            rows = study(model, points, out, options=chosen, compute=compute, progress=progress)
        else:
            rows, facts = search(model, spans, n_points, out, where=where, best=best,
                                 options=chosen, compute=compute, progress=progress)  # fmt: skip
    document = sweep_document(model, keys, rows).model_copy(update={"search": facts})
    finish(answered(document, where, best), out, console)
