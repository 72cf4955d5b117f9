"""`pimsim sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pimsim.cli.run import model_options, statistics_options


@click.command()
@click.argument("model")
@model_options
@click.option("--axis", "axes", multiple=True, metavar="KEY=VALUES",
              help="key=a,b,c or key=first:last:step; more than once for a grid.")  # fmt: skip
@click.option("--points", "table", type=click.Path(path_type=Path),
              help="CSV file with a column for each key, instead of axes.")  # fmt: skip
@statistics_options
@click.option("--threads", type=click.IntRange(min=1), help="Threads; all cores if not given.")
@click.option("--workers", type=click.IntRange(min=1),
              help="Processes to share the points among, on this machine.")  # fmt: skip
@click.option("--scheduler", metavar="ADDRESS",
              help="Dask scheduler to send points to: tcp://host:port, or its file.")  # fmt: skip
@click.option("--parquet", is_flag=True, help="Also write sweep.parquet.")
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help="Folder of figure and tables; finished points in it are kept.")  # fmt: skip
def sweep(
    model: str,
    assignments: tuple[str, ...],
    axes: tuple[str, ...],
    table: Path | None,
    threads: int | None,
    workers: int | None,
    scheduler: str | None,
    parquet: bool,
    out: Path,
    **options: Any,
) -> None:
    """Run MODEL at every point of a grid, and plot what moves.

    A key is `device`, `chip`, `data`, or any key that --set takes. Every finished point is kept
    in the folder: a call that was interrupted goes on, and one with other axes computes only
    what is new. With --workers or --scheduler, points are computed side by side (needs the
    'distributed' extra); the table is the same, bit for bit.
    """
    from pimsim.cli.progress import stages
    from pimsim.errors import ConfigError, Place
    from pimsim.report.html import PAGE, write_page
    from pimsim.report.sweep import needs_parquet, print_sweep, write_sweep
    from pimsim.studies.distribute import computing, threads_of
    from pimsim.studies.folder import check_folder
    from pimsim.studies.sweep import describe_sweep, grid, parse_axis, read_points
    from pimsim.studies.sweep import sweep as study

    if bool(axes) == (table is not None):
        raise ConfigError(
            "or --points is needed, one of both",
            place=Place("--axis"),
            remedy="Such as --axis device=reram,pcm --axis noise.sigma_eval=0:2:0.5",
        )
    points = read_points(table) if table is not None else grid([parse_axis(text) for text in axes])
    if workers is not None and scheduler is not None:
        raise ConfigError("and --workers exclude each other", place=Place("--scheduler"))
    if parquet:
        needs_parquet()
    check_folder(out)
    with stages("points") as (console, progress), computing(scheduler, workers) as compute:
        rows = study(model, points, out, options=options, assignments=assignments,
                     threads=threads_of(workers, threads), compute=compute,
                     progress=progress)  # fmt: skip
    keys = list(points[0])
    document = describe_sweep(model, keys, rows)
    written = write_sweep(document, out, parquet=parquet)
    written.append(write_page(document, out / PAGE))
    print_sweep(rows, keys, console)
    console.print(f"written: {', '.join(map(str, written))}", highlight=False, soft_wrap=True)
